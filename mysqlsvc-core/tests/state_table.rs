//! The state table of DESIGN 4, row by row: what is registered and seen, and the word that follows.

#![allow(clippy::unwrap_used, reason = "a test that panics says so")]

use mysqlsvc_core::{
    Flavor, GtidSet, Identity, IoThread, LookError, Millis, NodeId, Probe, ReadOnly, ReadOnlySet,
    Replication, ReplicationError, Role, ServerVersion, SqlThread,
    intent::Member,
    state::{Expectation, classify},
};

const MASTER: &str = "m:3306";

fn gtids(text: &str) -> GtidSet {
    GtidSet::parse(Flavor::MariaDb, text).unwrap()
}

fn identity(server_id: u32) -> Identity {
    Identity { server_id, server_uuid: None }
}

fn member(role: Role, id: u32) -> Member {
    Member {
        role,
        identity: identity(id),
        executed: gtids("0-1-5"),
        paused: false,
        copy_due: false,
    }
}

fn replica() -> Probe {
    Probe {
        identity: identity(2),
        flavor: Flavor::MariaDb,
        version: ServerVersion::new(10, 11, 19),
        read_only: ReadOnly::On,
        read_only_set: ReadOnlySet::ByStatement,
        executed: gtids("0-1-9"),
        committing: GtidSet::empty(Flavor::MariaDb),
        place: None,
        quiet_from: None,
        replication: Some(Replication {
            source: MASTER.parse().unwrap(),
            source_identity: Some(identity(1)),
            io: IoThread::Running,
            sql: SqlThread::Running,
            io_error: None,
            sql_error: None,
            lag: Some(Millis(0)),
            delay: Millis(0),
            received: gtids("0-1-9"),
        }),
        semi_sync: None,
    }
}

fn master() -> Probe {
    Probe { identity: identity(1), read_only: ReadOnly::Off, replication: None, ..replica() }
}

fn replica_with(change: impl FnOnce(&mut Replication)) -> Probe {
    let mut probe = replica();
    change(probe.replication.as_mut().unwrap());
    probe
}

/// The state of a slave, or of the master, by what was seen; the master had `0-1-9` a while ago.
fn state(role: Role, seen: &Result<Probe, LookError>) -> String {
    let address: NodeId = MASTER.parse().unwrap();
    let master = member(Role::Master, 1);
    let this = member(role, if role == Role::Master { 1 } else { 2 });
    let expected = Expectation {
        member: Some(&this),
        had: None,
        master: Some((&address, &master)),
        master_had: Some(&gtids("0-1-9")),
        max_lag: Millis(5_000),
        moving: false,
    };
    classify(expected, seen).to_string()
}

fn slave(probe: Probe) -> String {
    state(Role::Slave, &Ok(probe))
}

fn error() -> ReplicationError {
    ReplicationError { errno: 1062, text: "Duplicate entry".to_owned() }
}

#[test]
fn a_node_without_a_role_is_unregistered_whatever_is_seen() {
    let expected = Expectation {
        member: None,
        had: None,
        master: None,
        master_had: None,
        max_lag: Millis(5_000),
        moving: false,
    };
    assert_eq!(classify(expected, &Ok(replica())).word(), "UNREGISTERED");
}

#[test]
fn failed_looks_are_told_apart() {
    let unreachable = LookError::Unreachable { detail: "refused".to_owned() };
    let hung = LookError::Hung { limit: Millis(1_000) };
    let login = LookError::Refused { detail: "1045".to_owned() };
    assert_eq!(state(Role::Slave, &Err(unreachable)), "ERROR (unreachable: refused)");
    assert_eq!(state(Role::Master, &Err(hung)), "ERROR (hung: no answer within 1 s)");
    assert_eq!(state(Role::Master, &Err(login)), "ERROR (login: 1045)");
}

#[test]
fn another_server_at_the_address_is_an_error_before_anything_else() {
    let other = Probe { identity: identity(7), ..replica() };
    assert!(slave(other).starts_with("ERROR (identity: another server"));
    let restored = Probe { executed: gtids("0-1-4"), ..replica() };
    assert!(slave(restored).contains("has lost transactions it had: 0-1-5"));
}

