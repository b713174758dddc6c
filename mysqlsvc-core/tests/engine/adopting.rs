//! Taking a cluster up again with an empty store, or an old one.

use mysqlsvc_core::{
    Epoch, Probe, ReadOnly, Role,
    engine::{Answer, Event, Reason, Request},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, node, probe};

fn empty() -> Hand {
    let mut hand = Hand::start(Vec::new(), mysqlsvc_core::Now::default());
    hand.persist();
    hand.tell(Event::Discovered { nodes: [MASTER, STANDBY, SLAVE].map(node).to_vec() });
    hand.take();
    hand
}

/// Asks, and lets everybody be looked at.
fn adopt(hand: &mut Hand, dry_run: bool, seen: [Probe; 3]) {
    hand.ask(Request::Adopt { dry_run });
    let [first, second, third] = seen;
    hand.look(STANDBY, Ok(second));
    hand.look(SLAVE, Ok(third));
    hand.look(MASTER, Ok(first.clone()));
    hand.inspect(MASTER, first);
}

fn healthy() -> [Probe; 3] {
    [
        probe(1, None, "0-1-9"),
        probe(2, Some((MASTER, 1)), "0-1-9"),
        probe(3, Some((MASTER, 1)), "0-1-9"),
    ]
}

fn closed(seen: Probe) -> Probe {
    Probe { read_only: ReadOnly::On, ..seen }
}

#[test]
fn an_empty_store_takes_the_cluster_up_above_every_epoch_that_a_proxy_knows() {
    let mut hand = empty();
    hand.tell(Event::Heard { epoch: Epoch(41) });
    assert_eq!(hand.alarms(), ["epoch-behind"]);
    adopt(&mut hand, true, healthy());
    let Ok(Answer::Adoptable(shown)) = hand.reply() else { panic!() };
    assert_eq!((shown.epoch, shown.mutual), (Epoch(42), false));
    assert_eq!(hand.engine.journal().intent().master(), None, "only shown");
    adopt(&mut hand, false, healthy());
    hand.persist();
    let intent = hand.engine.journal().intent();
    assert_eq!((intent.epoch, intent.master()), (Epoch(42), Some(&node(MASTER))));
    assert_eq!(intent.role(&node(STANDBY)), Role::Slave);
    assert!(hand.alarms().is_empty());
    let route = hand.engine.snapshot().route.unwrap();
    assert_eq!((route.epoch, route.slaves.len()), (Epoch(42), 2));
}

#[test]
fn the_same_epoch_of_another_store_is_an_alarm_until_ours_is_above_it() {
    let mut hand = Hand::cluster();
    let Epoch(ours) = hand.engine.journal().intent().epoch;
    hand.tell(Event::Heard { epoch: Epoch(ours - 1) });
    assert!(hand.alarms().is_empty(), "overtaken already");
    hand.tell(Event::Heard { epoch: Epoch(ours) });
    assert_eq!(hand.alarms(), ["epoch-behind"]);
}

#[test]
fn an_old_store_learns_who_the_master_is_now() {
    let mut hand = Hand::cluster();
    hand.tell(Event::Heard { epoch: Epoch(7) });
    let seen = [
        probe(1, Some((STANDBY, 2)), "0-2-30"),
        probe(2, None, "0-2-30"),
        probe(3, Some((STANDBY, 2)), "0-2-30"),
    ];
    hand.look(MASTER, Ok(seen[0].clone()));
    hand.ask(Request::Adopt { dry_run: false });
    hand.look(STANDBY, Ok(seen[1].clone()));
    hand.look(SLAVE, Ok(seen[2].clone()));
    hand.inspect(MASTER, seen[0].clone());
    hand.look(MASTER, Ok(seen[0].clone()));
    hand.persist();
    let intent = hand.engine.journal().intent();
    assert_eq!((intent.epoch, intent.master()), (Epoch(8), Some(&node(STANDBY))));
    assert_eq!(hand.state(MASTER), "OK", "a replica of the new master, whatever it had");
}

#[test]
fn a_cluster_at_rest_is_known_by_who_follows_whom() {
    let mut hand = empty();
    let [master, standby, slave] = healthy();
    adopt(&mut hand, true, [closed(master), standby, slave]);
    let Ok(Answer::Adoptable(shown)) = hand.reply() else { panic!() };
    assert_eq!(shown.roles.get(&node(MASTER)), Some(&Role::Master));
}

#[test]
fn a_mutual_pair_is_a_master_and_its_standby() {
    let mut hand = empty();
    let [_, standby, slave] = healthy();
    let master = Probe { read_only: ReadOnly::Off, ..probe(1, Some((STANDBY, 2)), "0-1-9") };
    adopt(&mut hand, true, [master, standby, slave]);
    let Ok(Answer::Adoptable(shown)) = hand.reply() else { panic!() };
    assert!(shown.mutual);
    assert_eq!(shown.roles.get(&node(STANDBY)), Some(&Role::Standby));
    assert_eq!(shown.roles.get(&node(SLAVE)), Some(&Role::Slave));
}

#[test]
fn two_writable_servers_are_not_guessed_between() {
    let mut hand = empty();
    let [master, _, slave] = healthy();
    adopt(&mut hand, false, [master, probe(2, None, "0-1-9"), slave]);
    assert_eq!(hand.refusal(), Reason::Ambiguous);
}

#[test]
fn who_replicates_from_elsewhere_stays_unregistered_and_is_named() {
    let mut hand = empty();
    let [master, standby, _] = healthy();
    adopt(&mut hand, true, [master, standby, probe(3, Some(("d:3306", 4)), "0-1-9")]);
    let Ok(Answer::Adoptable(shown)) = hand.reply() else { panic!() };
    assert!(!shown.roles.contains_key(&node(SLAVE)));
    assert_eq!(shown.warnings.len(), 1);
}
