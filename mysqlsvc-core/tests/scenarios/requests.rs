//! What users ask other managers for, each by its number in the survey.

use std::cell::Cell;

use mysqlsvc_core::{
    Action, Flavor, Millis, SemiSync, Settings,
    engine::{Effect, MONITOR, Reason, Request},
    journal::Outcome,
    plan::{SwitchPlanner, plan_switch},
    testing::{
        Applier, CallKind, Cut, Disturbance, Event, Fault, FaultKind, History, Rights, When,
        WriteAnswer, Writer, invariants::as_found,
    },
};

use crate::{
    FLAVORS,
    orders::{first_call, first_hold, first_statement},
    planted::{
        hold_after_freeze, opened_before_caught_up, own_position_not_taken_over,
        siblings_moved_first, waiting_for_everybody, without_undo,
    },
    stage::{Setting, Stage},
};

/// The candidate stops applying just as the old master is frozen.
fn takeover_that_fails(setting: Setting) -> (Stage, Option<Outcome>) {
    let mut stage = setting.raise();
    stage.candidate_stops_at_the_freeze();
    let outcome = stage.switch(2);
    (stage, outcome)
}

/// percona/orchestrator#43: a takeover that timed out left the old master read-only. We take every
/// step back, in reverse, before the operation is over.
#[test]
fn request_01_a_takeover_that_failed_leaves_everything_as_it_was_found() {
    for flavor in FLAVORS {
        let before = Stage::new(flavor).world.snapshot();
        let (stage, outcome) = takeover_that_fails(Setting::of(flavor));
        assert_eq!(outcome, Some(Outcome::RolledBack));
        assert_eq!(as_found(&before, &stage.world.snapshot()), Ok(()));
        stage.must_hold();
        let (without, _) = takeover_that_fails(Setting::of(flavor).planner(without_undo));
        assert!(as_found(&before, &without.world.snapshot()).is_err(), "{flavor}");
    }
}

/// The old master's replicas leave it only once the new one is open.
fn siblings_stay_until_it_is_open(stage: &Stage) -> bool {
    let history = stage.world.history();
    let opened = first_call(&history, CallKind::Open, Some(&stage.node(2)));
    let follows = first_call(&history, CallKind::Follow, None);
    opened < follows && opened.is_some()
}

const WAIT_FOR: u32 = 3;

/// A cluster whose semi-sync is managed, everybody playing its part.
fn managed(setting: Setting) -> Stage {
    let semi_sync = Some(SemiSync { wait_for: WAIT_FOR, timeout: Millis(10_000) });
    let mut stage = setting.settings(Settings { semi_sync, ..Settings::default() }).raise();
    for _ in 0..6 {
        stage.live_on();
    }
    assert_eq!(stage.alarms(), Vec::<&str>::new());
    stage
}

/// For how many replicas this server is told to wait, and that it is before it is opened.
fn waits_when_opened(stage: &Stage, since: usize, node: u8, replicas: u32) -> bool {
    let (history, node) = (History { events: stage.world.events_since(since) }, stage.node(node));
    let words = format!("SET semi-sync: source, waits for {replicas} ");
    let told = first_statement(&history, 0, &node, &words);
    let mut opened =
        [CallKind::Open, CallKind::Thaw].map(|kind| first_call(&history, kind, Some(&node)));
    opened.sort();
    told.is_some() && opened[1].is_some_and(|opened| told < Some(opened))
}

fn waited_in_vain(stage: &Stage, since: usize) -> bool {
    let events = stage.world.events_since(since);
    events.iter().any(|event| matches!(event, Event::CommitWaitedInVain { .. }))
}