#[test]
fn a_master_is_ok_when_writable_and_paused_when_not() {
    assert_eq!(state(Role::Master, &Ok(master())), "OK");
    for read_only in [ReadOnly::On, ReadOnly::Super] {
        let closed = Probe { read_only, ..master() };
        let found = "PAUSED (found so; nobody paused it here)";
        assert_eq!(state(Role::Master, &Ok(closed.clone())), found);
        let booted = Probe { read_only_set: ReadOnlySet::AtBoot, ..closed };
        assert_eq!(state(Role::Master, &Ok(booted)), "PAUSED (read-only since it started)");
    }
}

#[test]
fn a_replica_that_has_everything_is_ok() {
    assert_eq!(slave(replica()), "OK");
}

#[test]
fn a_replica_of_nobody_is_detached_and_one_of_somebody_else_is_lost() {
    assert_eq!(slave(Probe { replication: None, ..replica() }), "DETACHED");
    let lost = replica_with(|replication| {
        replication.source = "x:3306".parse().unwrap();
        replication.source_identity = Some(identity(8));
    });
    assert_eq!(slave(lost), "LOST (replicates from x:3306, which is not the registered master)");
}

#[test]
fn a_replica_that_an_operation_moves_is_not_lost() {
    let moved = replica_with(|replication| replication.source = "x:3306".parse().unwrap());
    let address: NodeId = MASTER.parse().unwrap();
    let (this, master) = (member(Role::Slave, 2), member(Role::Master, 1));
    let expected = Expectation {
        member: Some(&this),
        had: None,
        master: Some((&address, &master)),
        master_had: None,
        max_lag: Millis(5_000),
        moving: true,
    };
    assert_eq!(classify(expected, &Ok(moved)).word(), "OK");
}

#[test]
fn a_writable_replica_is_an_error_even_when_it_replicates_well() {
    let writable = Probe { read_only: ReadOnly::Off, ..replica() };
    assert!(slave(writable).starts_with("ERROR (writable"));
}

#[test]
fn stopped_threads_are_an_error_unless_both_were_stopped_on_purpose() {
    let stop = |io, sql, io_error, sql_error| {
        slave(replica_with(|replication| {
            (replication.io, replication.sql) = (io, sql);
            (replication.io_error, replication.sql_error) = (io_error, sql_error);
        }))
    };
    let (stopped, running) = (IoThread::Stopped, IoThread::Running);
    let found = "PAUSED (found so; nobody paused it here)";
    assert_eq!(stop(stopped, SqlThread::Stopped, None, None), found);
    assert_eq!(
        stop(running, SqlThread::Stopped, None, Some(error())),
        "ERROR (replication broken: SQL thread: 1062 Duplicate entry)"
    );
    assert_eq!(
        stop(stopped, SqlThread::Stopped, Some(error()), None),
        "ERROR (replication broken: I/O thread: 1062 Duplicate entry)"
    );
    assert_eq!(
        stop(stopped, SqlThread::Running, None, None),
        "ERROR (replication broken: I/O thread stopped)"
    );
    assert_eq!(
        stop(running, SqlThread::Stopped, None, None),
        "ERROR (replication broken: SQL thread stopped)"
    );
}

#[test]
fn a_replica_that_cannot_reach_its_source_is_syncing_and_never_an_error() {
    let seen = replica_with(|replication| {
        replication.io = IoThread::Connecting;
        replication.lag = None;
        replication.io_error =
            Some(ReplicationError { errno: 2003, text: "cannot connect".to_owned() });
    });
    assert_eq!(slave(seen), "SYNCING (source unreachable: 2003 cannot connect)");
}

#[test]
fn behind_is_by_transactions_of_a_while_ago_or_by_lag() {
    let lacking = Probe { executed: gtids("0-1-8"), ..replica() };
    assert!(slave(lacking).starts_with("SYNCING (behind by 0 ms, missing 0-1-9"));
    let late = replica_with(|replication| replication.lag = Some(Millis(5_001)));
    assert_eq!(slave(late), "SYNCING (behind by 5001 ms)");
    let in_time = replica_with(|replication| replication.lag = Some(Millis(5_000)));
    assert_eq!(slave(in_time), "OK");
}
