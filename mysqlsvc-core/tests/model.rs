//! The model cluster has the semantics that real servers were seen to have.

#![expect(clippy::expect_used, reason = "helpers of tests may fail the test")]

use futures_util::FutureExt;
use mysqlsvc_core::{
    ActionErrorKind, Flavor, IoThread, LookError, Millis, NodeId, OperationId, ReadOnly,
    ReplicationBackend, SqlThread, Tag,
    backend::{FollowManner, SemiSyncPart, SemiSyncStatus},
    testing::{
        Applier, CallKind, Cut, Disturbance, Event, Fault, FaultKind, Rights, When, World,
        WriteAnswer, Writer,
    },
};

const FLAVORS: [Flavor; 2] = [Flavor::MySql, Flavor::MariaDb];
const LIMIT: Millis = Millis(2_000);

/// The model's futures are ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a future of the model is ready at once")
}

fn tag() -> Tag {
    Tag::new(OperationId(1))
}

fn acknowledged(answer: WriteAnswer) -> bool {
    matches!(answer, WriteAnswer::Acknowledged(_))
}

fn strike(world: &World, kind: CallKind, node: &NodeId, what: FaultKind) {
    let when = When::Action { kind, node: node.clone(), after: 0 };
    world.plan_fault(Fault { when, what });
}

fn error<T>(result: Result<T, mysqlsvc_core::ActionError>) -> ActionErrorKind {
    result.err().expect("the call fails").kind
}

#[test]
fn data_moves_only_when_the_world_is_stepped() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 3);
        assert!(acknowledged(world.client_write(&world.node(1))));
        assert!(world.snapshot().servers[&world.node(2)].rows.is_empty());
        assert_eq!(world.receive(&world.node(2), usize::MAX), 1);
        assert_eq!(world.snapshot().servers[&world.node(2)].unapplied, 1);
        world.replicate();
        let servers = world.snapshot().servers;
        assert!(servers.values().all(|server| server.rows == servers[&world.node(1)].rows));
        assert_eq!(servers[&world.node(3)].rows.len(), 1);
        assert_eq!(world.client_write(&world.node(2)), WriteAnswer::Refused(1290));
    }
}

#[test]
fn an_open_transaction_does_not_survive_the_freeze() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let master = world.node(1);
        let session = world.connect(&master, "app", Rights::Ordinary).unwrap();
        world.begin(session);
        assert!(matches!(world.write(session), WriteAnswer::Pending(_)));
        now(world.close(&master, &tag())).unwrap();
        assert_eq!(world.commit(session), WriteAnswer::Refused(1290));
        assert!(world.snapshot().servers[&master].rows.is_empty());
    }
}

#[test]
fn a_lock_stops_the_freeze_and_nothing_is_changed() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let master = world.node(1);
        world.disturb(Disturbance::Lock(master.clone()));
        let begun = world.now();
        assert_eq!(error(now(world.freeze(&master, LIMIT, &[], &tag()))), ActionErrorKind::Refused);
        assert!(world.now().since(begun) >= LIMIT.into());
        assert!(acknowledged(world.client_write(&master)));
        world.disturb(Disturbance::Unlock(master.clone()));
        now(world.freeze(&master, LIMIT, &[], &tag())).unwrap();
    }
}

/// The SET of a MySQL freeze is its second statement.
const MYSQL_SET: usize = 1;

#[test]
fn mysql_carries_a_freeze_out_after_its_client_died() {
    let world = World::new(Flavor::MySql, 2);
    let master = world.node(1);
    world.disturb(Disturbance::Lock(master.clone()));
    strike(&world, CallKind::Freeze, &master, FaultKind::Late { statement: MYSQL_SET, calls: 1 });
    assert_eq!(error(now(world.freeze(&master, LIMIT, &[], &tag()))), ActionErrorKind::Unknown);
    // It reads as if frozen, and blocks writers, but is neither: KILL would revert it.
    assert_eq!(now(world.look(&master)).unwrap().read_only, ReadOnly::Super);
    assert_eq!(world.snapshot().servers[&master].read_only, ReadOnly::Off);
    assert_eq!(world.client_write(&master), WriteAnswer::Blocked);
    world.disturb(Disturbance::Unlock(master.clone()));
    assert_eq!(world.snapshot().servers[&master].read_only, ReadOnly::Super);
    assert_eq!(world.client_write(&master), WriteAnswer::Refused(1290));
}

