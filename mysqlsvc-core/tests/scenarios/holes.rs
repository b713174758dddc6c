//! Where each of the managers that were surveyed breaks: the same blow, dealt to ours.

use mysqlsvc_core::{
    Action, ActionErrorKind, Flavor, Millis, Role, SemiSync, Settings,
    backend::Observed,
    engine::{Effect, Event, Reason, Request},
    journal::{Outcome, StepError},
    testing::{
        Applier, CallKind, Disturbance, Fault, FaultKind, History, Rights, When, WriteAnswer,
        Writer,
        invariants::{as_found, at_most_one_writable},
    },
};

use crate::{
    FLAVORS,
    orders::{acknowledged_after, first_call, first_statement},
    planted::{
        opened_before_frozen, opened_while_it_replicates, semi_sync_off_first, without_undo,
    },
    stage::{Setting, Stage},
    store::Failure,
};

/// orchestrator opens the new master first, and makes the old one read-only in a goroutine whose
/// result nobody reads. Ours is frozen, and read back, before the new one may be opened.
#[test]
fn hole_orchestrator_new_master_writable_before_old_is_read_only() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let opens =
            |effect: &Effect| matches!(effect, Effect::Run { action: Action::Open { .. }, .. });
        stage.ask_until(Request::switch(stage.node(2)), opens);
        // Nor does a monitor that starts again believe that it still is: here it is not.
        stage.disturb(Disturbance::OpenByHand(stage.node(1)));
        assert!(matches!(stage.world.client_write(&stage.node(1)), WriteAnswer::Acknowledged(_)));
        stage.restart_monitor();
        stage.some_time();
        assert_eq!(stage.outcome(), Some(Outcome::Succeeded));
        stage.world.settle();
        assert_eq!(at_most_one_writable(&stage.world.history()), Ok(()));
        assert_eq!(stage.is_whole(2), Ok(()));
        let mut planted = Setting::of(flavor).planner(opened_before_frozen).raise();
        planted.switch(2);
        assert!(at_most_one_writable(&planted.world.history()).is_err());
    }
}

/// orchestrator (percona/orchestrator#43): when the candidate does not catch up in time, the master
/// stays read-only. Applications write to ours again at once, without anybody's help.
#[test]
fn hole_orchestrator_catch_up_timeout_leaves_master_read_only() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        stage.candidate_stops_at_the_freeze();
        assert_eq!(stage.switch(2), Some(Outcome::RolledBack));
        let (history, node) = (stage.world.history().events.len(), stage.node(1));
        stage.world.run_writers();
        assert!(acknowledged_after(&stage.world.history(), history, &node) > 0);
        assert_eq!(stage.alarms(), [""; 0]);
        stage.must_hold();
    }
}

/// orchestrator throws relay logs away when it moves replicas. What ours loses with one is on the
/// new master, and comes again.
#[test]
fn hole_orchestrator_relay_logs_dropped() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        stage.disturb(Disturbance::Applier(stage.node(3), Applier::Held));
        stage.world.client_write(&stage.node(1));
        stage.world.receive(&stage.node(3), usize::MAX);
        assert!(stage.server(3).unapplied > 0);
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        stage.must_not_erase();
        stage.disturb(Disturbance::Applier(stage.node(3), Applier::Free));
        stage.must_be_whole(2);
    }
}

/// orchestrator (openark/orchestrator#1296): the leader dies once its recovery is registered, and
/// nothing else is let in for an hour. Ours is over when the monitor has started again.
#[test]
fn hole_orchestrator_dead_leader_blocks_the_next_operation() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let runs = |effect: &Effect| matches!(effect, Effect::Run { .. });
        stage.ask_until(Request::switch(stage.node(2)), runs);
        stage.restart_monitor();
        assert_eq!(stage.last().failure(), Some(&StepError::Interrupted));
        stage.look_at_all();
        assert_eq!(stage.switch(3), Some(Outcome::Succeeded));
        stage.must_be_whole(3);
    }
}

