//! MySQL servers without GTIDs (`gtid_mode=OFF`): everybody stops at one known place, and who is not
//! known to stand there exactly is refused.

use mysqlsvc_core::{
    ActionErrorKind, Flavor, Role,
    engine::{Answer, Reason, Request},
    gtid::Coordinate,
    journal::Outcome,
    plan::Strategy,
    testing::{Applier, CallKind, Disturbance, Fault, FaultKind, When},
};

use crate::stage::{Setting, Stage};

fn stage() -> Stage {
    Setting::of(Flavor::MySql).by_position().raise()
}

fn place(stage: &Stage, node: u8) -> Coordinate {
    let snapshot = stage.engine.snapshot();
    let seen = snapshot.nodes.into_iter().find(|seen| seen.node == stage.node(node)).unwrap();
    seen.look.unwrap().seen.unwrap().place.unwrap()
}

/// The place in the log of `source` that a node has executed it up to.
fn executed(stage: &Stage, node: u8, source: u8) -> Coordinate {
    let snapshot = stage.engine.snapshot();
    let seen = snapshot.nodes.into_iter().find(|seen| seen.node == stage.node(node)).unwrap();
    let probe = seen.look.unwrap().seen.unwrap();
    probe.executed.positions().unwrap().entry(uuid::Uuid::from_u128(source.into())).unwrap()
}

fn activate(stage: &Stage, node: u8, at: Option<Coordinate>) -> Request {
    Request::Activate { node: stage.node(node), at }
}

fn succeeds(stage: &mut Stage, request: Request) {
    assert_eq!(stage.operate(request), Some(Outcome::Succeeded));
    assert!(!stage.last().has_skipped(), "{:#?}", stage.last().steps);
}

fn activates(stage: &mut Stage, node: u8, at: Option<Coordinate>) {
    let request = activate(stage, node, at);
    succeeds(stage, request);
}

#[test]
fn a_switch_there_and_back_and_on_leaves_nobody_behind() {
    let mut stage = stage();
    for to in [2, 1, 3, 4, 2, 1] {
        let to_node = stage.node(to);
        succeeds(&mut stage, Request::switch(to_node));
        stage.must_be_whole(to);
        stage.world.run_writers();
        stage.live_on();
    }
}

#[test]
fn a_detached_node_goes_on_where_it_was_through_switches() {
    let mut stage = stage();
    let node = stage.node(3);
    succeeds(&mut stage, Request::Detach { node });
    stage.live_on();
    assert!(stage.state(3).starts_with("DETACHED"), "{}", stage.state(3));
    stage.world.run_writers();
    stage.live_on();
    activates(&mut stage, 3, None);
    stage.must_be_whole(1);
}

#[test]
fn a_node_detached_while_everybody_stood_still_follows_the_next_master() {
    let mut stage = stage();
    stage.world.stop_writers();
    stage.live_on();
    let node = stage.node(3);
    succeeds(&mut stage, Request::Detach { node });
    stage.live_on();
    assert_eq!(stage.refusal(Request::switch(stage.node(2))), Reason::WrongState);
    let node = stage.node(3);
    activates(&mut stage, 3, None);
    succeeds(&mut stage, Request::Pause { node });
    stage.live_on();
    let to = stage.node(2);
    succeeds(&mut stage, Request::switch(to));
    stage.world.client_write(&stage.node(2));
    stage.live_on();
    let node = stage.node(3);
    succeeds(&mut stage, Request::Resume { node });
    stage.must_be_whole(2);
}

#[test]
fn who_lags_behind_a_switch_has_no_place_in_the_new_log() {
    let mut stage = stage();
    let node = stage.node(3);
    succeeds(&mut stage, Request::Pause { node: node.clone() });
    stage.world.run_writers();
    stage.live_on();
    let to = stage.node(2);
    let dry = Request::Switch {
        to: to.clone(),
        strategy: Strategy::Reliability,
        confirm: None,
        dry_run: true,
    };
    let Answer::Planned { warnings, .. } = stage.ask(dry).unwrap() else { panic!("no plan") };
    assert!(warnings.iter().any(|it| it.id == "left-behind"), "{warnings:?}");
    succeeds(&mut stage, Request::switch(to));
    stage.live_on();
    assert_eq!(stage.refusal(Request::Resume { node }), Reason::NoPosition);
}

