use mysqlsvc_core::{
    Action, Epoch, Phase, Role,
    backend::Observed,
    engine::{Effect, Reason, Request},
    journal::{Outcome, Progress, Record, StepError, StepStatus},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

fn route(hand: &mut Hand) -> mysqlsvc_core::Route {
    hand.take_one("route", |effect| match effect {
        Effect::Publish(route) => Some(route.clone()),
        _ => None,
    })
}

fn persisted(entries: &[mysqlsvc_core::journal::Entry]) -> Vec<&'static str> {
    entries
        .iter()
        .map(|entry| match entry.record {
            Record::Changed { .. } => "changed",
            Record::Began { .. } => "began",
            Record::Started { .. } => "started",
            Record::Done { .. } => "done",
            Record::Failed { .. } => "failed",
            Record::Committed { .. } => "committed",
            Record::Skipped { .. } => "skipped",
            Record::Undone { .. } => "undone",
            Record::Forsaken { .. } => "forsaken",
            Record::Abandoned { .. } => "abandoned",
            Record::Finished { .. } => "finished",
        })
        .collect()
}

#[test]
fn between_freeze_and_open_there_is_one_fsync_and_nothing_else() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.take_one("route", |effect| matches!(effect, Effect::Publish(_)).then_some(()));
    hand.pending.retain(|effect| !matches!(effect, Effect::Reply { .. }));
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    let (_, entries) = {
        assert_eq!(hand.pending.len(), 1, "{:#?}", hand.pending);
        let Effect::Persist { ticket, entries } = hand.pending[0].clone() else { panic!() };
        (ticket, entries)
    };
    assert_eq!(persisted(&entries), ["done", "done", "committed"]);
    hand.persist();
    assert_eq!(hand.pending.len(), 1, "{:#?}", hand.pending);
    let (_, action) = hand.take_run();
    assert!(action.starts_with("open b:3306"), "{action}");
}

#[test]
fn the_hold_is_published_before_it_is_waited_for_and_ends_with_the_new_epoch() {
    let mut hand = Hand::cluster();
    let before = hand.engine.snapshot().epoch;
    hand.ask_switch(false);
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what", Ok(Observed::Interrupts(vec![])));
    let places: Vec<_> = hand
        .pending
        .iter()
        .filter_map(|effect| match effect {
            Effect::Publish(route) => {
                assert!(matches!(route.phase, Phase::Hold(_)));
                Some("publish")
            }
            Effect::AwaitHold { .. } => Some("await"),
            _ => None,
        })
        .collect();
    assert_eq!(places, ["publish", "await"]);
    hand.take_one("route", |e| matches!(e, Effect::Publish(_)).then_some(()));
    hand.hold();
    hand.persist();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-12"))));
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("open b:3306", Ok(Observed::Nothing));
    let open = route(&mut hand);
    assert_eq!(open.phase, Phase::Open);
    assert_eq!(open.epoch, Epoch(before.0 + 1));
    assert_eq!(open.master.unwrap().node, node(STANDBY));
}

#[test]
fn a_switch_swaps_the_roles_and_brings_everyone_along() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    for words in [
        "open b:3306",
        "let c:3306 replicate from b:3306",
        "let b:3306 forget its source",
        "end client sessions left on a:3306",
        "let a:3306 replicate from b:3306",
        "end client sessions left on a:3306",
    ] {
        hand.answer(words, Ok(Observed::Nothing));
        hand.persist();
    }
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.progress, Progress::Ended(Outcome::Succeeded));
    assert!(ended.critical_section.is_some());
    assert_eq!(hand.engine.journal().intent().role(&node(MASTER)), Role::Standby);
    assert_eq!(hand.engine.journal().intent().role(&node(STANDBY)), Role::Master);
}

#[test]
fn a_freeze_that_failed_is_thawed_for_it_may_have_taken_effect() {
    let mut hand = Hand::cluster();
    hand.ask_switch(false);
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what", Ok(Observed::Interrupts(vec![])));
    hand.hold();
    hand.persist();
    hand.answer("freeze a:3306", Err(refused(MASTER)));
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert!(ended.write_unavailable.is_some());
    assert!(ended.critical_section.is_none());
}

#[test]
fn what_fails_before_the_pivot_is_taken_back_until_it_is() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert!(matches!(ended.failure(), Some(StepError::Action(_))));
    assert_eq!(hand.engine.journal().intent().role(&node(MASTER)), Role::Master);
    assert_eq!(route(&mut hand).phase, Phase::Hold(hold(&hand)));
    assert_eq!(route(&mut hand).phase, Phase::Open);
}

fn hold(hand: &Hand) -> mysqlsvc_core::Hold {
    mysqlsvc_core::Hold {
        operation: hand.engine.journal().history().last().unwrap().operation,
        limit: mysqlsvc_core::Settings::default().hold_timeout,
    }
}

#[test]
fn an_optional_step_is_given_up_after_some_attempts_and_named() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    for words in ["open b:3306", "let c:3306 replicate", "let b:3306 forget"] {
        hand.answer(words, Ok(Observed::Nothing));
        hand.persist();
    }
    for _ in 0..6 {
        hand.until_run();
        hand.answer("end client sessions", Err(refused(MASTER)));
    }
    hand.persist();
    hand.answer("let a:3306 replicate", Ok(Observed::Nothing));
}

