//! What the monitor does on its own account, and when it does not.

use mysqlsvc_core::{
    ActionError, ActionErrorKind, Flavor, LookError, Millis, Probe, ReadOnly, ReadOnlySet,
    SemiSync, Settings,
    backend::{Observed, SemiSyncPart, SemiSyncStatus, SemiSyncWait},
    engine::{Effect, MONITOR, Request},
    journal::Outcome,
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

pub fn booted(executed: &str) -> Probe {
    let (read_only, read_only_set) = (ReadOnly::On, ReadOnlySet::AtBoot);
    Probe { read_only, read_only_set, ..probe(1, None, executed) }
}

fn look_at_replicas(hand: &mut Hand, executed: &str) {
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), executed)));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), executed)));
}

pub fn is_still(hand: &Hand) -> bool {
    !hand.engine.is_operating()
        && !hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. }))
}

#[test]
fn a_master_that_restarted_whole_is_opened_once_everybody_was_looked_at() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(booted("0-1-9")));
    assert!(is_still(&hand), "nobody was looked at since");
    look_at_replicas(&mut hand, "0-1-9");
    hand.persist();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    assert_eq!(hand.engine.journal().history().last().unwrap().who, MONITOR);
    hand.look(MASTER, Ok(probe(1, None, "0-1-9")));
    assert!(is_still(&hand));
}

#[test]
fn a_master_that_lacks_what_a_replica_received_stays_closed_with_an_alarm() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(booted("0-1-9")));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-9")));
    let mut ahead = probe(3, Some((MASTER, 1)), "0-1-9");
    ahead.replication.as_mut().unwrap().received = gtids("0-1-11");
    hand.look(SLAVE, Ok(ahead));
    assert!(is_still(&hand));
    assert_eq!(hand.alarms(), ["master-read-only"]);
}

#[test]
fn a_master_that_somebody_closed_is_not_opened() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(Probe { read_only_set: ReadOnlySet::ByStatement, ..booted("0-1-9") }));
    look_at_replicas(&mut hand, "0-1-9");
    assert!(is_still(&hand));
    assert_eq!(hand.alarms(), ["master-read-only"]);
}

#[test]
fn a_master_is_not_opened_beside_another_writable_server() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(booted("0-1-9")));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-9")));
    let opened = Probe { read_only: ReadOnly::Off, ..probe(3, Some((MASTER, 1)), "0-1-9") };
    hand.look(SLAVE, Ok(opened));
    assert!(is_still(&hand));
}

#[test]
fn a_master_is_not_opened_beside_a_writable_server_that_is_no_member_any_more() {
    let mut hand = Hand::cluster();
    hand.ask(Request::Unregister { node: node(SLAVE) });
    hand.persist();
    hand.look(MASTER, Ok(booted("0-1-9")));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-9")));
    hand.look(SLAVE, Ok(Probe { read_only: ReadOnly::Off, ..probe(3, None, "0-1-9") }));
    assert!(is_still(&hand));
    let alarms = hand.engine.snapshot().alarms;
    let texts: Vec<_> = alarms.iter().map(|alarm| alarm.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("c:3306, which is not registered")), "{texts:?}");
    hand.look(SLAVE, Ok(Probe { read_only: ReadOnly::On, ..probe(3, None, "0-1-9") }));
    assert!(hand.engine.is_operating());
}

#[test]
fn during_maintenance_the_monitor_keeps_still() {
    let mut hand = Hand::cluster();
    hand.ask(Request::Maintenance { on: true });
    hand.persist();
    hand.look(MASTER, Ok(booted("0-1-9")));
    look_at_replicas(&mut hand, "0-1-9");
    assert!(is_still(&hand));
    assert_eq!(hand.alarms(), ["master-read-only"]);
    hand.ask(Request::Maintenance { on: false });
    hand.persist();
    look_at_replicas(&mut hand, "0-1-9");
    assert!(hand.engine.is_operating());
}

fn away() -> LookError {
    LookError::Unreachable { detail: "refused".to_owned() }
}

#[test]
fn a_master_stays_closed_while_a_replica_that_may_hold_more_does_not_answer() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(booted("0-1-9")));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-9")));
    hand.look(SLAVE, Err(away()));
    assert!(is_still(&hand));
    assert_eq!(hand.alarms(), ["master-read-only"]);
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    assert!(hand.engine.is_operating());
}

/// Begins to open a master that restarted.
fn reopening() -> Hand {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Ok(booted("0-1-9")));
    look_at_replicas(&mut hand, "0-1-9");
    hand.persist();
    hand
}

