//! Parts in semi-synchronous replication: with which operation they go, and what cannot be set.

use mysqlsvc_core::{
    ActionError, ActionErrorKind, IoThread, Millis, NodeState, Probe, ReadOnly, ReadOnlySet,
    Settings,
    backend::{Observed, SemiSyncPart},
    engine::{Effect, Reason, Request},
    journal::Outcome,
};

use crate::{
    support::{Hand, MASTER, SLAVE, STANDBY, node, probe, refused, switch_to},
    unasked::{WAIT, booted, in_part, is_still},
};

const NONE: Option<SemiSyncPart> = None;
/// MariaDB waits for one, whatever is asked.
const SOURCE: Option<SemiSyncPart> =
    Some(SemiSyncPart::Source { replicas: 1, timeout: WAIT.timeout });
const REPLICA: Option<SemiSyncPart> = Some(SemiSyncPart::Replica);

fn replica(id: u32, part: Option<SemiSyncPart>) -> Probe {
    in_part(probe(id, Some((MASTER, 1)), "0-1-9"), part, false)
}

fn master(part: Option<SemiSyncPart>) -> Probe {
    in_part(probe(1, None, "0-1-9"), part, part.is_some())
}

fn managed() -> Hand {
    Hand::cluster_with(Settings { semi_sync: Some(WAIT), ..Settings::default() })
}

fn look_at(hand: &mut Hand, of_master: Probe, of_standby: Probe, of_slave: Probe) {
    hand.look(STANDBY, Ok(of_standby));
    hand.look(SLAVE, Ok(of_slave));
    hand.look(MASTER, Ok(of_master));
}

/// Everybody plays its part.
fn in_line() -> Hand {
    let mut hand = managed();
    look_at(&mut hand, master(SOURCE), replica(2, REPLICA), replica(3, REPLICA));
    assert!(is_still(&hand));
    assert_eq!(hand.alarms(), Vec::<&str>::new());
    hand
}

fn maintenance(hand: &mut Hand, on: bool) {
    hand.ask(Request::Maintenance { on });
    hand.persist();
    hand.take();
}

/// Answers one action of an operation and writes down what came of it.
fn done(hand: &mut Hand, words: &str) {
    hand.answer(words, Ok(Observed::Nothing));
    hand.persist();
}

