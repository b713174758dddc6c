use mysqlsvc_core::{
    LookError, Phase, Probe, ReadOnly, ReadOnlySet, Role,
    backend::Observed,
    engine::{Effect, Reason, Request},
    journal::{Outcome, Progress, StepError},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

#[test]
fn killed_after_the_freeze_began_it_thaws() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let mut hand = hand.crash_and_restart();
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.failure(), Some(&StepError::Interrupted));
    assert_eq!(hand.engine.journal().intent().role(&node(MASTER)), Role::Master);
}

/// The freeze has not said what there was, and a restart has lost some of it.
#[test]
fn an_old_master_that_lost_in_a_restart_what_another_holds_is_not_thawed() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let mut hand = Hand::start(hand.durable, hand.now);
    hand.persist();
    let restarted = Probe {
        read_only: ReadOnly::On,
        read_only_set: ReadOnlySet::AtBoot,
        ..probe(1, None, "0-1-10")
    };
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-12")));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.look(MASTER, Ok(restarted));
    for _ in 0..3 {
        hand.pass_time();
    }
    hand.persist();
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert_eq!(hand.alarms(), ["master-read-only"]);
}

/// It has not been looked at since it restarted.
#[test]
fn an_old_master_whose_freeze_said_nothing_is_thawed_once_it_holds_what_others_have_of_it() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let mut hand = Hand::start(hand.durable, hand.now);
    hand.persist();
    hand.look_at_all("0-1-13");
    hand.until_run();
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
}

#[test]
fn an_old_master_is_seen_whole_once_more_after_it_had_to_wait_for_another() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    let follower = probe(2, Some((MASTER, 1)), "0-1-12");
    hand.look(STANDBY, Ok(Probe { read_only: ReadOnly::Off, ..follower.clone() }));
    hand.is_whole();
    for _ in 0..3 {
        hand.pass_time();
    }
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    hand.look(STANDBY, Ok(follower));
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
}

#[test]
fn a_new_master_that_did_not_answer_meanwhile_is_seen_whole_once_more_before_it_is_opened() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    let gone = LookError::Unreachable { detail: "gone".to_owned() };
    hand.look(STANDBY, Err(gone));
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("open b:3306", Ok(Observed::Nothing));
}

#[test]
fn whoever_gives_up_what_a_failed_store_left_is_told_that_it_may_not_be_recorded() {
    let mut hand = Hand::cluster();
    hand.ask_switch(false);
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what", Ok(Observed::Interrupts(vec![])));
    hand.hold();
    hand.fail_persist();
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    assert!(hand.reply().is_ok(), "the switch was begun");
    let operation = hand.engine.journal().running().unwrap().operation;
    hand.ask(Request::Abandon { operation });
    assert_eq!(hand.refusal(), Reason::StoreFailed);
    assert!(matches!(hand.pending.last(), Some(Effect::Halt { .. })));
}

#[test]
fn killed_before_the_freeze_began_it_touches_nothing() {
    let mut hand = Hand::cluster();
    hand.ask_switch(false);
    hand.persist();
    let hand = hand.crash_and_restart();
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    assert!(hand.engine.journal().running().is_none());
}

#[test]
fn killed_after_the_commit_it_freezes_again_before_it_opens() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    let mut hand = hand.crash_and_restart();
    hand.answer("freeze a:3306", Err(refused(MASTER)));
    hand.until_run();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-12"))));
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("open b:3306", Ok(Observed::Nothing));
    assert_eq!(hand.engine.journal().intent().role(&node(STANDBY)), Role::Master);
}

#[test]
fn a_replay_ends_where_the_first_run_stood() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("open b:3306", Ok(Observed::Nothing));
    hand.persist();
    let before = hand.engine.journal().clone();
    let after = hand.crash_and_restart();
    assert_eq!(before.running(), after.engine.journal().running());
    assert_eq!(before.intent().members, after.engine.journal().intent().members);
}

#[test]
fn versions_never_go_back_over_a_restart() {
    let mut hand = Hand::cluster();
    let before = hand.engine.snapshot().route.unwrap().version;
    hand.take();
    let hand = hand.crash_and_restart();
    let after = hand.engine.snapshot().route.unwrap().version;
    assert!(after > before, "{after:?} is not above {before:?}");
}

#[test]
fn when_the_store_fails_before_the_pivot_it_thaws_unrecorded_and_stops() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    // The commit itself: nobody knows whether it is durable, so nothing is touched any more.
    hand.fail_persist();
    assert!(matches!(hand.pending.last(), Some(Effect::Halt { .. })));
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
}

#[test]
fn when_the_store_fails_at_the_start_record_nothing_was_sent_and_it_stops() {
    let mut hand = Hand::cluster();
    hand.ask_switch(false);
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what", Ok(Observed::Interrupts(vec![])));
    hand.hold();
    hand.take_one("route", |e| matches!(e, Effect::Publish(_)).then_some(()));
    hand.fail_persist();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    assert!(matches!(hand.pending.last(), Some(Effect::Halt { .. })));
    let opened = hand
        .pending
        .iter()
        .any(|effect| matches!(effect, Effect::Publish(route) if route.phase == Phase::Open));
    assert!(!opened || hand.engine.journal().running().is_none());
    assert!(
        hand.engine
            .journal()
            .history()
            .all(|execution| !matches!(execution.progress, Progress::Forward { .. }))
    );
}

#[test]
fn routes_go_out_after_a_restart_even_while_an_operation_cannot_go_on() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    let mut hand = hand.crash_and_restart();
    hand.answer("freeze a:3306", Err(refused(MASTER)));
    let route = hand.engine.snapshot().route.expect("a route");
    assert!(matches!(route.phase, Phase::Hold(_)));
    assert_eq!(route.master.unwrap().node, node(STANDBY));
}

#[test]
fn what_members_have_is_written_down_so_that_a_wiped_server_is_known_after_a_restart() {
    let mut hand = Hand::cluster();
    hand.look_at_all("0-1-50");
    hand.now = hand.now + mysqlsvc_core::Millis(600_000);
    hand.look_at_all("0-1-51");
    hand.persist();
    let mut hand = Hand::start(hand.durable.clone(), hand.now);
    hand.persist();
    hand.look_at_all("0-1-50");
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "")));
    let snapshot = hand.engine.snapshot();
    let standby = snapshot.nodes.iter().find(|seen| seen.node == node(STANDBY)).unwrap();
    assert!(standby.state.to_string().contains("has lost transactions"), "{}", standby.state);
}
