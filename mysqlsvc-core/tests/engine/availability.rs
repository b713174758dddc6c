//! Availability first: confirmed, and honest about what it cost.

use mysqlsvc_core::{
    NodeId,
    backend::Observed,
    engine::{Answer, Effect, Reason, Request},
    journal::{Outcome, StepStatus},
    plan::Strategy,
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

fn ask(hand: &mut Hand, confirm: Option<NodeId>, dry_run: bool) {
    let (to, strategy) = (node(STANDBY), Strategy::Availability);
    hand.ask(Request::Switch { to, strategy, confirm, dry_run });
    if hand.pending.iter().any(|effect| matches!(effect, Effect::Inspect { .. })) {
        hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
        hand.inspect(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9"));
        hand.inspect(MASTER, probe(1, None, "0-1-9"));
    }
    hand.pending.retain(|effect| !matches!(effect, Effect::Look { .. } | Effect::Inspect { .. }));
}

/// Caught up, and nothing in the way.
fn before_pivot(hand: &mut Hand) {
    for words in ["wait until b:3306", "wait for what a freeze of a:3306 would break"] {
        hand.answer(words, Ok(Observed::Nothing));
    }
    hand.persist();
}

/// Up to the new master having to take over what the old one had at its freeze.
fn open_then_freeze() -> Hand {
    let mut hand = Hand::cluster();
    ask(&mut hand, Some(node(STANDBY)), false);
    hand.persist();
    before_pivot(&mut hand);
    hand.answer("open b:3306 while it goes on", Ok(Observed::Position(gtids("0-1-10"))));
    hand.persist();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-14"))));
    hand.persist();
    hand
}

#[test]
fn it_has_to_be_confirmed_by_naming_the_node() {
    let mut hand = Hand::cluster();
    ask(&mut hand, None, false);
    assert_eq!(hand.refusal(), Reason::NotConfirmed);
    ask(&mut hand, Some(node(SLAVE)), false);
    assert_eq!(hand.refusal(), Reason::NotConfirmed);
    ask(&mut hand, None, true);
    let Ok(Answer::Planned { plan, warnings }) = hand.reply() else { panic!() };
    assert_eq!(plan.strategy, Strategy::Availability);
    assert!(warnings.iter().any(|warning| warning.id == "may-diverge"), "{warnings:?}");
}

#[test]
fn the_route_moves_before_the_old_master_is_frozen() {
    let mut hand = Hand::cluster();
    ask(&mut hand, Some(node(STANDBY)), false);
    hand.persist();
    before_pivot(&mut hand);
    hand.take();
    let epoch = hand.engine.journal().intent().epoch;
    hand.engine.snapshot();
    assert_eq!(hand.engine.journal().intent().master(), Some(&node(STANDBY)));
    let mut hand = open_then_freeze();
    let route = hand.engine.snapshot().route.unwrap();
    assert_eq!((route.epoch, route.master.unwrap().node), (epoch, node(STANDBY)));
    hand.answer("wait until b:3306 has executed", Ok(Observed::Nothing));
    hand.persist();
    for words in [
        "let b:3306 forget its source",
        "let c:3306 replicate from b:3306",
        "let a:3306 replicate from b:3306",
        "end client sessions left on a:3306",
    ] {
        hand.answer(words, Ok(Observed::Nothing));
        hand.persist();
    }
    hand.persist();
    let ended = hand.engine.journal().history().last().unwrap();
    assert_eq!(ended.diverged(), None);
    assert_eq!(ended.opened_beside(), Some(&gtids("0-1-10")));
    assert_eq!(ended.position(), Some(&gtids("0-1-14")));
}

#[test]
fn an_old_master_whose_writes_could_not_be_taken_over_is_left_alone_and_named() {
    let mut hand = open_then_freeze();
    for _ in 0..6 {
        hand.until_run();
        hand.answer("wait until b:3306 has executed", Err(refused(STANDBY)));
    }
    hand.persist();
    hand.answer("let b:3306 forget its source", Ok(Observed::Nothing));
    hand.persist();
    // Not `let a replicate from b`.
    hand.answer("let c:3306 replicate from b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("end client sessions left on a:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    let ended = hand.engine.journal().history().last().unwrap();
    assert!(ended.diverged().is_some());
    let skipped = ended.steps.iter().filter(|it| matches!(it.status, StepStatus::Skipped(_)));
    assert_eq!(skipped.count(), 2, "taking over, and following");
}

#[test]
fn killed_after_the_new_one_was_opened_it_still_freezes_the_old_one_once_proxies_are_told() {
    let mut hand = Hand::cluster();
    ask(&mut hand, Some(node(STANDBY)), false);
    hand.persist();
    before_pivot(&mut hand);
    hand.answer("open b:3306 while it goes on", Ok(Observed::Position(gtids("0-1-10"))));
    hand.persist();
    let Hand { durable, now, .. } = hand;
    let mut hand = Hand::start(durable, now);
    hand.persist();
    for _ in 0..3 {
        hand.pass_time();
    }
    assert_eq!(hand.engine.snapshot().route, None, "nobody was looked at");
    let frozen = hand.pending.iter().any(|effect| matches!(effect, Effect::Run { .. }));
    assert!(!frozen, "the route to the new one was not published");
    hand.look(MASTER, Ok(probe(1, None, "0-1-14")));
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), "0-1-14")));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-14")));
    let route = hand.engine.snapshot().route.unwrap();
    assert_eq!(route.master.unwrap().node, node(STANDBY));
    hand.until_run();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-14"))));
}

#[test]
fn a_lock_on_the_old_master_is_waited_for_before_two_can_be_written() {
    let mut hand = Hand::cluster();
    ask(&mut hand, Some(node(STANDBY)), false);
    hand.persist();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.answer("wait for what a freeze of a:3306 would break", Err(refused(MASTER)));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::RolledBack));
    assert_eq!(hand.engine.journal().intent().master(), Some(&node(MASTER)));
}

#[test]
fn what_a_new_master_had_is_not_known_where_it_was_asked_to_open_twice() {
    let mut hand = Hand::cluster();
    ask(&mut hand, Some(node(STANDBY)), false);
    hand.persist();
    before_pivot(&mut hand);
    hand.answer("open b:3306 while it goes on", Err(refused(STANDBY)));
    hand.until_run();
    hand.answer("open b:3306 while it goes on", Ok(Observed::Position(gtids("0-1-14"))));
    hand.persist();
    hand.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-14"))));
    let running = hand.engine.snapshot().operations.pop().unwrap();
    assert_eq!(running.opened_beside(), None, "the first attempt may have opened it at 0-1-10");
}
