//! Clusters and their nodes, as `GET /api/v1/clusters` shows them.

use serde::{Deserialize, Serialize};

use super::{Flavor, NodeState, OperationDocument, PhaseName, Role};

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterDocument {
    /// Its configured name.
    pub name: String,
    /// Grows by one at each committed change of master.
    pub epoch: u64,
    /// What proxies are told.
    pub phase: PhaseName,
    /// Address of the registered master.
    #[serde(default)]
    pub master: Option<String>,
    /// Whether the master replicates from the standby too.
    #[serde(default)]
    pub mutual: bool,
    /// Whether automatic acts are suspended.
    #[serde(default)]
    pub maintenance: bool,
    /// What is wrong, or soon may be, and is not mended by the monitor.
    #[serde(default)]
    pub alarms: Vec<AlarmDocument>,
    /// Every node discovery or the roles name: master, standby, slaves, unregistered.
    #[serde(default)]
    pub nodes: Vec<NodeDocument>,
    /// The operation under way.
    #[serde(default)]
    pub operation: Option<OperationDocument>,
    /// What was seen that is no reason to refuse, but to know: with the answer to `adopt` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Something an operator should know without having asked. It is there for as long as it is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmDocument {
    /// Stable name of its kind, such as `master-read-only`.
    pub id: String,
    /// Address of the node it is about; `null` where it is the cluster.
    #[serde(default)]
    pub node: Option<String>,
    /// What was seen, and what to do.
    pub text: String,
}

/// One node, with what the last probe saw. What was not seen is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeDocument {
    /// `host:port`; names the node in paths and in `confirm`.
    pub addr: String,
    /// A name for people, where discovery gives one (`mysql-server-1:3306`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is registered as.
    pub role: Role,
    /// What was seen.
    pub state: NodeState,
    /// Why the state is what it is, in one line.
    #[serde(default)]
    pub cause: Option<String>,
    /// Server family.
    #[serde(default)]
    pub flavor: Option<Flavor>,
    /// `@@version`, as the server says it.
    #[serde(default)]
    pub version: Option<String>,
    /// `@@server_id`.
    #[serde(default)]
    pub server_id: Option<u64>,
    /// `@@server_uuid`; MySQL only.
    #[serde(default)]
    pub server_uuid: Option<String>,
    /// `@@read_only`.
    #[serde(default)]
    pub read_only: Option<bool>,
    /// `@@super_read_only`; MySQL only.
    #[serde(default)]
    pub super_read_only: Option<bool>,
    /// `host:port` it replicates from.
    #[serde(default)]
    pub source: Option<String>,
    /// I/O thread, in the server's word: `Yes`, `No`, `Connecting`.
    #[serde(default)]
    pub io_running: Option<String>,
    /// SQL thread, in the server's word: `Yes`, `No`.
    #[serde(default)]
    pub sql_running: Option<String>,
    /// Age of its data in milliseconds.
    #[serde(default)]
    pub lag_ms: Option<u64>,
    /// How far behind it is told to stay, in milliseconds (`SQL_Delay`); 0 for all but delayed
    /// replicas.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Semi-synchronous replication; `null` where the server does not have it.
    #[serde(default)]
    pub semi_sync: Option<SemiSyncDocument>,
    /// Everything it has executed, as a GTID set in the server's form; without GTIDs by places in
    /// binary logs, `UUID binlog.000003:157, …`, as are the sets below.
    #[serde(default)]
    pub gtid_executed: Option<String>,
    /// Where its own binary log ends, `FILE:OFFSET`: MySQL without GTIDs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog_end: Option<String>,
    /// GTIDs the master has and it lacks; empty for none.
    #[serde(default)]
    pub missing: Option<String>,
    /// GTIDs it has and the master lacks; empty for none. They block activate and switch.
    #[serde(default)]
    pub errant: Option<String>,
    /// What may be done to it now, and why the rest may not.
    #[serde(default)]
    pub allowed: Vec<AllowedOperation>,
    /// When the last probe ended: RFC 3339, UTC.
    #[serde(default)]
    pub probed_at: Option<String>,
    /// What preflight found that is no reason to refuse, but to know: with the answer to
    /// `register` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How a node takes part in semi-synchronous replication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemiSyncDocument {
    /// Whether it is told to wait for replicas before it acknowledges a commit, and how.
    #[serde(default)]
    pub source: Option<SemiSyncSource>,
    /// Whether it is told to tell its source what it received.
    #[serde(default)]
    pub replica: bool,
    /// Whether its commits wait for replicas at this moment. A source that does not has degraded to
    /// asynchronous replication.
    #[serde(default)]
    pub waiting: bool,
    /// How many replicas tell it what they received.
    #[serde(default)]
    pub replicas: u32,
}

/// How a source waits for its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemiSyncSource {
    /// For so many of them.
    pub replicas: u32,
    /// For so many milliseconds, then it goes on without them.
    pub timeout_ms: u64,
}

/// Whether one operation may be done to a node now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedOperation {
    /// `register-master`, `register-standby`, `register-slave`, `unregister`, `activate`, `detach`,
    /// `pause`, `resume`, `switch`, `emergency-switch`.
    pub operation: String,
    /// It would be accepted.
    pub ok: bool,
    /// Why not, in one line a DBA can act on; `null` when `ok`.
    #[serde(default)]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn every_field_of_the_contract_is_written_even_when_nothing_was_seen() {
        let bare = json!({"name": "main", "epoch": 7, "phase": "open", "nodes": [
            {"addr": "10.0.0.1:3306", "role": "master", "state": "ERROR",
             "allowed": [{"operation": "switch", "ok": true}]}]});
        let cluster: ClusterDocument = serde_json::from_value(bare).unwrap();
        let written = serde_json::to_value(&cluster).unwrap();
        for field in [
            "name",
            "epoch",
            "phase",
            "master",
            "mutual",
            "maintenance",
            "alarms",
            "nodes",
            "operation",
        ] {
            assert!(keys(&written).contains(&field), "{field}");
        }
        let node = &written["nodes"][0];
        for field in [
            "addr",
            "role",
            "state",
            "cause",
            "flavor",
            "version",
            "server_id",
            "server_uuid",
            "read_only",
            "super_read_only",
            "source",
            "io_running",
            "sql_running",
            "lag_ms",
            "delay_ms",
            "semi_sync",
            "gtid_executed",
            "missing",
            "errant",
            "allowed",
            "probed_at",
        ] {
            assert!(keys(node).contains(&field), "{field}");
        }
        assert_eq!(keys(&node["allowed"][0]), ["ok", "operation", "reason"]);
        assert_eq!(serde_json::from_value::<ClusterDocument>(written).unwrap(), cluster);
    }
}