#[test]
fn thawing_kills_the_freeze_that_still_waits() {
    let world = World::new(Flavor::MySql, 2);
    let master = world.node(1);
    world.disturb(Disturbance::Lock(master.clone()));
    strike(&world, CallKind::Freeze, &master, FaultKind::Late { statement: MYSQL_SET, calls: 1 });
    assert_eq!(error(now(world.freeze(&master, LIMIT, &[], &tag()))), ActionErrorKind::Unknown);
    now(world.thaw(&master, &tag())).unwrap();
    world.disturb(Disturbance::Unlock(master.clone()));
    assert_eq!(world.snapshot().servers[&master].read_only, ReadOnly::Off);
    assert!(acknowledged(world.client_write(&master)));
}

#[test]
fn mariadb_drops_a_freeze_that_waited_when_its_client_died() {
    let world = World::new(Flavor::MariaDb, 2);
    let master = world.node(1);
    world.disturb(Disturbance::Lock(master.clone()));
    strike(&world, CallKind::Freeze, &master, FaultKind::Late { statement: 2, calls: 1 });
    assert!(now(world.freeze(&master, LIMIT, &[], &tag())).is_err());
    world.disturb(Disturbance::Unlock(master.clone()));
    world.settle();
    assert!(acknowledged(world.client_write(&master)));
}

#[test]
fn a_mysql_freeze_survives_a_restart_and_a_mariadb_server_boots_by_its_option_file() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let master = world.node(1);
        now(world.freeze(&master, LIMIT, &[], &tag())).unwrap();
        now(world.thaw(&master, &tag())).unwrap();
        world.disturb(Disturbance::Crash(master.clone()));
        let seen = now(world.look(&master));
        assert!(matches!(seen, Err(LookError::Unreachable { .. })), "{seen:?}");
        world.disturb(Disturbance::Start(master.clone()));
        assert!(!now(world.look(&master)).unwrap().read_only.is_writable());
    }
}

#[test]
fn a_privileged_mariadb_session_writes_through_read_only_until_the_freeze_ends_it() {
    let world = World::new(Flavor::MariaDb, 2);
    let master = world.node(1);
    let admin = world.connect(&master, "admin", Rights::Everything).unwrap();
    now(world.close(&master, &tag())).unwrap();
    assert!(acknowledged(world.write(admin)));
    let position = now(world.freeze(&master, LIMIT, &[], &tag())).unwrap();
    assert_eq!(world.write(admin), WriteAnswer::Disconnected);
    assert_eq!(world.snapshot().servers[&master].executed, position);

    let world = World::new(Flavor::MySql, 2);
    let admin = world.connect(&world.node(1), "admin", Rights::Everything).unwrap();
    now(world.close(&world.node(1), &tag())).unwrap();
    assert_eq!(world.write(admin), WriteAnswer::Refused(1290));
}

#[test]
fn nothing_is_acknowledged_after_a_freeze_has_answered() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let master = world.node(1);
        world.add_writer(Writer::Direct { node: master.clone(), rights: Rights::Ordinary });
        let position = now(world.freeze(&master, LIMIT, &[], &tag())).unwrap();
        world.run_writers();
        let after = &world.snapshot().servers[&master];
        assert!(!after.rows.is_empty());
        assert_eq!(after.executed, position);
    }
}

#[test]
fn a_hung_server_carries_out_what_it_was_sent_when_it_goes_on() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        let io = |world: &World| now(world.look(&replica)).unwrap().replication.unwrap().io;
        // After the KILL of leftovers; the SET waits.
        strike(&world, CallKind::Close, &master, FaultKind::Hang { after: 1 });
        assert_eq!(error(now(world.close(&master, &tag()))), ActionErrorKind::Unknown);
        assert!(matches!(now(world.look(&master)), Err(LookError::Hung { .. })));
        assert_eq!(world.client_write(&master), WriteAnswer::NoAnswer);
        assert_eq!(io(&world), IoThread::Connecting);
        assert!(world.snapshot().servers[&master].read_only.is_writable());
        world.disturb(Disturbance::Resume(master.clone()));
        assert_eq!(world.client_write(&master), WriteAnswer::Refused(1290));
        assert_eq!(io(&world), IoThread::Running);
    }
}