#[test]
fn a_replica_that_cannot_come_to_the_place_takes_the_switch_back() {
    let mut stage = stage();
    let held = Disturbance::Applier(stage.node(4), Applier::Held);
    stage.at(CallKind::Freeze, 1, FaultKind::Disturb(held));
    assert_eq!(stage.switch(2), Some(Outcome::RolledBack));
    let free = Disturbance::Applier(stage.node(4), Applier::Free);
    stage.disturb(free);
    stage.must_be_whole(1);
    let to = stage.node(2);
    succeeds(&mut stage, Request::switch(to));
    stage.must_be_whole(2);
}

#[test]
fn a_detached_node_that_restarted_is_taken_up_at_a_given_place() {
    let mut stage = stage();
    let node = stage.node(3);
    succeeds(&mut stage, Request::Detach { node: node.clone() });
    stage.live_on();
    let at = executed(&stage, 3, 1);
    stage.disturb(Disturbance::Crash(node.clone()));
    stage.disturb(Disturbance::Start(node.clone()));
    stage.world.run_writers();
    stage.live_on();
    let refused = stage.ask(activate(&stage, 3, None)).unwrap_err();
    assert_eq!(refused.reason, Reason::Errant, "{refused}");
    assert!(refused.detail.contains("--at FILE:OFFSET"), "{refused}");
    activates(&mut stage, 3, Some(at));
    stage.must_be_whole(1);
}

#[test]
fn a_given_place_must_be_in_the_masters_log() {
    let mut stage = stage();
    let node = stage.node(3);
    let end = place(&stage, 1);
    assert_eq!(stage.refusal(activate(&stage, 3, Some(end.clone()))), Reason::WrongState);
    succeeds(&mut stage, Request::Detach { node: node.clone() });
    stage.live_on();
    let beyond = Coordinate { offset: end.offset + 1_000, ..end.clone() };
    assert_eq!(stage.refusal(activate(&stage, 3, Some(beyond))), Reason::BeyondSource);
    let other: Coordinate = "elsewhere.000001:4".parse().unwrap();
    assert_eq!(stage.refusal(activate(&stage, 3, Some(other))), Reason::BeyondSource);
    stage.world.run_writers();
    stage.world.purge(&stage.node(1));
    assert_eq!(stage.refusal(activate(&stage, 3, Some(end))), Reason::Purged);
    assert_eq!(stage.refusal(activate(&stage, 3, None)), Reason::Purged);
}

#[test]
fn with_gtids_no_place_is_given() {
    let mut stage = Stage::new(Flavor::MySql);
    let node = stage.node(3);
    succeeds(&mut stage, Request::Detach { node });
    stage.live_on();
    let at = "binlog.000001:4".parse().ok();
    assert_eq!(stage.refusal(activate(&stage, 3, at)), Reason::NotApplicable);
}

#[test]
fn what_needs_gtids_is_not_offered() {
    let mut stage = stage();
    let to = stage.node(2);
    let confirm = Some(to.clone());
    let availability = Request::Switch {
        to: to.clone(),
        strategy: Strategy::Availability,
        confirm: confirm.clone(),
        dry_run: false,
    };
    assert_eq!(stage.refusal(availability), Reason::NotApplicable);
    assert_eq!(stage.refusal(activate(&stage, 1, None)), Reason::NotApplicable);
    let clone = Request::Clone { node: to, donor: None, confirm, dry_run: false };
    assert_eq!(stage.refusal(clone), Reason::NotApplicable);
}

