//! One node.

use mysqlsvc_core::{
    Flavor, IoThread, Probe, ReadOnly, Replication, SqlThread,
    backend::SemiSyncStatus,
    engine::{Allowed, NodeSnapshot},
};

use super::{moment::rfc3339, words};
use crate::wire::{AllowedOperation, NodeDocument, SemiSyncDocument, SemiSyncSource};

/// The document of a node. What the last look did not see is `null`.
pub(crate) fn node_document(node: &NodeSnapshot) -> NodeDocument {
    let probe = node.look.as_ref().and_then(|look| look.seen.as_ref().ok());
    let replication = probe.and_then(|probe| probe.replication.as_ref());
    NodeDocument {
        addr: node.node.to_string(),
        name: None,
        role: words::role(node.role),
        state: words::state(&node.state),
        cause: node.state.cause(),
        flavor: probe.map(|probe| words::flavor(probe.flavor)),
        version: probe.map(|probe| probe.version.to_string()),
        server_id: probe.map(|probe| u64::from(probe.identity.server_id)),
        server_uuid: probe
            .and_then(|probe| probe.identity.server_uuid)
            .map(|uuid| uuid.to_string()),
        read_only: probe.map(|probe| !probe.read_only.is_writable()),
        super_read_only: probe.and_then(super_read_only),
        source: replication.map(|replication| replication.source.to_string()),
        io_running: replication.map(io_running),
        sql_running: replication.map(sql_running),
        lag_ms: lag_ms(node),
        delay_ms: replication.map(|replication| replication.delay.0),
        semi_sync: probe.and_then(|probe| probe.semi_sync.as_ref()).map(semi_sync),
        gtid_executed: probe.map(|probe| probe.executed.to_string()),
        binlog_end: probe.and_then(|probe| probe.place.as_ref()).map(ToString::to_string),
        missing: node.missing.as_ref().map(ToString::to_string),
        errant: node.errant.as_ref().map(ToString::to_string),
        allowed: node.allowed.iter().map(allowed).collect(),
        probed_at: node.look.as_ref().and_then(|look| rfc3339(look.ended.wall)),
        warnings: Vec::new(),
    }
}

/// How old the node's data is, as the server itself says.
pub(super) fn lag_ms(node: &NodeSnapshot) -> Option<u64> {
    let probe = node.look.as_ref()?.seen.as_ref().ok()?;
    Some(probe.replication.as_ref()?.lag?.0)
}

/// MariaDB has no such variable.
fn super_read_only(probe: &Probe) -> Option<bool> {
    match probe.flavor {
        Flavor::MySql => Some(probe.read_only == ReadOnly::Super),
        Flavor::MariaDb => None,
    }
}

/// In the words of SHOW REPLICA STATUS.
fn io_running(replication: &Replication) -> String {
    match replication.io {
        IoThread::Running => "Yes",
        IoThread::Connecting => "Connecting",
        IoThread::Stopped => "No",
    }
    .to_owned()
}

fn sql_running(replication: &Replication) -> String {
    match replication.sql {
        SqlThread::Running => "Yes",
        SqlThread::Stopped => "No",
    }
    .to_owned()
}

fn semi_sync(seen: &SemiSyncStatus) -> SemiSyncDocument {
    SemiSyncDocument {
        source: seen
            .source
            .map(|wait| SemiSyncSource { replicas: wait.replicas, timeout_ms: wait.timeout.0 }),
        replica: seen.replica,
        waiting: seen.waiting,
        replicas: seen.replicas,
    }
}

fn allowed(allowed: &Allowed) -> AllowedOperation {
    AllowedOperation {
        operation: allowed.operation.to_owned(),
        ok: allowed.refusal.is_none(),
        reason: allowed.refusal.as_ref().map(|refusal| refusal.detail.clone()),
    }
}