#[test]
fn an_opening_is_tried_again_also_after_the_monitor_died() {
    let mut hand = reopening();
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    assert_eq!(hand.alarms(), ["operation-stuck"]);
    let mut hand = hand.crash_and_restart();
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn a_monitor_that_died_looks_at_the_master_before_it_opens_it() {
    let Hand { durable, now, .. } = reopening();
    let mut hand = Hand::start(durable, now);
    hand.persist();
    look_at_replicas(&mut hand, "0-1-9");
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    hand.look(MASTER, Ok(booted("0-1-9")));
    hand.until_run();
    hand.is_whole();
}

/// It restarted once more while it was being opened, without its last transactions.
#[test]
fn an_opening_is_given_up_where_the_master_has_lost_what_it_had() {
    let mut hand = reopening();
    let behind = ActionError { kind: ActionErrorKind::Behind, ..refused(MASTER) };
    hand.answer("wait until a:3306", Err(behind));
    hand.look(MASTER, Ok(booted("0-1-7")));
    for _ in 0..20 {
        hand.pass_time();
    }
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    hand.persist();
    assert!(!hand.engine.is_operating());
    let last = hand.engine.journal().history().last().unwrap();
    assert!(last.has_skipped());
}

#[test]
fn an_opening_is_given_up_where_a_replica_turns_out_to_hold_more() {
    let mut hand = reopening();
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    let mut ahead = probe(3, Some((MASTER, 1)), "0-1-9");
    ahead.replication.as_mut().unwrap().received = gtids("0-1-11");
    hand.look(SLAVE, Ok(ahead));
    for _ in 0..20 {
        hand.pass_time();
    }
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    hand.persist();
    assert!(!hand.engine.is_operating());
    assert_eq!(hand.alarms(), ["master-read-only"]);
}

#[test]
fn an_act_of_our_own_that_failed_is_tried_again_only_after_a_while() {
    let mut hand = Hand::cluster_with(Settings { semi_sync: Some(WAIT), ..Settings::default() });
    let unset = || in_part(probe(2, Some((MASTER, 1)), "0-1-9"), None, false);
    hand.look(STANDBY, Ok(unset()));
    hand.persist();
    hand.persist();
    hand.answer("semi-sync on b:3306", Err(refused(STANDBY)));
    // It may have stopped receiving, to take its part up.
    hand.answer("start the replication of b:3306", Ok(Observed::Nothing));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    hand.look(STANDBY, Ok(unset()));
    assert!(is_still(&hand));
    hand.now = hand.now + Millis(1_100);
    hand.look(STANDBY, Ok(unset()));
    assert!(hand.engine.is_operating());
}

pub const WAIT: SemiSync = SemiSync { wait_for: 2, timeout: Millis(10_000) };

pub fn in_part(seen: Probe, part: Option<SemiSyncPart>, waiting: bool) -> Probe {
    let source = match part {
        Some(SemiSyncPart::Source { replicas, timeout }) => {
            Some(SemiSyncWait { replicas, timeout })
        }
        _ => None,
    };
    let replica = part == Some(SemiSyncPart::Replica);
    let semi_sync = Some(SemiSyncStatus { source, replica, waiting, replicas: 2 });
    Probe { semi_sync, ..seen }
}

#[test]
fn semi_sync_is_given_to_replicas_first_then_to_the_master() {
    let mut hand = Hand::cluster_with(Settings { semi_sync: Some(WAIT), ..Settings::default() });
    let replica = |id| probe(id, Some((MASTER, 1)), "0-1-9");
    hand.look(STANDBY, Ok(in_part(replica(2), None, false)));
    hand.persist();
    hand.persist();
    hand.answer("semi-sync on b:3306: replica", Ok(Observed::Nothing));
    hand.persist();
    hand.look(STANDBY, Ok(in_part(replica(2), Some(SemiSyncPart::Replica), false)));
    hand.look(SLAVE, Ok(in_part(replica(3), Some(SemiSyncPart::Replica), false)));
    hand.look(MASTER, Ok(in_part(probe(1, None, "0-1-9"), None, false)));
    hand.persist();
    hand.persist();
    hand.answer("semi-sync on a:3306: source, waits for 1", Ok(Observed::Nothing));
}

#[test]
fn a_master_that_no_longer_waits_is_an_alarm() {
    let mut hand = Hand::cluster_with(Settings { semi_sync: Some(WAIT), ..Settings::default() });
    let replica = |id| {
        let seen = probe(id, Some((MASTER, 1)), "0-1-9");
        in_part(seen, Some(SemiSyncPart::Replica), false)
    };
    hand.look(STANDBY, Ok(replica(2)));
    hand.look(SLAVE, Ok(replica(3)));
    let source = Some(WAIT.source(2, Flavor::MariaDb));
    hand.look(MASTER, Ok(in_part(probe(1, None, "0-1-9"), source, true)));
    assert_eq!(hand.alarms(), Vec::<&str>::new());
    hand.look(MASTER, Ok(in_part(probe(1, None, "0-1-9"), source, false)));
    assert_eq!(hand.alarms(), ["semi-sync-degraded"]);
    assert!(is_still(&hand));
}

#[test]
fn a_request_waits_for_a_brief_act_of_our_own_and_is_not_refused() {
    let mut hand = Hand::cluster_with(Settings { semi_sync: Some(WAIT), ..Settings::default() });
    hand.look(STANDBY, Ok(in_part(probe(2, Some((MASTER, 1)), "0-1-9"), None, false)));
    assert!(hand.engine.is_operating());
    hand.ask(Request::Maintenance { on: true });
    hand.persist();
    hand.persist();
    hand.answer("semi-sync on b:3306", Ok(Observed::Nothing));
    for _ in 0..2 {
        hand.persist();
    }
    assert!(hand.reply().is_ok());
    assert!(hand.engine.journal().intent().maintenance);
}

/// A driver that is told of a moment that has been would turn round and round until the write ends.
#[test]
fn a_pause_that_ends_while_a_write_is_awaited_asks_for_no_moment_that_has_been() {
    let mut hand = reopening();
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    let until = hand.engine.poll_timeout().unwrap();
    hand.ask(Request::Maintenance { on: true });
    hand.pass_time();
    assert!(hand.now > until);
    assert!(hand.engine.poll_timeout().is_none_or(|next| next > hand.now));
}