/// percona/orchestrator#100, #75 and openark/orchestrator#1508: siblings were moved below the
/// candidate first, so nobody was left to acknowledge commits and the freeze hung. We move them
/// after the new master is open, and it never waits for more replicas than there
/// are; MariaDB waits for one, whatever is asked.
#[test]
fn request_02_nobody_who_acknowledges_leaves_before_the_pivot() {
    for flavor in FLAVORS {
        let mut stage = managed(Setting::of(flavor));
        let since = stage.world.history().events.len();
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        assert!(siblings_stay_until_it_is_open(&stage));
        let number = if flavor == Flavor::MySql { WAIT_FOR } else { 1 };
        assert!(waits_when_opened(&stage, since, 2, number), "from its first commit on");
        stage.must_be_whole(2);
        stage.some_time();
        assert!(!waited_in_vain(&stage, since));
        if flavor == Flavor::MySql {
            assert_eq!(stage.ask(Request::Unregister { node: stage.node(4) }).map(drop), Ok(()));
            stage.some_time();
            assert!(stage.last().plan.steps[0].to_string().contains("waits for 2"), "one is gone");
        }

        let mut moved = Setting::of(flavor).planner(siblings_moved_first).raise();
        moved.switch(2);
        assert!(!siblings_stay_until_it_is_open(&moved));
    }
}

/// Switches during maintenance while one replica is paused and another one is dead; then some time
/// goes by.
fn switch_without_two(planner: SwitchPlanner) -> (Stage, usize) {
    let mut stage = managed(Setting::of(Flavor::MySql).planner(planner));
    stage.ask(Request::Maintenance { on: true }).unwrap();
    let paused = stage.node(3);
    assert_eq!(stage.operate(Request::Pause { node: paused }), Some(Outcome::Succeeded));
    stage.disturb(Disturbance::Crash(stage.node(4)));
    // The old master gives up waiting for it; until then a commit that waits forbids the freeze.
    stage.some_time();
    stage.some_time();
    let since = stage.world.history().events.len();
    assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
    for _ in 0..3 {
        stage.some_time();
    }
    stage.must_hold();
    (stage, since)
}

/// A switch never leaves the new master waiting for replicas that are gone, whoever looks after it
/// afterwards.
#[test]
fn request_02_nobody_waits_for_replicas_that_are_gone() {
    let (stage, since) = switch_without_two(plan_switch);
    assert!(waits_when_opened(&stage, since, 2, 1));
    assert!(!waited_in_vain(&stage, since));
    let (stage, since) = switch_without_two(waiting_for_everybody);
    assert!(waited_in_vain(&stage, since));
}

/// A server forgets its part when it restarts: it is given back before anybody can write.
#[test]
fn request_02_a_master_that_restarted_waits_before_it_is_opened() {
    for flavor in FLAVORS {
        let mut stage = managed(Setting::of(flavor));
        let since = stage.world.history().events.len();
        stage.disturb(Disturbance::Crash(stage.node(1)));
        stage.live_on();
        stage.disturb(Disturbance::Start(stage.node(1)));
        stage.some_time();
        let number = if flavor == Flavor::MySql { WAIT_FOR } else { 1 };
        assert!(waits_when_opened(&stage, since, 1, number));
        assert!(!waited_in_vain(&stage, since));
        stage.must_be_whole(1);
    }
}

/// openark/orchestrator#1127: the takeover went on although read-only could not be had. We end
/// there, and touch nobody else.
#[test]
fn request_03_nothing_follows_a_freeze_that_could_not_be_had() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let before = stage.world.snapshot();
        let lock = Disturbance::Lock(stage.node(1));
        stage.at(CallKind::Freeze, 1, FaultKind::Disturb(lock));
        assert_eq!(stage.switch(2), Some(Outcome::RolledBack));
        assert_eq!(first_call(&stage.world.history(), CallKind::Open, None), None);
        assert_eq!(as_found(&before, &stage.world.snapshot()), Ok(()));
        assert_eq!(stage.routed(), Some(stage.node(1)));
        stage.must_hold();
    }
}

/// A switch while applications write past the proxy, and one has a transaction open.
fn switched_under_writers(setting: Setting) -> (Stage, WriteAnswer) {
    let mut stage = setting.raise();
    let node = stage.node(1);
    stage.world.add_writer(Writer::Direct { node: node.clone(), rights: Rights::Ordinary });
    let session = stage.world.connect(&node, "app", Rights::Ordinary).unwrap();
    stage.world.begin(session);
    stage.world.write(session);
    stage.switch(2);
    let committed = stage.world.commit(session);
    (stage, committed)
}