#[test]
fn a_switch_needs_every_replica_that_is_not_paused() {
    let mut stage = stage();
    stage.disturb(Disturbance::StopApplier(stage.node(4)));
    stage.live_on();
    assert_eq!(stage.refusal(Request::switch(stage.node(2))), Reason::WrongState);
    stage.disturb(Disturbance::StartApplier(stage.node(4)));
    stage.live_on();
    let to = stage.node(2);
    succeeds(&mut stage, Request::switch(to));
}

#[test]
fn an_old_master_that_was_written_since_is_not_taken_up() {
    let mut stage = stage();
    let node = stage.node(1);
    stage.at(CallKind::Follow, 1, FaultKind::Disturb(Disturbance::Crash(node.clone())));
    stage.switch(2);
    stage.disturb(Disturbance::Start(node.clone()));
    stage.world.write_errant(&node);
    stage.look_at_all();
    assert_eq!(stage.refusal(activate(&stage, 1, None)), Reason::Errant);
    assert_eq!(stage.writable(), [2]);
    stage.must_hold();
}

#[test]
fn an_old_master_that_restarted_is_left_behind_and_taken_up_at_the_place_of_the_switch() {
    let mut stage = stage();
    let node = stage.node(1);
    // It is asked where it stands; it restarts before that.
    let node_restarts = FaultKind::Crash { after: 0, restarts: true };
    stage.at(CallKind::Open, 2, FaultKind::Disturb(Disturbance::Crash(node.clone())));
    stage.at(CallKind::AwaitExecuted, 1, node_restarts);
    stage.disturb(Disturbance::Start(node.clone()));
    assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
    assert!(stage.last().has_skipped(), "it could not be asked, or stood elsewhere");
    stage.disturb(Disturbance::Start(node.clone()));
    stage.live_on();
    let waypoints = &stage.engine.journal().intent().waypoints;
    let at = waypoints.iter().find(|it| it.server.as_u128() == 2).unwrap().at.clone();
    assert_eq!(stage.refusal(activate(&stage, 1, None)), Reason::Errant);
    activates(&mut stage, 1, Some(at));
    stage.must_be_whole(2);
}

#[test]
fn a_cluster_is_wholly_by_position_or_wholly_by_gtid() {
    for (by_position, strange) in [(true, false), (false, true)] {
        let setting = Setting::of(Flavor::MySql);
        let setting = if by_position { setting.by_position() } else { setting };
        let mut stage = setting.raise();
        let node = stage.node(4);
        stage.ask(Request::Unregister { node: node.clone() }).unwrap();
        stage.world.set_by_position(&node, strange);
        stage.live_on();
        let role = Role::Slave;
        assert_eq!(stage.refusal(Request::Register { node, role }), Reason::Incompatible);
    }
}

/// What is known of places is in the journal.
#[test]
fn the_monitor_may_restart_at_any_time() {
    let mut stage = stage();
    let to = stage.node(2);
    succeeds(&mut stage, Request::switch(to));
    stage.live_on();
    let node = stage.node(4);
    succeeds(&mut stage, Request::Detach { node });
    stage.restart_monitor();
    stage.world.run_writers();
    stage.live_on();
    activates(&mut stage, 4, None);
    stage.must_be_whole(2);
}

/// It would be held to that source's log, and not to its own.
#[test]
fn a_master_that_has_not_forgotten_its_source_is_detached_first() {
    let mut stage = stage();
    for after in 0..6 {
        let when = When::Action { kind: CallKind::ForgetSource, node: stage.node(2), after };
        let what = FaultKind::Fail(ActionErrorKind::Refused);
        stage.world.plan_fault(Fault { when, what });
    }
    assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
    assert!(stage.last().has_skipped());
    stage.live_on();
    assert_eq!(stage.refusal(Request::switch(stage.node(1))), Reason::WrongState);
    let node = stage.node(2);
    succeeds(&mut stage, Request::Detach { node });
    stage.live_on();
    let to = stage.node(1);
    succeeds(&mut stage, Request::switch(to));
    stage.must_be_whole(1);
}
