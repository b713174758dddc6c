//! What follows from looks that come late, overlap, fail, or show less than before.

use mysqlsvc_core::{
    GtidSet, Look, LookError, Millis, Probe,
    backend::Inspection,
    engine::{Event, Reason},
};

use crate::{
    standing::pause_slave,
    support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, switch_to},
};

fn standby(executed: &str) -> Probe {
    probe(2, Some((MASTER, 1)), executed)
}

#[test]
fn a_replica_stays_behind_until_it_is_seen_otherwise_however_often_the_master_is_looked_at() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(probe(1, None, "0-1-20")));
    hand.now = hand.now + Millis(5_100);
    hand.look(STANDBY, Ok(standby("0-1-9")));
    assert!(hand.state(STANDBY).starts_with("SYNCING"), "{}", hand.state(STANDBY));
    for step in 21..40 {
        hand.now = hand.now + Millis(700);
        hand.look(MASTER, Ok(probe(1, None, &format!("0-1-{step}"))));
        assert!(hand.state(STANDBY).starts_with("SYNCING"), "{}", hand.state(STANDBY));
    }
}

#[test]
fn a_look_between_two_inspections_hides_no_errant_transaction() {
    let mut hand = Hand::cluster();
    hand.ask(switch_to(STANDBY, false));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(STANDBY, standby("0-1-9,0-2-10"));
    // Begun after the candidate was inspected, over only when the master's inspection had begun.
    let begun = hand.now;
    let inspection_begun = hand.now + Millis(5);
    hand.now = hand.now + Millis(10);
    let look = Look { begun, ended: hand.now, seen: Ok(standby("0-1-9,0-2-10")) };
    hand.tell(Event::Looked { node: node(STANDBY), look });
    let found = Inspection::clean(probe(1, None, "0-1-9"));
    hand.tell(Event::Inspected { node: node(MASTER), begun: inspection_begun, result: Ok(found) });
    assert_eq!(hand.refusal(), Reason::Errant);
}

#[test]
fn looks_that_take_as_long_as_the_time_between_them_still_show_errant_transactions() {
    let mut hand = Hand::cluster();
    for _ in 0..3 {
        let begun = hand.now;
        hand.now = hand.now + Millis(100);
        let seen = Ok(standby("0-1-9,0-2-10"));
        let look = Look { begun, ended: hand.now + Millis(60), seen };
        hand.tell(Event::Looked { node: node(STANDBY), look });
        hand.now = hand.now + Millis(50);
        hand.look(MASTER, Ok(probe(1, None, "0-1-9")));
    }
    let snapshot = hand.engine.snapshot();
    let seen = snapshot.nodes.iter().find(|it| it.node == node(STANDBY)).unwrap();
    assert!(seen.errant.as_ref().is_some_and(|errant| !errant.is_empty()), "{seen:?}");
}

#[test]
fn what_the_master_has_handed_out_and_not_committed_is_not_errant() {
    let mut hand = Hand::cluster();
    hand.ask(switch_to(STANDBY, true));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(STANDBY, standby("0-1-11"));
    let committing: GtidSet = gtids("0-1-11");
    hand.inspect(MASTER, Probe { committing, ..probe(1, None, "0-1-9") });
    assert!(hand.reply().is_ok());
}

#[test]
fn a_master_that_lost_what_it_was_seen_to_have_is_not_routed_even_while_it_cannot_be_seen() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(probe(1, None, "0-1-15")));
    hand.look(MASTER, Ok(probe(1, None, "0-1-16")));
    hand.look(MASTER, Ok(probe(1, None, "0-1-12")));
    assert!(hand.state(MASTER).contains("lost transactions"), "{}", hand.state(MASTER));
    let routed = |hand: &Hand| hand.engine.snapshot().route.unwrap().master.is_some();
    assert!(!routed(&hand));
    hand.look(MASTER, Err(LookError::Refused { detail: "1045".to_owned() }));
    assert!(!routed(&hand), "that it cannot be seen does not make it whole");
    hand.look(MASTER, Ok(probe(1, None, "0-1-17")));
    assert!(routed(&hand));
}

#[test]
fn a_look_that_began_before_the_switch_and_came_after_it_does_not_unroute_the_new_master() {
    let mut hand = Hand::cluster();
    let begun = hand.now;
    hand.freeze();
    hand.answer("wait until b:3306", Ok(mysqlsvc_core::backend::Observed::Nothing));
    hand.persist();
    hand.answer("open b:3306", Ok(mysqlsvc_core::backend::Observed::Nothing));
    let look = Look { begun, ended: hand.now, seen: Ok(standby("0-1-9")) };
    hand.tell(Event::Looked { node: node(STANDBY), look });
    let route = hand.engine.snapshot().route.unwrap();
    assert_eq!(route.master.unwrap().node, node(STANDBY));
}

/// The inspection began before the look that saw more had ended, and ends after that was written
/// down.
#[test]
fn a_slow_inspection_beside_a_look_does_not_show_a_healthy_server_as_one_that_lost_something() {
    let mut hand = Hand::cluster();
    let look_begun = hand.now;
    hand.tell(Event::TimedOut);
    let inspection_begun = hand.now;
    hand.tell(Event::TimedOut);
    let seen = Ok(probe(1, None, "0-1-20"));
    let look = Look { begun: look_begun, ended: hand.now, seen };
    hand.tell(Event::Looked { node: node(MASTER), look });
    pause_slave(&mut hand);
    let member = &hand.engine.journal().intent().members[&node(MASTER)];
    assert_eq!(member.executed, gtids("0-1-20"));

    let inspect = |hand: &mut Hand, begun| {
        let result = Ok(Inspection::clean(probe(1, None, "0-1-15")));
        hand.tell(Event::Inspected { node: node(MASTER), begun, result });
        hand.state(MASTER)
    };
    assert_eq!(inspect(&mut hand, inspection_begun), "OK");
    let begun = hand.now;
    let gone = inspect(&mut hand, begun);
    assert!(gone.starts_with("ERROR (identity"), "{gone}");
}
