use mysqlsvc_core::{
    Phase, Role,
    backend::Observed,
    engine::Effect,
    journal::{Progress, StepError},
};

use crate::support::{Hand, MASTER, STANDBY, gtids, node, refused};

#[test]
fn killed_after_the_freeze_began_it_thaws() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let mut hand = hand.crash_and_restart();
    hand.until_run();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.failure(), Some(&StepError::Interrupted));
    assert_eq!(hand.engine.journal().intent().role(&node(MASTER)), Role::Master);
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
    hand.look(STANDBY, Ok(crate::support::probe(2, Some((MASTER, 1)), "")));
    let snapshot = hand.engine.snapshot();
    let standby = snapshot.nodes.iter().find(|seen| seen.node == node(STANDBY)).unwrap();
    assert!(standby.state.to_string().contains("has lost transactions"), "{}", standby.state);
}