#[test]
fn a_master_that_restarted_waits_for_replicas_before_it_is_opened() {
    let mut hand = in_line();
    hand.look(MASTER, Ok(in_part(booted("0-1-9"), NONE, false)));
    // Nobody has connected again yet.
    let mut connecting = replica(2, REPLICA);
    connecting.replication.as_mut().unwrap().io = IoThread::Connecting;
    hand.look(STANDBY, Ok(connecting));
    hand.look(SLAVE, Ok(replica(3, REPLICA)));
    hand.persist();
    done(&mut hand, "semi-sync on a:3306: source, waits for 1");
    hand.is_whole();
    done(&mut hand, "thaw a:3306");
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn a_master_that_cannot_wait_is_opened_all_the_same() {
    let mut hand = in_line();
    hand.look(MASTER, Ok(in_part(booted("0-1-9"), NONE, false)));
    look_at(
        &mut hand,
        in_part(booted("0-1-9"), NONE, false),
        replica(2, REPLICA),
        replica(3, REPLICA),
    );
    hand.persist();
    hand.answer("semi-sync on a:3306", Err(refused(MASTER)));
    hand.persist();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
}

#[test]
fn a_master_that_is_resumed_waits_for_replicas_before_it_is_opened() {
    let mut hand = in_line();
    maintenance(&mut hand, true);
    let closed =
        Probe { read_only: ReadOnly::On, read_only_set: ReadOnlySet::ByStatement, ..master(NONE) };
    hand.look(MASTER, Ok(closed.clone()));
    hand.ask(Request::Resume { node: node(MASTER) });
    hand.look(STANDBY, Ok(replica(2, REPLICA)));
    hand.look(SLAVE, Ok(replica(3, REPLICA)));
    hand.inspect(MASTER, closed);
    hand.persist();
    hand.answer("semi-sync on a:3306: source, waits for 1", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
}

#[test]
fn a_replica_that_restarted_during_maintenance_gets_its_part_when_it_is_resumed() {
    let mut hand = in_line();
    maintenance(&mut hand, true);
    hand.ask_of(Request::Pause { node: node(SLAVE) }, SLAVE, replica(3, REPLICA));
    hand.persist();
    hand.persist();
    hand.answer("stop the replication of c:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    hand.take();
    hand.look(SLAVE, Ok(replica(3, NONE)));
    assert_eq!(hand.alarms(), ["semi-sync-not-set", "pause-lifted"]);
    assert!(is_still(&hand));
    hand.ask(Request::Resume { node: node(SLAVE) });
    hand.inspect(SLAVE, replica(3, NONE));
    hand.inspect(MASTER, master(SOURCE));
    hand.persist();
    hand.persist();
    done(&mut hand, "start the replication of c:3306");
    done(&mut hand, "semi-sync on c:3306: replica");
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    hand.look(SLAVE, Ok(replica(3, REPLICA)));
    assert_eq!(hand.alarms(), Vec::<&str>::new());
}

/// Lets the standby refuse its part once.
fn with_a_standby_that_refuses() -> Hand {
    let mut hand = managed();
    look_at(&mut hand, master(SOURCE), replica(2, REPLICA), replica(3, REPLICA));
    hand.look(STANDBY, Ok(replica(2, NONE)));
    hand.persist();
    hand.persist();
    is_refused_by_the_standby(&mut hand);
    hand.take();
    hand
}

/// Its receiving thread, which is stopped to take a part up, is started whatever came of it.
fn is_refused_by_the_standby(hand: &mut Hand) {
    hand.answer("semi-sync on b:3306: replica", Err(refused(STANDBY)));
    hand.answer("start the replication of b:3306", Ok(Observed::Nothing));
    hand.persist();
}

#[test]
fn a_server_that_refuses_its_part_keeps_nobody_else_from_theirs() {
    let mut hand = with_a_standby_that_refuses();
    assert_eq!(hand.alarms(), ["semi-sync-not-set"]);
    look_at(&mut hand, master(NONE), replica(2, NONE), replica(3, NONE));
    for words in ["semi-sync on c:3306: replica", "semi-sync on a:3306: source"] {
        hand.persist();
        hand.persist();
        done(&mut hand, words);
        hand.take();
        look_at(&mut hand, master(NONE), replica(2, NONE), replica(3, REPLICA));
    }
}

#[test]
fn a_part_that_is_refused_is_tried_ever_more_seldom_and_kept_once_among_the_operations() {
    let mut hand = with_a_standby_that_refuses();
    let mut tries = 1;
    // A look each second, for six hours.
    for _ in 0..6 * 3_600 {
        hand.now = hand.now + Millis(1_000);
        hand.look(STANDBY, Ok(replica(2, NONE)));
        if hand.engine.is_operating() {
            hand.persist();
            hand.persist();
            is_refused_by_the_standby(&mut hand);
            tries += 1;
        }
        hand.take();
    }
    assert!((10..20).contains(&tries), "{tries}");
    assert_eq!(hand.engine.journal().history().count(), 1);
    assert_eq!(hand.alarms(), ["semi-sync-not-set"]);
    // Somebody has mended it, and does not wait for an hour.
    maintenance(&mut hand, true);
    hand.ask(Request::Maintenance { on: false });
    for _ in 0..3 {
        hand.persist();
    }
    done(&mut hand, "semi-sync on b:3306");
    hand.look(STANDBY, Ok(replica(2, REPLICA)));
    assert_eq!(hand.alarms(), Vec::<&str>::new());
}

/// Asks for a switch to the standby, of which this is seen.
fn ask_switch(hand: &mut Hand, of_standby: Probe) {
    hand.ask(switch_to(STANDBY, false));
    hand.look(SLAVE, Ok(replica(3, REPLICA)));
    hand.inspect(STANDBY, of_standby);
    hand.inspect(MASTER, master(SOURCE));
}

#[test]
fn a_candidate_that_could_not_wait_is_refused_before_anything_is_done() {
    let mut hand = in_line();
    ask_switch(&mut hand, Probe { semi_sync: None, ..replica(2, REPLICA) });
    assert_eq!(hand.refusal(), Reason::Unfit);
    let mut hand = with_a_standby_that_refuses();
    ask_switch(&mut hand, replica(2, NONE));
    assert_eq!(hand.refusal(), Reason::Unfit);
    let snapshot = hand.engine.snapshot();
    let standby = snapshot.nodes.iter().find(|it| it.node == node(STANDBY)).unwrap();
    assert_eq!(standby.state, NodeState::Ok);
    let switch = standby.allowed.iter().find(|it| it.operation == "switch").unwrap();
    assert_eq!(switch.refusal.as_ref().unwrap().reason, Reason::Unfit);
}

/// Brings a switch up to the candidate being given its part.
fn committed() -> Hand {
    let mut hand = in_line();
    ask_switch(&mut hand, replica(2, REPLICA));
    hand.pending.retain(|effect| !matches!(effect, Effect::Look { .. } | Effect::Inspect { .. }));
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what", Ok(Observed::Interrupts(vec![])));
    hand.hold();
    hand.persist();
    hand.answer("freeze a:3306", Ok(Observed::Position(crate::support::gtids("0-1-12"))));
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand
}

#[test]
fn a_part_that_is_refused_after_the_pivot_is_not_tried_again_while_nobody_can_write() {
    let mut hand = committed();
    hand.answer("semi-sync on b:3306: source, waits for 1", Err(refused(STANDBY)));
    hand.persist();
    // After anything that failed there, it is seen once more to hold all.
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    done(&mut hand, "open b:3306");
}

#[test]
fn an_old_master_that_is_gone_keeps_no_replica_from_following() {
    let mut hand = committed();
    for words in [
        "semi-sync on b:3306: source",
        "open b:3306",
        "let c:3306 replicate from b:3306",
        "let b:3306 forget its source",
    ] {
        done(&mut hand, words);
    }
    let gone = || ActionError { kind: ActionErrorKind::Unreachable, ..refused(MASTER) };
    let mut tried = Vec::new();
    while hand.engine.is_operating() {
        hand.until_run();
        let (call, action) = hand.take_run();
        tried.push(action);
        let result = Err(gone());
        hand.tell(mysqlsvc_core::engine::Event::ActionEnded { call, result });
        if hand.pending.iter().any(|effect| matches!(effect, Effect::Persist { .. })) {
            hand.persist();
        }
    }
    assert!(tried.iter().all(|action| action.contains("a:3306")), "{tried:?}");
    assert_eq!(tried.iter().filter(|action| action.contains("semi-sync")).count(), 2);
}
