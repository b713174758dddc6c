//! Detach, pause, resume.

use mysqlsvc_core::{
    IoThread, Probe, ReadOnly, SqlThread,
    backend::Observed,
    engine::{Answer, Effect, Reason, Request},
    journal::Outcome,
    plan::Step,
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

pub fn closed(seen: Probe) -> Probe {
    Probe { read_only: ReadOnly::On, ..seen }
}

fn slave() -> Probe {
    probe(3, Some((MASTER, 1)), "0-1-9")
}

fn stopped() -> Probe {
    let mut seen = slave();
    let replication = seen.replication.as_mut().unwrap();
    (replication.io, replication.sql) = (IoThread::Stopped, SqlThread::Stopped);
    seen
}

fn pause_master(hand: &mut Hand) {
    hand.ask_of(Request::Pause { node: node(MASTER) }, MASTER, probe(1, None, "0-1-9"));
    hand.persist();
    hand.persist();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-12"))));
    hand.persist();
    hand.persist();
    hand.take();
}

pub fn pause_slave(hand: &mut Hand) {
    hand.ask_of(Request::Pause { node: node(SLAVE) }, SLAVE, slave());
    hand.persist();
    hand.persist();
    hand.answer("stop the replication of c:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    hand.take();
}

#[test]
fn a_paused_master_is_frozen_says_so_and_is_thawed_when_it_is_resumed() {
    let mut hand = Hand::cluster();
    pause_master(&mut hand);
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    hand.look(MASTER, Ok(closed(probe(1, None, "0-1-12"))));
    assert_eq!(hand.state(MASTER), "PAUSED (paused by the operator)");
    assert!(hand.alarms().is_empty(), "what was asked for is no alarm");

    hand.ask(Request::Resume { node: node(MASTER) });
    for (address, id) in [(STANDBY, 2), (SLAVE, 3)] {
        hand.look(address, Ok(probe(id, Some((MASTER, 1)), "0-1-12")));
    }
    hand.inspect(MASTER, closed(probe(1, None, "0-1-12")));
    hand.persist();
    hand.persist();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.state(MASTER), "OK");
    assert!(!hand.engine.journal().intent().is_paused(&node(MASTER)));
}

#[test]
fn a_master_is_not_resumed_beside_another_writable_server() {
    let mut hand = Hand::cluster();
    pause_master(&mut hand);
    hand.ask(Request::Resume { node: node(MASTER) });
    let opened = Probe { read_only: ReadOnly::Off, ..probe(2, Some((MASTER, 1)), "0-1-12") };
    hand.look(STANDBY, Ok(opened));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    hand.inspect(MASTER, closed(probe(1, None, "0-1-12")));
    assert_eq!(hand.refusal(), Reason::WritableElsewhere);
}

#[test]
fn a_master_is_not_resumed_without_what_a_replica_holds() {
    let mut hand = Hand::cluster();
    pause_master(&mut hand);
    hand.ask(Request::Resume { node: node(MASTER) });
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-13")));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    hand.inspect(MASTER, closed(probe(1, None, "0-1-12")));
    assert_eq!(hand.refusal(), Reason::Errant);
}

#[test]
fn a_master_that_lost_something_after_it_was_looked_at_is_not_resumed() {
    let mut hand = Hand::cluster();
    pause_master(&mut hand);
    hand.ask(Request::Resume { node: node(MASTER) });
    for (address, id) in [(STANDBY, 2), (SLAVE, 3)] {
        hand.look(address, Ok(probe(id, Some((MASTER, 1)), "0-1-12")));
    }
    hand.inspect(MASTER, closed(probe(1, None, "0-1-12")));
    hand.persist();
    hand.persist();
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-10"))));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert!(hand.engine.journal().intent().is_paused(&node(MASTER)));
}

#[test]
fn a_resume_that_fails_stops_no_replica_that_went_on_before() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    hand.ask(Request::Resume { node: node(SLAVE) });
    hand.inspect(SLAVE, slave());
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    hand.persist();
    hand.persist();
    hand.answer("start the replication of c:3306", Err(refused(SLAVE)));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
}

#[test]
fn a_resumed_replica_goes_on_with_its_source_and_follows_a_new_master() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    hand.look(SLAVE, Ok(stopped()));
    assert_eq!(hand.state(SLAVE), "PAUSED (paused by the operator)");
    hand.ask(Request::Resume { node: node(SLAVE) });
    hand.inspect(SLAVE, stopped());
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    hand.persist();
    hand.persist();
    hand.answer("start the replication of c:3306", Ok(Observed::Nothing));
    hand.persist();
    assert!(!hand.engine.journal().intent().is_paused(&node(SLAVE)));
}

#[test]
fn a_switch_leaves_a_paused_replica_where_it_is_and_resuming_brings_it_along() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    for words in [
        "open b:3306",
        "let b:3306 forget its source",
        "end client sessions left on a:3306",
        "let a:3306 replicate from b:3306",
        "end client sessions left on a:3306",
    ] {
        hand.answer(words, Ok(Observed::Nothing));
        hand.persist();
    }
    hand.persist();
    hand.look(SLAVE, Ok(stopped()));
    hand.take();
    hand.ask(Request::Resume { node: node(SLAVE) });
    hand.inspect(SLAVE, stopped());
    hand.inspect(STANDBY, probe(2, None, "0-1-12"));
    hand.persist();
    hand.persist();
    hand.answer("let c:3306 replicate from b:3306", Ok(Observed::Nothing));
}