/// openark/orchestrator#854: 2 to 7 transactions more on the old master than on the new one. We
/// read its position after the last write that can be acknowledged, and open the new one at that.
#[test]
fn request_04_no_transaction_stays_behind_on_the_old_master() {
    for flavor in FLAVORS {
        let (mut stage, open_transaction) = switched_under_writers(Setting::of(flavor));
        assert_eq!(open_transaction, WriteAnswer::Disconnected);
        stage.must_be_whole(2);
        let planted = Setting::of(flavor).planner(opened_before_caught_up);
        assert!(switched_under_writers(planted).0.check().is_err(), "{flavor}");
    }
}

/// openark/orchestrator#1457: its own detector saw the master read-only in the middle of a takeover
/// and began a recovery. Ours keeps still during an operation, and knows why a master is closed.
#[test]
fn request_05_what_an_operation_does_sets_off_no_other() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        // As if it had restarted read-only by itself, which is what the monitor acts on.
        let frozen = Cell::new(false);
        let next = |effect: &Effect| match effect {
            Effect::Run { action: Action::AwaitExecuted { .. }, .. } => frozen.get(),
            Effect::Run { action: Action::Freeze { .. }, .. } => {
                frozen.set(true);
                false
            }
            _ => false,
        };
        let catch_up = stage.ask_until(Request::switch(stage.node(2)), next);
        stage.disturb(Disturbance::Crash(node.clone()));
        stage.disturb(Disturbance::Start(node));
        for number in 1..=4 {
            stage.look(stage.node(number));
        }
        assert!(stage.state(1).contains("read-only since it started"), "{}", stage.state(1));
        stage.carry_out(catch_up);
        stage.run();
        stage.must_be_whole(2);
        let asked = |who: &str| stage.engine.journal().history().filter(|it| it.who == who).count();
        assert_eq!((asked("dba"), asked(MONITOR)), (1, 0));

        // The detector is not simply off.
        stage.disturb(Disturbance::Crash(stage.node(2)));
        stage.disturb(Disturbance::Start(stage.node(2)));
        stage.some_time();
        assert_eq!(stage.last().who, MONITOR);
        stage.must_be_whole(2);
    }
}

/// openark/orchestrator#1296: a leader that died after it had registered a recovery blocked the
/// next one. Wherever our monitor dies, its next start ends the operation, and lets another in.
#[test]
fn request_06_a_monitor_that_dies_anywhere_blocks_nothing() {
    for flavor in FLAVORS {
        let mut ends = Vec::new();
        for effects in 0.. {
            let mut stage = Stage::new(flavor);
            if !stage.dies_after(Request::switch(stage.node(2)), effects) {
                break;
            }
            stage.some_time();
            assert!(!stage.engine.is_operating(), "{flavor}, {effects}");
            let master = stage.writable();
            let [master] = master[..] else { panic!("{flavor}, {effects}: {master:?}") };
            ends.push(master);
            assert_eq!(stage.switch(3), Some(Outcome::Succeeded), "{flavor}, {effects}");
            stage.must_be_whole(3);
        }
        assert!(ends.contains(&1) && ends.contains(&2), "{ends:?}");
    }
}

/// openark/orchestrator#482, #1275: an old master that comes back takes writes. Ours comes back
/// read-only, is not the master of this epoch, and stays as it is.
#[test]
fn request_07_an_old_master_that_comes_back_takes_no_writes() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.at(CallKind::Open, 2, FaultKind::Disturb(Disturbance::Crash(node.clone())));
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        stage.look_at_all();
        assert!(stage.state(1).starts_with("ERROR (unreachable"), "{}", stage.state(1));
        stage.disturb(Disturbance::Start(node.clone()));
        stage.some_time();
        assert_eq!(stage.writable(), [2]);
        assert!(matches!(stage.world.client_write(&node), WriteAnswer::Refused(1290)));
        assert_eq!(stage.routed(), Some(stage.node(2)));
        assert_eq!(stage.last().who, "dba");
        stage.must_hold();
    }
}