#[test]
fn opening_is_never_given_up() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    for _ in 0..20 {
        hand.answer("open b:3306", Err(refused(STANDBY)));
        hand.until_run();
        // It may have lost something meanwhile: that it holds all is seen again before it opens.
        hand.answer("wait until b:3306", Ok(Observed::Nothing));
    }
    hand.answer("open b:3306", Ok(Observed::Nothing));
}

#[test]
fn the_old_master_is_not_thawed_while_another_is_writable() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    hand.look(SLAVE, Ok(probe(3, None, "0-1-9")));
    for _ in 0..5 {
        hand.pass_time();
        assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
    }
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.until_run();
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
}

#[test]
fn an_old_master_that_is_seen_writable_again_is_frozen_again_before_the_opening() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("open b:3306", Err(refused(STANDBY)));
    hand.look(MASTER, Ok(probe(1, None, "0-1-12")));
    hand.until_run();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-15"))));
    let awaited = hand.take_one("wait", |effect| match effect {
        Effect::Run { action: Action::AwaitExecuted { position, .. }, .. } => {
            Some(position.clone())
        }
        _ => None,
    });
    assert_eq!(awaited, gtids("0-1-15"), "what was written meanwhile is waited for, too");
}

#[test]
fn a_node_that_is_another_server_now_is_left_behind_untouched() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.look(SLAVE, Ok(probe(9, Some((MASTER, 1)), "0-1-9")));
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("open b", Ok(Observed::Nothing));
    hand.persist();
    for _ in 0..6 {
        hand.pass_time();
    }
    hand.persist();
    for words in ["let b:3306 forget", "end client", "let a:3306 replicate", "end client"] {
        hand.answer(words, Ok(Observed::Nothing));
        hand.persist();
    }
}

#[test]
fn a_hold_that_ran_out_before_the_commit_takes_the_switch_back() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let settings = mysqlsvc_core::Settings::default();
    hand.now = hand.now + settings.hold_timeout;
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.is_whole();
    hand.answer("thaw a:3306", Ok(Observed::Nothing));
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.failure(), Some(&StepError::HoldExpired));
}

#[test]
fn a_stuck_operation_can_be_given_up_and_one_that_goes_on_cannot() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let operation = hand.engine.journal().running().unwrap().operation;
    hand.take_one("reply", |e| matches!(e, Effect::Reply { .. }).then_some(()));
    let reply = |hand: &mut Hand| {
        hand.take_one("reply", |effect| match effect {
            Effect::Reply { answer, .. } => Some(answer.clone()),
            _ => None,
        })
    };
    hand.ask(Request::Abandon { operation });
    assert_eq!(reply(&mut hand).unwrap_err().reason, Reason::Busy);
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    hand.is_whole();
    hand.answer("thaw a:3306", Err(refused(MASTER)));
    hand.ask(Request::Abandon { operation });
    hand.persist();
    assert!(reply(&mut hand).is_ok());
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.progress, Progress::Ended(Outcome::Abandoned));
    hand.pass_time();
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })));
}

#[test]
fn an_activation_that_cannot_be_taken_back_does_not_keep_the_cluster_busy() {
    let mut hand = Hand::cluster();
    hand.look(SLAVE, Ok(probe(3, Some(("x:3306", 8)), "0-1-9")));
    hand.ask(Request::activate(node(SLAVE)));
    hand.inspect(SLAVE, probe(3, Some(("x:3306", 8)), "0-1-9"));
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    hand.persist();
    hand.persist();
    hand.answer("make c:3306 read-only", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("let c:3306 replicate from a:3306", Err(refused(SLAVE)));
    for _ in 0..6 {
        hand.until_run();
        hand.answer("let c:3306 replicate from x:3306", Err(refused(SLAVE)));
    }
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.progress, Progress::Ended(Outcome::RolledBack));
    assert!(ended.steps.iter().any(|step| matches!(step.status, StepStatus::Forsaken(_))));
}

#[test]
fn an_old_master_that_no_longer_holds_what_it_had_at_its_freeze_is_not_thawed() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    for _ in 0..3 {
        hand.answer("wait until a:3306", Err(refused(MASTER)));
        hand.until_run();
    }
    assert_eq!(hand.alarms(), ["operation-stuck"]);
}

#[test]
fn what_is_given_up_while_a_call_is_under_way_is_given_up_at_its_end() {
    let mut hand = Hand::cluster();
    hand.freeze();
    let operation = hand.engine.journal().running().unwrap().operation;
    hand.answer("wait until b:3306", Err(refused(STANDBY)));
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    hand.until_run();
    hand.take_one("reply", |e| matches!(e, Effect::Reply { .. }).then_some(()));
    hand.ask(Request::Abandon { operation });
    assert!(hand.engine.is_operating(), "the call may still do something");
    hand.answer("wait until a:3306", Err(refused(MASTER)));
    assert!(!hand.engine.is_operating());
    hand.persist();
    assert!(hand.reply().is_ok());
}

#[test]
fn a_route_of_an_epoch_that_a_crash_could_take_back_is_told_to_nobody() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.take();
    let epoch = hand.engine.snapshot().route.unwrap().epoch;
    assert_ne!(hand.engine.journal().intent().epoch, epoch, "committed, and not durable yet");
    let settings = mysqlsvc_core::Settings::default();
    hand.now = hand.now + settings.hold_timeout;
    hand.tell(mysqlsvc_core::engine::Event::TimedOut);
    let published = hand.take().into_iter().find(|effect| matches!(effect, Effect::Publish(_)));
    assert_eq!(published, None);
}