#[test]
fn changing_the_source_erases_the_relay_log_and_says_whose_last_copy_it_was() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 3);
        let (master, winner, loser) = (world.node(1), world.node(3), world.node(2));
        world.client_write(&master);
        world.receive(&loser, usize::MAX);
        world.disturb(Disturbance::Applier(loser.clone(), Applier::Held));
        world.disturb(Disturbance::Crash(master.clone()));
        let refused =
            error(now(world.follow(&loser, &winner, FollowManner::Replica, None, &tag())));
        assert_eq!(refused, ActionErrorKind::Unsafe);
        assert_eq!(error(now(world.forget_source(&loser, &tag()))), ActionErrorKind::Unsafe);
        assert_eq!(world.snapshot().servers[&loser].unapplied, 1);
        // With the transaction elsewhere it may go.
        world.disturb(Disturbance::Start(master.clone()));
        world.replicate();
        world.disturb(Disturbance::Crash(master));
        now(world.open(&winner, &tag())).unwrap();
        now(world.follow(&loser, &winner, FollowManner::Replica, None, &tag())).unwrap();
        let erased: Vec<_> = world
            .history()
            .events
            .into_iter()
            .filter_map(|event| match event {
                Event::Erased(erasure) => Some(erasure),
                _ => None,
            })
            .collect();
        let by_statement: Vec<_> =
            erased.iter().filter(|erasure| erasure.statement.is_some()).collect();
        assert_eq!(by_statement.len(), 1, "{erased:?}");
        assert!(by_statement[0].transactions[0].held_by.contains(&winner));
    }
}

#[test]
fn starting_a_standing_mariadb_replica_erases_its_relay_log_and_mysql_keeps_it() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        world.client_write(&master);
        world.receive(&replica, usize::MAX);
        world.disturb(Disturbance::Crash(replica.clone()));
        world.disturb(Disturbance::Crash(master.clone()));
        world.disturb(Disturbance::Start(replica.clone()));
        let kept = world.snapshot().servers[&replica].unapplied;
        assert_eq!(kept, usize::from(flavor == Flavor::MySql));
    }
}

#[test]
fn a_replica_that_diverged_says_so_in_its_flavours_way() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 3);
        let (master, replica) = (world.node(1), world.node(2));
        world.client_write(&master);
        world.replicate();
        world.write_errant(&replica);
        world.client_write(&master);
        world.replicate();
        let seen = now(world.look(&replica)).unwrap();
        let replication = seen.replication.unwrap();
        match flavor {
            Flavor::MySql => assert_eq!(replication.sql, SqlThread::Running),
            Flavor::MariaDb => {
                assert_eq!(replication.sql, SqlThread::Stopped);
                assert_eq!(replication.sql_error.unwrap().errno, 1950);
            }
        }
        let master_has = now(world.look(&master)).unwrap().executed;
        assert!(!seen.executed.minus(&master_has).is_empty());
    }
}

#[test]
fn a_replica_that_needs_purged_transactions_stops_with_1236() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        world.client_write(&master);
        world.purge(&master);
        world.replicate();
        let replication = now(world.look(&replica)).unwrap().replication.unwrap();
        assert_eq!(replication.io, IoThread::Stopped);
        assert_eq!(replication.io_error.unwrap().errno, 1236);
        let purged = now(world.inspect(&master)).unwrap().purged.unwrap();
        assert!(!purged.is_empty());
    }
}