/// replication-manager ignores what `freeze()` returns. Ours ends there; a backend that lies about
/// it is what it would come to.
#[test]
fn hole_replication_manager_freeze_result_ignored() {
    for flavor in FLAVORS {
        for kind in [ActionErrorKind::Refused, ActionErrorKind::Unknown] {
            let mut stage = Stage::new(flavor);
            stage.at(CallKind::Freeze, 1, FaultKind::Fail(kind));
            assert_eq!(stage.switch(2), Some(Outcome::RolledBack));
            assert_eq!(stage.writable(), [1]);
            stage.must_hold();
        }
        let ignored = Setting::of(flavor).lie(|world, action, answer| match (action, answer) {
            (Action::Freeze { node, .. }, Err(_)) => {
                Ok(Observed::Position(world.snapshot().servers[node].executed.clone()))
            }
            (_, answer) => answer,
        });
        let mut stage = ignored.raise();
        stage.at(CallKind::Freeze, 1, FaultKind::Fail(ActionErrorKind::Refused));
        stage.switch(2);
        assert!(at_most_one_writable(&stage.world.history()).is_err(), "{flavor}");
    }
}

/// replication-manager ignores that a relay log could not be read to its end. Ours opens nobody
/// then; one that passes the error over loses rows.
#[test]
fn hole_replication_manager_relay_log_error_ignored() {
    let never_catches_up = |setting: Setting| {
        let mut stage = setting.raise();
        stage.candidate_stops_at_the_freeze();
        stage.switch(2);
        stage
    };
    for flavor in FLAVORS {
        let stage = never_catches_up(Setting::of(flavor));
        assert_eq!((stage.outcome(), stage.writable()), (Some(Outcome::RolledBack), vec![1]));
        stage.must_hold();
        let ignored = Setting::of(flavor).lie(|_, action, answer| match action {
            Action::AwaitExecuted { .. } => Ok(Observed::Nothing),
            _ => answer,
        });
        assert!(never_catches_up(ignored).check().is_err(), "{flavor}");
    }
}

/// replication-manager (signal18/replication-manager#788, #1076): sessions with SUPER write on the
/// old master during the switch. What ours acknowledged until its freeze is on the new one, and
/// nothing is acknowledged after it.
#[test]
fn hole_replication_manager_super_writes() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        let sessions: Vec<_> = (0..3)
            .map(|_| stage.world.connect(&node, "root", Rights::Everything).unwrap())
            .collect();
        for session in &sessions {
            stage.world.begin(*session);
            stage.world.write(*session);
        }
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        for session in sessions {
            assert_eq!(stage.world.commit(session), WriteAnswer::Disconnected);
        }
        stage.must_be_whole(2);
    }
}

/// replication-manager (signal18/replication-manager#1793): a record of yesterday makes a second
/// master. A monitor on an old copy of its store opens nobody, is told so by the proxies, and takes
/// the cluster up again only when it is asked to.
#[test]
fn hole_replication_manager_stale_record_makes_two_masters() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let backup = stage.store().stored();
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        let epoch = stage.engine.journal().intent().epoch;
        stage.live_on();

        stage.store().replace(backup);
        stage.restart_monitor();
        stage.tell(Event::Heard { epoch });
        stage.disturb(Disturbance::Crash(stage.node(1)));
        stage.disturb(Disturbance::Start(stage.node(1)));
        for _ in 0..3 {
            stage.look_at_all();
            stage.world.pass(Millis(2_000));
        }
        assert!(stage.alarms().contains(&"epoch-behind"), "{:?}", stage.alarms());
        assert_eq!(stage.writable(), [2], "{flavor}");
        assert_eq!(at_most_one_writable(&stage.world.history()), Ok(()));
        let resume = Request::Resume { node: stage.node(1) };
        assert_eq!(stage.refusal(resume), Reason::WritableElsewhere);

        stage.ask(Request::Adopt { dry_run: false }).unwrap();
        assert!(stage.engine.journal().intent().epoch > epoch);
        stage.live_on();
        assert_eq!(stage.routed(), Some(stage.node(2)));
        stage.world.settle();
        assert_eq!(stage.is_whole(2), Ok(()));
    }
}

/// Vitess (vitessio/vitess#21092): mending a replica whose source is gone erased relay logs with
/// acknowledged commits. Ours refuses, whatever it is asked to do with it.
#[test]
fn hole_vitess_fix_replica_purges_acknowledged_relay_logs() {
    for flavor in FLAVORS {
        for forgotten in [0, 2] {
            let mut stage = Stage::new(flavor);
            let (master, broken) = (stage.node(1), stage.node(3));
            stage.world.client_write(&master);
            stage.world.client_write(&master);
            stage.world.receive(&broken, usize::MAX);
            stage.disturb(Disturbance::BreakApplier(broken.clone()));
            // Its source is gone, or comes back without what it handed out.
            stage.disturb(Disturbance::LosePower(master.clone(), forgotten));
            if forgotten > 0 {
                stage.disturb(Disturbance::Start(master));
            }
            stage.look_at_all();
            for request in [
                Request::activate(broken.clone()),
                Request::Detach { node: broken.clone() },
                Request::Resume { node: broken.clone() },
            ] {
                let _ = stage.ask(request);
                stage.must_not_erase();
                assert!(stage.server(3).unapplied > 0, "{flavor}, {forgotten}");
            }
        }
    }
}