/// openark/orchestrator#1260, #1363: MariaDB erases a relay log when both threads were stopped and
/// one is started. No statement of ours does that to the last copy of a transaction.
#[test]
fn request_08_the_relay_log_of_a_dead_master_is_kept() {
    let requests = |stage: &Stage| {
        let node = stage.node(3);
        [
            Request::Pause { node: node.clone() },
            Request::Resume { node: node.clone() },
            Request::Detach { node: node.clone() },
            Request::activate(node),
        ]
    };
    for flavor in FLAVORS {
        for which in 0..4 {
            let mut stage = Stage::new(flavor);
            stage.disturb(Disturbance::Applier(stage.node(3), Applier::Held));
            let WriteAnswer::Acknowledged(row) = stage.world.client_write(&stage.node(1)) else {
                panic!("the master takes writes")
            };
            assert!(stage.world.receive(&stage.node(3), usize::MAX) > 0);
            stage.disturb(Disturbance::Crash(stage.node(1)));
            stage.look_at_all();
            // Refused, or taken back: either is right.
            let _ = stage.ask(requests(&stage)[which].clone());
            stage.run();
            assert!(stage.server(3).unapplied > 0, "{flavor}, {which}");
            stage.must_not_erase();
            stage.disturb(Disturbance::Applier(stage.node(3), Applier::Free));
            stage.disturb(Disturbance::StartApplier(stage.node(3)));
            stage.world.settle();
            assert!(stage.server(3).rows.contains(&row), "{flavor}, {which}");
        }
    }
}

/// The hold goes out before the freeze does.
fn holds_before_it_freezes(stage: &Stage) -> bool {
    let history = stage.world.history();
    let frozen = first_call(&history, CallKind::Freeze, Some(&stage.node(1)));
    first_hold(&history).is_some_and(|held| Some(held) < frozen)
}

/// openark/orchestrator#428: a hook before read-only, so that the proxy can pause. Our proxies are
/// asked to hold, and have said so, before the old master is frozen.
#[test]
fn request_10_proxies_hold_before_the_master_is_read_only() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        assert!(holds_before_it_freezes(&stage));
        let mut late = Setting::of(flavor).planner(hold_after_freeze).raise();
        late.switch(2);
        assert!(!holds_before_it_freezes(&late));
    }
}

/// openark/orchestrator#1293: have the old master rejoin. It follows the new one as part of the
/// switch; one that could not be reached then is named, and joins by `activate`.
#[test]
fn request_11_an_old_master_rejoins() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.at(CallKind::Follow, 1, FaultKind::Disturb(Disturbance::Crash(node.clone())));
        assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
        assert!(stage.is_whole(2).is_err(), "it was left behind");
        stage.some_time();
        stage.disturb(Disturbance::Start(node.clone()));
        stage.some_time();
        assert_eq!(stage.operate(Request::activate(node)), Some(Outcome::Succeeded));
        stage.must_be_whole(2);
        assert_eq!(stage.switch(1), Some(Outcome::Succeeded));
        stage.must_be_whole(1);
    }
}

/// signal18/replication-manager#1793: in a rolling restart, the crash record of the restarted slave
/// was carried out after the switch had made it the master: a ring of two writable masters. Our
/// intent is one fold, and nothing is done about a server but by its role of today.
#[test]
fn request_12_a_rolling_restart_makes_no_ring() {
    for flavor in FLAVORS {
        for mutual in [false, true] {
            let mut stage = Setting::of(flavor).mutual(mutual).raise();
            for number in [2, 3, 4] {
                restart(&mut stage, number);
            }
            assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
            // What the monitor knew in memory is gone, and what it wrote down is read again.
            stage.restart_monitor();
            restart(&mut stage, 1);
            restart(&mut stage, 2);
            assert_eq!(stage.writable(), [2]);
            assert_eq!(stage.server(2).source, mutual.then(|| stage.node(1)));
            stage.must_be_whole(2);
        }
    }
}