#[test]
fn waiting_for_a_position_moves_data_and_tells_when_it_will_not_come() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        for _ in 0..5 {
            world.client_write(&master);
        }
        let position = now(world.freeze(&master, LIMIT, &[], &tag())).unwrap();
        world.disturb(Disturbance::Applier(replica.clone(), Applier::Held));
        let behind = error(now(world.await_executed(&replica, &position, LIMIT)));
        assert_eq!(behind, ActionErrorKind::Behind);
        world.disturb(Disturbance::Applier(replica.clone(), Applier::Slow(1)));
        now(world.await_executed(&replica, &position, LIMIT)).unwrap();
        world.disturb(Disturbance::BreakApplier(replica.clone()));
        now(world.await_executed(&replica, &position, LIMIT)).unwrap();
    }
}

#[test]
fn the_cluster_turns_round_and_back_in_both_flavours_mutual_or_not() {
    for (flavor, mutual) in FLAVORS.into_iter().flat_map(|f| [(f, false), (f, true)]) {
        let world = World::builder(flavor).nodes(3).mutual(mutual).build();
        let (mut from, mut to) = (world.node(1), world.node(2));
        for _ in 0..4 {
            assert!(acknowledged(world.client_write(&from)));
            let position = now(world.freeze(&from, LIMIT, &[], &tag())).unwrap();
            now(world.await_executed(&to, &position, LIMIT)).unwrap();
            now(world.open(&to, &tag())).unwrap();
            assert!(acknowledged(world.client_write(&to)));
            now(world.follow(&from, &to, FollowManner::Replica, None, &tag())).unwrap();
            now(world.follow(&world.node(3), &to, FollowManner::Replica, None, &tag())).unwrap();
            if mutual {
                now(world.follow(&to, &from, FollowManner::Mutual, None, &tag())).unwrap();
            } else {
                now(world.forget_source(&to, &tag())).unwrap();
            }
            world.replicate();
            std::mem::swap(&mut from, &mut to);
        }
        let servers = world.snapshot().servers;
        for server in servers.values() {
            assert_eq!(server.rows.len(), 8, "{flavor} mutual {mutual}: {servers:#?}");
            assert_ne!(server.sql, Some(SqlThread::Stopped));
            assert_ne!(server.io, Some(IoThread::Stopped));
        }
    }
}

#[test]
fn each_fault_answers_what_its_effect_allows() {
    for flavor in FLAVORS {
        let clean = World::new(flavor, 2);
        now(clean.freeze(&clean.node(1), LIMIT, &[], &tag())).unwrap();
        let statements = clean.calls()[0].statements;
        assert!(statements >= 4);
        for fault in FaultKind::every(statements) {
            let world = World::new(flavor, 2);
            let master = world.node(1);
            strike(&world, CallKind::Freeze, &master, fault.clone());
            let answer = now(world.freeze(&master, LIMIT, &[], &tag()));
            if matches!(fault, FaultKind::Hang { after } if after == statements) {
                answer.unwrap();
                continue;
            }
            let kind = error(answer);
            let changed = !world.snapshot().servers[&master].read_only.is_writable();
            let died = matches!(fault, FaultKind::Crash { .. });
            let admits = kind == ActionErrorKind::Unknown;
            assert!(admits || !changed || died, "{fault:?}: {kind}, but it had an effect");
        }
    }
}

#[test]
fn cut_links_are_cut_for_those_they_join_only() {
    let world = World::new(Flavor::MySql, 2);
    let (master, replica) = (world.node(1), world.node(2));
    world.disturb(Disturbance::Cut(Cut::Monitor(master.clone())));
    assert_eq!(error(now(world.close(&master, &tag()))), ActionErrorKind::Unreachable);
    assert!(acknowledged(world.client_write(&master)));
    world.replicate();
    assert_eq!(world.snapshot().servers[&replica].rows.len(), 1);
    world.disturb(Disturbance::Mend(Cut::Monitor(master.clone())));
    world.disturb(Disturbance::Cut(Cut::between(&replica, &master)));
    let seen = now(world.look(&replica)).unwrap().replication.unwrap();
    assert_eq!((seen.io, seen.lag), (IoThread::Connecting, None));
    world.disturb(Disturbance::Cut(Cut::Clients(master.clone())));
    assert_eq!(world.client_write(&master), WriteAnswer::NoAnswer);
    world.disturb(Disturbance::RefuseLogin(replica.clone()));
    assert!(matches!(now(world.look(&replica)), Err(LookError::Refused { .. })));
}