#[test]
fn a_pause_that_fails_is_taken_back() {
    let mut hand = Hand::cluster();
    hand.ask_of(Request::Pause { node: node(SLAVE) }, SLAVE, slave());
    hand.persist();
    hand.persist();
    hand.answer("stop the replication of c:3306", Err(refused(SLAVE)));
    hand.answer("start the replication of c:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert!(!hand.engine.journal().intent().is_paused(&node(SLAVE)));
}

#[test]
fn a_detached_replica_forgets_its_source_and_a_failure_gives_it_back() {
    for fails in [false, true] {
        let mut hand = Hand::cluster();
        hand.ask_of(Request::Detach { node: node(SLAVE) }, SLAVE, slave());
        hand.persist();
        hand.persist();
        if fails {
            hand.answer("let c:3306 forget its source", Err(refused(SLAVE)));
            hand.answer("let c:3306 replicate from a:3306", Ok(Observed::Nothing));
        } else {
            hand.answer("let c:3306 forget its source", Ok(Observed::Nothing));
        }
        hand.persist();
        let outcome = if fails { Outcome::RolledBack } else { Outcome::Succeeded };
        assert_eq!(hand.outcome(), Some(outcome));
    }
}

#[test]
fn what_has_no_source_cannot_be_detached() {
    let mut hand = Hand::cluster();
    hand.ask_of(Request::Detach { node: node(MASTER) }, MASTER, probe(1, None, "0-1-9"));
    assert_eq!(hand.refusal(), Reason::WrongState);
    hand.ask_of(Request::Detach { node: node(SLAVE) }, SLAVE, closed(probe(3, None, "0-1-9")));
    assert_eq!(hand.refusal(), Reason::WrongState);
}

#[test]
fn a_pause_that_a_restart_lifted_is_an_alarm() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    hand.look(SLAVE, Ok(slave()));
    assert_eq!(hand.alarms(), ["pause-lifted"]);
}

#[test]
fn a_replica_that_takes_over_is_paused_no_longer() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    // Somebody started it behind our back, so it is OK and may be switched to.
    hand.look(SLAVE, Ok(slave()));
    hand.ask(crate::support::switch_to(SLAVE, true));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(SLAVE, slave());
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    let Ok(Answer::Planned { plan, .. }) = hand.reply() else { panic!() };
    let paused = plan.steps.iter().find_map(|step| match step {
        Step::Commit(commit) => Some(commit.paused.clone()),
        _ => None,
    });
    assert_eq!(paused, Some([].into()));
}

#[test]
fn a_master_that_replicates_is_not_resumed_and_an_alarm_names_the_way_out() {
    let mut hand = Hand::cluster();
    pause_master(&mut hand);
    let replicating = || closed(probe(1, Some((STANDBY, 2)), "0-1-12"));
    hand.look(MASTER, Ok(replicating()));
    assert_eq!(hand.alarms(), ["master-replicates"]);
    hand.ask(Request::Resume { node: node(MASTER) });
    for (address, id) in [(STANDBY, 2), (SLAVE, 3)] {
        hand.look(address, Ok(probe(id, Some((MASTER, 1)), "0-1-12")));
    }
    hand.inspect(MASTER, replicating());
    let refusal = hand.reply().unwrap_err();
    assert_eq!(refusal.reason, Reason::WrongState);
    assert!(refusal.detail.contains("mysqlsvc detach a:3306"), "{refusal}");
}

/// The slave was paused, and somebody let it follow another server, at which it stands still.
fn activate_lost_and_paused(hand: &mut Hand) {
    pause_slave(hand);
    let mut lost = stopped();
    lost.replication.as_mut().unwrap().source = node(STANDBY);
    lost.replication.as_mut().unwrap().source_identity = None;
    hand.look(SLAVE, Ok(lost.clone()));
    hand.ask(Request::activate(node(SLAVE)));
    hand.inspect(SLAVE, lost);
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    hand.persist();
    hand.persist();
    hand.answer("make c:3306 read-only", Ok(Observed::Nothing));
    hand.persist();
}

#[test]
fn who_is_activated_is_paused_no_longer() {
    let mut hand = Hand::cluster();
    activate_lost_and_paused(&mut hand);
    hand.answer("let c:3306 replicate from a:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    assert!(!hand.engine.journal().intent().is_paused(&node(SLAVE)));
}

#[test]
fn an_activation_that_is_taken_back_stops_what_stood_still_again() {
    let mut hand = Hand::cluster();
    activate_lost_and_paused(&mut hand);
    hand.answer("let c:3306 replicate from a:3306", Err(refused(SLAVE)));
    hand.answer("let c:3306 replicate from b:3306", Ok(Observed::Nothing));
    hand.answer("stop the replication of c:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert!(hand.engine.journal().intent().is_paused(&node(SLAVE)));
}

#[test]
fn who_is_detached_is_paused_no_longer() {
    let mut hand = Hand::cluster();
    pause_slave(&mut hand);
    hand.ask_of(Request::Detach { node: node(SLAVE) }, SLAVE, stopped());
    hand.persist();
    hand.persist();
    hand.answer("let c:3306 forget its source", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    assert!(!hand.engine.journal().intent().is_paused(&node(SLAVE)));
}