fn restart(stage: &mut Stage, number: u8) {
    let node = stage.node(number);
    stage.disturb(Disturbance::Crash(node.clone()));
    stage.some_time();
    stage.disturb(Disturbance::Start(node));
    stage.some_time();
}

/// signal18/replication-manager#1076: use super_read_only. We do on MySQL; MariaDB has nothing like
/// it, so its freeze is believed only when the position stands still and no such session is left.
#[test]
fn request_13_accounts_that_write_through_read_only_lose_nothing() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.world.add_writer(Writer::Direct { node: node.clone(), rights: Rights::Everything });
        let outcome = stage.switch(2);
        stage.must_hold();
        match flavor {
            Flavor::MySql => assert_eq!(outcome, Some(Outcome::Succeeded)),
            // It comes again as often as it is ended: the switch is taken back.
            Flavor::MariaDb => {
                assert_eq!(outcome, Some(Outcome::RolledBack));
                stage.world.stop_writers();
                assert_eq!(stage.switch(2), Some(Outcome::Succeeded));
            }
        }
        stage.world.stop_writers();
        stage.must_be_whole(2);
        let session = stage.world.connect(&node, "root", Rights::Everything).unwrap();
        let refused = matches!(stage.world.write(session), WriteAnswer::Refused(1290));
        assert_eq!(refused, flavor == Flavor::MySql);
    }
}

/// signal18/replication-manager#258: replication was broken after a switch on a busy server. Each
/// demoted master goes on from what it really has, however much is written meanwhile.
#[test]
fn request_15_replication_is_whole_after_busy_switches() {
    for flavor in FLAVORS {
        for mutual in [false, true] {
            let mut stage = Setting::of(flavor).mutual(mutual).raise();
            for number in [1, 2] {
                let node = stage.node(number);
                stage.world.add_writer(Writer::Direct { node, rights: Rights::Ordinary });
            }
            for to in [2, 3, 1, 2] {
                assert_eq!(stage.switch(to), Some(Outcome::Succeeded), "{flavor}, {mutual}, {to}");
                stage.some_time();
                stage.must_be_whole(to);
            }
        }
    }
}

/// cybozu-go/moco#813: a switch that could not go on was begun again for ever, and nobody was told.
/// Ours says so by an alarm, finishes when it can, and can be given up.
#[test]
fn request_17_an_operation_that_is_stuck_is_shown_and_can_be_given_up() {
    for flavor in FLAVORS {
        for abandoned in [false, true] {
            let mut stage = Stage::new(flavor);
            let node = stage.node(2);
            stage.at(CallKind::Open, 2, FaultKind::Disturb(Disturbance::Crash(node.clone())));
            let asked = stage.ask(Request::switch(node.clone()));
            assert!(asked.is_ok() && stage.engine.is_operating());
            assert_eq!(stage.alarms(), ["operation-stuck"]);
            assert_eq!(stage.refusal(Request::switch(stage.node(3))), Reason::Busy);
            assert_eq!(stage.writable(), [0; 0], "nobody opens the old master on a guess");
            if abandoned {
                let operation = stage.engine.journal().running().unwrap().operation;
                stage.ask(Request::Abandon { operation }).unwrap();
                assert!(!stage.engine.is_operating());
            }
            stage.disturb(Disturbance::Start(node.clone()));
            stage.some_time();
            if abandoned {
                // What was given up is not done behind the operator's back.
                let alarms = vec!["master-read-only", "master-replicates"];
                assert_eq!((stage.alarms(), stage.writable()), (alarms, vec![]));
                let resume = Request::Resume { node: node.clone() };
                assert_eq!(stage.refusal(resume), Reason::WrongState, "it still replicates");
                let detach = Request::Detach { node: node.clone() };
                assert_eq!(stage.operate(detach), Some(Outcome::Succeeded));
                stage.some_time();
                assert_eq!(stage.operate(Request::Resume { node }), Some(Outcome::Succeeded));
                stage.some_time();
            }
            assert_eq!((stage.alarms(), stage.writable()), (vec![], vec![2]));
            stage.must_hold();
        }
    }
}