/// Vitess (vitessio/vitess#20674): one failed INSERT into its journal leaves two that claim to be
/// primary. Ours stops when the pivot could not be written, and whoever starts next reads which of
/// the two it is.
#[test]
fn hole_vitess_failed_journal_write_leaves_two_primaries() {
    for flavor in FLAVORS {
        for durable in [false, true] {
            let mut stage = Stage::new(flavor);
            stage.store().fail_at_the_pivot(Failure { durable });
            let _ = stage.ask(Request::switch(stage.node(2)));
            assert!(stage.has_halted());
            assert_eq!(stage.writable(), [0; 0]);
            stage.restart_monitor();
            stage.some_time();
            let master = if durable { 2 } else { 1 };
            assert_eq!(stage.writable(), [master]);
            stage.must_be_whole(master);
        }
    }
}

/// The new master's replication is stopped before it takes writes.
fn stops_before_it_opens(stage: &Stage) -> bool {
    let (history, node) = (stage.world.history(), stage.node(2));
    let frozen = first_call(&history, CallKind::Freeze, None).expect("it freezes");
    let stopped = first_statement(&history, frozen, &node, "STOP REPLICA");
    let opened = first_statement(&history, frozen, &node, "SET read_only=0");
    stopped.is_some() && stopped < opened
}

/// MySQL Shell unfences the new primary while its channel still runs, so that the old one can feed
/// it. Ours stops it first.
#[test]
fn hole_mysql_shell_opens_before_its_channel_is_stopped() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        assert!(stops_before_it_opens(&stage));
        let mut planted = Setting::of(flavor).planner(opened_while_it_replicates).raise();
        planted.switch(2);
        assert!(!stops_before_it_opens(&planted));
    }
}

/// MySQL Shell has no way back for a failure after super_read_only. Whichever call fails after our
/// freeze, somebody takes writes in the end.
#[test]
fn hole_mysql_shell_failure_after_read_only_is_not_undone() {
    for flavor in FLAVORS {
        let calls = {
            let mut stage = Stage::new(flavor);
            let before = stage.world.call_count();
            stage.switch(2);
            stage.world.call_count() - before
        };
        for call in 1..=calls {
            for kind in [ActionErrorKind::Refused, ActionErrorKind::Unknown] {
                let mut stage = Stage::new(flavor);
                let when = When::Call(stage.world.call_count() + call);
                stage.world.plan_fault(Fault { when, what: FaultKind::Fail(kind) });
                let _ = stage.ask(Request::switch(stage.node(2)));
                stage.some_time();
                let [master] = stage.writable()[..] else {
                    panic!("{flavor}, {call}, {kind}: {:?}", stage.writable())
                };
                stage.must_hold();
                assert_eq!(stage.routed(), Some(stage.node(master)));
            }
        }
        let held = |setting: Setting| {
            let mut stage = setting.raise();
            stage.candidate_stops_at_the_freeze();
            stage.switch(2);
            stage.writable()
        };
        assert_eq!(held(Setting::of(flavor)), [1]);
        assert_eq!(held(Setting::of(flavor).planner(without_undo)), [0; 0]);
    }
}

/// `MaxScale` fences nobody who does not come through it; neither do Stolon's proxies. Ours is a
/// fence at the server: those clients are ended, and cannot write where they come again.
#[test]
fn hole_maxscale_clients_outside_the_proxy() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.world.add_writer(Writer::Direct { node: node.clone(), rights: Rights::Ordinary });
        let session = stage.world.connect(&node, "app", Rights::Ordinary).unwrap();
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        let place = stage.world.history().events.len();
        assert!(!stage.world.is_connected(session));
        assert!(matches!(stage.world.client_write(&node), WriteAnswer::Refused(1290)));
        stage.some_time();
        assert_eq!(acknowledged_after(&stage.world.history(), place, &node), 0);
        stage.must_be_whole(2);
    }
}

/// The SET of the freeze waits behind a lock when its connection is lost, and the lock goes later.
fn freeze_that_outlives_its_client(setting: Setting) -> Stage {
    let mut stage = setting.raise();
    let lock = Disturbance::Lock(stage.node(1));
    stage.at(CallKind::Freeze, 1, FaultKind::Disturb(lock));
    stage.at(CallKind::Freeze, 1, FaultKind::Late { statement: 1, calls: 1_000 });
    stage.switch(2);
    stage.disturb(Disturbance::Unlock(stage.node(1)));
    stage.world.settle();
    stage
}