#[test]
fn a_server_that_lost_power_has_lost_what_it_had_not_synced() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        for _ in 0..5 {
            world.client_write(&master);
        }
        world.replicate();
        world.disturb(Disturbance::LosePower(master.clone(), 2));
        world.disturb(Disturbance::Start(master.clone()));
        let servers = world.snapshot().servers;
        assert_eq!((servers[&master].rows.len(), servers[&replica].rows.len()), (3, 5));
        assert!(!servers[&master].read_only.is_writable());
        let rows = &servers[&replica].rows;
        assert_eq!(world.rows_missing(&master, rows).len(), 2);
        world.disturb(Disturbance::Rebuild { node: master.clone(), from: replica.clone() });
        assert!(world.rows_missing(&master, rows).is_empty());
    }
}

#[test]
fn a_replica_that_lost_power_receives_again_what_it_lost() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 2);
        let (master, replica) = (world.node(1), world.node(2));
        for _ in 0..5 {
            world.client_write(&master);
        }
        world.replicate();
        world.client_write(&master);
        world.receive(&replica, usize::MAX);
        world.disturb(Disturbance::LosePower(replica.clone(), 2));
        assert_eq!(world.snapshot().servers[&replica].unapplied, 0);
        world.disturb(Disturbance::Start(replica.clone()));
        world.replicate();
        let servers = world.snapshot().servers;
        assert_eq!(servers[&replica].rows, servers[&master].rows, "{flavor}");
        assert_eq!(servers[&replica].executed, servers[&master].executed);
    }
}

fn semi_sync_status(world: &World, node: &NodeId) -> SemiSyncStatus {
    let seen = now(world.look(node)).expect("it answers");
    seen.semi_sync.expect("it has semi-sync")
}

fn told(world: &World, node: &NodeId) -> usize {
    let events = world.history().events;
    events
        .iter()
        .filter(|it| matches!(it, Event::Acknowledged { node: by, .. } if by == node))
        .count()
}

/// Two are waited for and one acknowledges: the commit waits, and with it a freeze; once it has for
/// too long nobody waits any more, until there are two.
#[test]
fn a_commit_waits_for_as_many_replicas_as_it_was_told_to() {
    for flavor in FLAVORS {
        let world = World::new(flavor, 3);
        let [master, one, other] = [1, 2, 3].map(|number| world.node(number));
        now(world.set_semi_sync(&one, SemiSyncPart::Replica, &tag())).expect("it is told");
        let part = SemiSyncPart::Source { replicas: 2, timeout: Millis(10_000) };
        now(world.set_semi_sync(&master, part, &tag())).expect("it is told");
        let seen = semi_sync_status(&world, &master);
        assert!(seen.plays(part) && seen.waiting, "{seen:?}");
        assert_eq!(seen.replicas, 1);

        let client = world.connect(&master, "app", Rights::Ordinary).expect("it is up");
        assert!(matches!(world.write(client), WriteAnswer::Waiting(_)));
        assert_eq!(world.write(client), WriteAnswer::Blocked, "it has no answer yet");
        assert_eq!(told(&world, &master), 0);
        assert!(now(world.freeze(&master, LIMIT, &[], &tag())).is_err());

        world.pass(Millis(10_000));
        let seen = semi_sync_status(&world, &master);
        assert!(seen.is_degraded(), "{seen:?}");
        assert_eq!(told(&world, &master), 1);
        let in_vain = Event::CommitWaitedInVain { node: master.clone() };
        assert!(world.history().events.contains(&in_vain));

        now(world.set_semi_sync(&other, SemiSyncPart::Replica, &tag())).expect("it is told");
        let seen = semi_sync_status(&world, &master);
        assert_eq!((seen.waiting, seen.replicas), (true, 2));
        assert!(acknowledged(world.client_write(&master)));
        let rows = world.snapshot().servers[&master].rows.clone();
        assert!([one, other].iter().all(|node| world.rows_missing(node, &rows).is_empty()));
    }
}