/// cybozu-go/moco#419: after a blip of the network a healthy replica was called errant, for it was
/// held against an older look at the primary; #370: right after a switch no second one was possible,
/// for `Retrieved_Gtid_Set` is empty then. We compare with a later look at the master, and judge by
/// what was executed.
#[test]
fn request_18_a_blip_makes_nothing_errant_and_a_second_switch_is_possible() {
    for flavor in FLAVORS {
        let mut stage = Stage::new(flavor);
        let node = stage.node(1);
        stage.look_slowly(node.clone(), |stage| {
            stage.world.client_write(&node);
            stage.world.replicate();
            for number in 2..=4 {
                stage.look(stage.node(number));
            }
        });
        let errant = |stage: &Stage| {
            let nodes = stage.engine.snapshot().nodes;
            nodes.iter().filter_map(|it| it.errant.clone()).any(|errant| !errant.is_empty())
        };
        assert!(!errant(&stage));
        stage.look_at_all();
        for to in [2, 1, 3] {
            assert_eq!(stage.switch(to), Some(Outcome::Succeeded), "{flavor}, {to}");
            assert!(!errant(&stage));
            // Only a look: nothing was written or replicated since.
            stage.look_at_all();
        }
        stage.must_be_whole(3);
        // What is errant is still called so.
        stage.world.write_errant(&stage.node(4));
        stage.look_at_all();
        stage.look_at_all();
        assert!(errant(&stage));
    }
}

/// yandex/mysync#188, #199: where the record of a transition was missing, the old master was left
/// writable, and a network that came and went made two masters. Whichever link is gone at whichever
/// step, ours has at most one, and ends whole.
#[test]
fn request_19_a_network_that_comes_and_goes_makes_no_second_master() {
    for flavor in FLAVORS {
        for number in 1..=3 {
            for call in 1..40 {
                let mut stage = Stage::new(flavor);
                let first = stage.world.call_count();
                let cut = Cut::Monitor(stage.node(number));
                let gone = FaultKind::Disturb(Disturbance::Cut(cut.clone()));
                let back = FaultKind::Disturb(Disturbance::Mend(cut.clone()));
                for (after, what) in [(0, gone), (4, back)] {
                    let when = When::Call(first + call + after);
                    stage.world.plan_fault(Fault { when, what });
                }
                // It may be refused, taken back or done.
                let _ = stage.ask(Request::switch(stage.node(2)));
                stage.world.forget_faults();
                stage.disturb(Disturbance::Mend(cut));
                stage.some_time();
                assert!(!stage.engine.is_operating(), "{flavor}, {number}, {call}");
                let [master] = stage.writable()[..] else {
                    panic!("{flavor}, {number}, {call}: {:?}", stage.writable())
                };
                stage.must_hold();
                assert_eq!(stage.routed(), Some(stage.node(master)));
            }
        }
    }
}

/// mariadb-operator/mariadb-operator#1821, #1616 (`MaxScale`'s mariadbmon): a demoted master went on
/// from a stale `gtid_slave_pos`, and its receiving thread stopped for good with 1236. We have it
/// take over its own position, and see both threads run.
#[test]
fn request_20_a_demoted_master_goes_on_from_where_it_really_is() {
    for flavor in FLAVORS {
        for mutual in [false, true] {
            let mut stage = Setting::of(flavor).mutual(mutual).raise();
            for to in [2, 1, 2, 1] {
                forget_the_binary_log(&stage, to);
                assert_eq!(stage.switch(to), Some(Outcome::Succeeded), "{flavor}, {mutual}, {to}");
                restart(&mut stage, 3 - to);
                stage.must_be_whole(to);
            }
        }
    }
    let mut stale = Setting::of(Flavor::MariaDb).planner(own_position_not_taken_over).raise();
    forget_the_binary_log(&stale, 2);
    stale.switch(2);
    stale.some_time();
    stale.world.settle();
    assert!(stale.is_whole(2).is_err());
}

/// What everybody has is purged there: nobody can go on from an old position.
fn forget_the_binary_log(stage: &Stage, number: u8) {
    stage.world.settle();
    stage.world.purge(&stage.node(number));
}
