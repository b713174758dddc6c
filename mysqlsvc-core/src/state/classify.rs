//! The state table of DESIGN 4: the first match wins.

use super::{NodeState, Pause, ReplicationThread, Syncing, Trouble};
use crate::{
    GtidSet, IoThread, LookError, Millis, NodeId, Probe, ReadOnlySet, Replication,
    ReplicationError, Role, SqlThread, intent::Member,
};

/// What a node is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// What is stored of the node; none when it is not registered.
    pub member: Option<&'a Member>,
    /// What it was seen to have executed earlier, beyond what is stored.
    pub had: Option<&'a GtidSet>,
    /// The registered master's address, and who it is.
    pub master: Option<(&'a NodeId, &'a Member)>,
    /// What the master had executed at a look begun `max_lag` or longer before this one. A healthy
    /// replica is always a little behind a look of the same moment (server-facts 2).
    pub master_had: Option<&'a GtidSet>,
    /// A replica may be this far behind and still be OK.
    pub max_lag: Millis,
    /// Whether an operation is moving this node, so that following another source is no fault.
    pub moving: bool,
}

/// The state of a node by what was seen of it.
pub fn classify(expected: Expectation<'_>, seen: &Result<Probe, LookError>) -> NodeState {
    let Some(member) = expected.member else {
        return NodeState::Unregistered;
    };
    let probe = match seen {
        Ok(probe) => probe,
        Err(error) => return NodeState::Error(trouble_of(error)),
    };
    if let Some(trouble) = identity_trouble(member, expected.had, probe) {
        return NodeState::Error(trouble);
    }
    match member.role {
        Role::Master if probe.read_only.is_writable() => NodeState::Ok,
        Role::Master => NodeState::Paused(master_pause(member, probe)),
        Role::Standby | Role::Slave => replica_state(expected, member, probe),
        Role::Unregistered => NodeState::Unregistered,
    }
}

fn trouble_of(error: &LookError) -> Trouble {
    match error {
        LookError::Unreachable { detail } => Trouble::Unreachable { detail: detail.clone() },
        LookError::Hung { limit } => Trouble::Hung { limit: *limit },
        LookError::Refused { detail } => Trouble::Login { detail: detail.clone() },
        LookError::Unsupported { detail } => Trouble::Unsupported { detail: detail.clone() },
    }
}

fn identity_trouble(member: &Member, had: Option<&GtidSet>, probe: &Probe) -> Option<Trouble> {
    let same = match (member.identity.server_uuid, probe.identity.server_uuid) {
        (None, None) => member.identity.server_id == probe.identity.server_id,
        (expected, found) => expected == found,
    };
    if !same {
        return Some(Trouble::Identity { expected: member.identity, found: probe.identity });
    }
    if member.copy_due {
        return Some(Trouble::CopyDue);
    }
    let gone = had.map_or_else(|| member.executed.clone(), |had| had.union(&member.executed));
    let gone = gone.minus(&probe.executed);
    (!gone.is_empty()).then_some(Trouble::WentBack { gone })
}

fn master_pause(member: &Member, probe: &Probe) -> Pause {
    match probe.read_only_set {
        _ if member.paused => Pause::Intended,
        ReadOnlySet::AtBoot => Pause::Restarted,
        ReadOnlySet::ByStatement => Pause::Found,
    }
}

fn replica_state(expected: Expectation<'_>, member: &Member, probe: &Probe) -> NodeState {
    let Some(replication) = &probe.replication else {
        return NodeState::Detached;
    };
    if !expected.moving && !follows(replication, expected.master) {
        return NodeState::Lost { source: replication.source.clone() };
    }
    if probe.read_only.is_writable() {
        return NodeState::Error(Trouble::Writable);
    }
    let pause = if member.paused { Pause::Intended } else { Pause::Found };
    if let Some(state) = stopped(replication, pause) {
        return state;
    }
    if replication.io == IoThread::Connecting {
        let error = replication.io_error.clone();
        return NodeState::Syncing(Syncing::SourceUnreachable { error });
    }
    behind(expected, probe, replication).map_or(NodeState::Ok, NodeState::Syncing)
}

/// Whether the source is the master. By who it is where the server says so, for a server may be
/// reached by several addresses; by address otherwise.
fn follows(replication: &Replication, master: Option<(&NodeId, &Member)>) -> bool {
    let Some((address, member)) = master else {
        return false;
    };
    match replication.source_identity {
        Some(source) if source.server_uuid.is_some() => {
            source.server_uuid == member.identity.server_uuid
        }
        _ => replication.source == *address,
    }
}

fn stopped(replication: &Replication, pause: Pause) -> Option<NodeState> {
    let broken = |thread, error: &Option<ReplicationError>| {
        Some(NodeState::Error(Trouble::ReplicationBroken { thread, error: error.clone() }))
    };
    let io_stopped = replication.io == IoThread::Stopped;
    let sql_stopped = replication.sql == SqlThread::Stopped;
    match (sql_stopped, io_stopped) {
        (true, _) if replication.sql_error.is_some() => {
            broken(ReplicationThread::Sql, &replication.sql_error)
        }
        (_, true) if replication.io_error.is_some() => {
            broken(ReplicationThread::Io, &replication.io_error)
        }
        (true, true) => Some(NodeState::Paused(pause)),
        (true, false) => broken(ReplicationThread::Sql, &None),
        (false, true) => broken(ReplicationThread::Io, &None),
        (false, false) => None,
    }
}

fn behind(expected: Expectation<'_>, probe: &Probe, replication: &Replication) -> Option<Syncing> {
    let missing = expected
        .master_had
        .map_or_else(|| GtidSet::empty(probe.flavor), |had| had.minus(&probe.executed));
    let late = replication.lag.is_some_and(|lag| lag > expected.max_lag);
    (late || !missing.is_empty()).then_some(Syncing::Behind { lag: replication.lag, missing })
}