/// `MaxScale` (a comment in its code): the undo may race a SET read_only that still runs. Ours ends
/// what still waits before it opens the server again.
#[test]
fn hole_maxscale_undo_races_a_running_set_read_only() {
    for flavor in FLAVORS {
        let stage = freeze_that_outlives_its_client(Setting::of(flavor));
        assert_eq!((stage.outcome(), stage.writable()), (Some(Outcome::RolledBack), vec![1]));
        assert_eq!(stage.server(1).waiting, 0);
        stage.must_hold();
    }
    // Only MySQL keeps it; and there it would come true.
    let planted = freeze_that_outlives_its_client(Setting::of(Flavor::MySql).planner(without_undo));
    assert_eq!(planted.writable(), [0; 0]);
}

/// MHA: without a script of one's own, writes go on until the lock. What ours acknowledges is on
/// the new master; after the position is read, nothing is acknowledged by the old one.
#[test]
fn hole_mha_writes_continue_until_the_lock() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.world.add_writer(Writer::Direct { node: node.clone(), rights: Rights::Ordinary });
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        let history = stage.world.history();
        let begun = first_call(&history, CallKind::Freeze, Some(&node)).unwrap();
        let closed = match flavor {
            Flavor::MySql => "SET PERSIST super_read_only=1",
            Flavor::MariaDb => "FLUSH TABLES WITH READ LOCK",
        };
        let closed = first_statement(&history, begun, &node, closed).unwrap();
        assert_eq!(acknowledged_after(&history, closed, &node), 0);
        stage.must_be_whole(2);
    }
}

/// MHA has a single manager, as we have; while ours is away applications go on, and when it is back
/// it knows what it knew and publishes nothing older.
#[test]
fn hole_mha_single_manager_is_away() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        stage.switch(2);
        let before = stage.engine.snapshot().route.unwrap();
        let place = stage.world.history().events.len();
        for _ in 0..10 {
            stage.world.run_writers();
            stage.world.replicate();
        }
        assert_eq!(acknowledged_after(&stage.world.history(), place, &stage.node(2)), 10);
        stage.restart_monitor();
        stage.look_at_all();
        let after = stage.engine.snapshot().route.unwrap();
        assert!(after.epoch == before.epoch && after.version > before.version);
        stage.must_be_whole(2);
    }
}

/// MOCO (cybozu-go/moco#813): a stuck commit makes it go round in circles. Ours gives the freeze up
/// within its limits, and the same request works when the lock is gone.
#[test]
fn hole_moco_stuck_commit_loops() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        stage.disturb(Disturbance::Lock(stage.node(1)));
        let begun = stage.world.now();
        assert_eq!(stage.switch(2), Some(Outcome::RolledBack));
        let (took, limits) = (stage.world.now().since(begun), Settings::default());
        let most = Millis(limits.quiet_timeout.0 + limits.freeze_timeout.0 + 1_000);
        assert!(took <= most.into(), "{took:?}");
        assert!(!stage.engine.is_operating());
        stage.disturb(Disturbance::Unlock(stage.node(1)));
        stage.look_at_all();
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        stage.must_be_whole(2);
    }
}

/// MOCO: an old primary with transactions of its own has to be rebuilt by hand, once somebody has
/// found out why it does not join. Ours says which transactions, and takes it up again as a copy.
#[test]
fn hole_moco_errant_old_primary_is_named() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.at(CallKind::Follow, 1, FaultKind::Disturb(Disturbance::Crash(node.clone())));
        stage.switch(2);
        stage.disturb(Disturbance::Start(node.clone()));
        stage.world.write_errant(&node);
        stage.look_at_all();
        let refused = stage.ask(Request::activate(node.clone())).unwrap_err();
        assert_eq!(refused.reason, Reason::Errant, "{refused}");
        let own = stage.server(1).executed.minus(&stage.server(2).executed);
        assert!(refused.detail.contains(&own.to_string()), "{refused} does not name {own}");
        assert_eq!(stage.writable(), [2]);

        stage.disturb(Disturbance::Rebuild { node: node.clone(), from: stage.node(2) });
        stage.ask(Request::Unregister { node: node.clone() }).unwrap();
        stage.ask(Request::Register { node: node.clone(), role: Role::Standby }).unwrap();
        stage.look_at_all();
        assert_eq!(stage.operate(Request::activate(node)), Some(Outcome::Succeeded));
        stage.must_be_whole(2);
    }
}

/// Semi-sync on the old master is as it was when it is frozen. `since` is when the switch began.
fn waits_until_frozen(stage: &Stage, since: usize) -> bool {
    let (history, node) = (History { events: stage.world.events_since(since) }, stage.node(1));
    let frozen = first_call(&history, CallKind::Freeze, Some(&node));
    let changed = first_call(&history, CallKind::SetSemiSync, Some(&node));
    frozen.is_some() && changed.is_none_or(|changed| Some(changed) > frozen)
}

/// mysync turns semi-sync off before it freezes, so that stuck commits land unacknowledged by
/// anybody. Ours leaves it until the old master is a replica.
#[test]
fn hole_mysync_semi_sync_off_before_the_freeze() {
    let semi_sync = Some(SemiSync { wait_for: 1, timeout: Millis(10_000) });
    for flavor in FLAVORS {
        // Managed from the moment the cluster has its roles, so the master is given its part once.
        let mut stage = Stage::new(flavor);
        stage.manage(Settings { semi_sync, ..Settings::default() });
        let since = stage.world.history().events.len();
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        assert!(waits_until_frozen(&stage, since));
        stage.must_be_whole(2);
        let mut planted = Setting::of(flavor).planner(semi_sync_off_first).raise();
        planted.switch(2);
        assert!(!waits_until_frozen(&planted, 0));
    }
}

/// mysync, past its `switchover_timeout`, leaves the cluster read-only until somebody runs `mysync
/// abort`. Ours goes on undoing until the old master answers, and it is open when it does.
#[test]
fn hole_mysync_stays_read_only_past_the_timeout() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let before = stage.world.snapshot();
        stage.candidate_stops_at_the_freeze();
        let hang = Disturbance::Hang(stage.node(1));
        stage.at(CallKind::Thaw, 1, FaultKind::Disturb(hang));
        stage.ask(Request::switch(stage.node(2))).unwrap();
        assert!(stage.engine.is_operating());
        assert!(stage.alarms().contains(&"operation-stuck"));
        stage.world.pass(Millis(600_000));
        stage.disturb(Disturbance::Resume(stage.node(1)));
        stage.some_time();
        assert_eq!((stage.outcome(), stage.writable()), (Some(Outcome::RolledBack), vec![1]));
        stage.disturb(Disturbance::Applier(stage.node(2), Applier::Free));
        stage.world.settle();
        assert_eq!(as_found(&before, &stage.world.snapshot()), Ok(()));
    }
}

/// Patroni needs a watchdog, for a process that was frozen may wake up and go on. Our monitor that
/// slept past the hold takes the switch back: the proxies have been open again for long.
#[test]
fn hole_patroni_frozen_manager_wakes_up() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let asleep =
            |effect: &Effect| matches!(effect, Effect::Run { action: Action::Freeze { .. }, .. });
        let freeze = stage.ask_until(Request::switch(stage.node(2)), asleep);
        stage.world.pass(Settings::default().hold_timeout);
        stage.world.pass(Millis(1_000));
        stage.carry_out(freeze);
        stage.run();
        assert_eq!(stage.last().failure(), Some(&StepError::HoldExpired));
        assert_eq!((stage.outcome(), stage.writable()), (Some(Outcome::RolledBack), vec![1]));
        stage.must_be_whole(1);
    }
}

/// Stolon: clients that bypass its proxy write to whatever they reach. A replica of ours that
/// somebody opened is called so, serves nobody, and nothing is switched beside it.
#[test]
fn hole_stolon_clients_bypassing_the_proxy() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(3);
        assert!(matches!(stage.world.client_write(&node), WriteAnswer::Refused(1290)));
        stage.disturb(Disturbance::OpenByHand(node.clone()));
        stage.look_at_all();
        assert!(stage.state(3).contains("writable"), "{}", stage.state(3));
        let route = stage.engine.snapshot().route.unwrap();
        assert!(route.slaves.iter().all(|slave| slave.node != node));
        assert_eq!(stage.refusal(Request::switch(stage.node(2))), Reason::WritableElsewhere);
        assert_eq!(stage.refusal(Request::switch(node)), Reason::WrongState);
        // Nor is a master that restarts opened beside it.
        stage.disturb(Disturbance::Crash(stage.node(1)));
        stage.disturb(Disturbance::Start(stage.node(1)));
        stage.some_time();
        assert_eq!(stage.writable(), [3]);
    }
}
