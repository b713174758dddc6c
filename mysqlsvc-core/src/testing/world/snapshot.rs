//! A picture of all servers at one moment.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        server::{Power, Server},
        transaction::Row,
    },
    cluster::Cluster,
};
use crate::{GtidSet, IoThread, NodeId, ReadOnly, SqlThread, backend::EventName};

/// All servers at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// By address.
    pub servers: BTreeMap<NodeId, ServerSnapshot>,
}

/// One server at one moment, as it is, not as it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSnapshot {
    /// Whether it runs.
    pub power: Power,
    /// Whom it really lets write: a freeze that still waits has not changed it.
    pub read_only: ReadOnly,
    /// Its rows.
    pub rows: BTreeSet<Row>,
    /// What it has executed.
    pub executed: GtidSet,
    /// Whom it was told to follow.
    pub source: Option<NodeId>,
    /// Its receiving thread, if it has a source.
    pub io: Option<IoThread>,
    /// Its applying thread, if it has a source.
    pub sql: Option<SqlThread>,
    /// How many received transactions it has not applied.
    pub unapplied: usize,
    /// The rows of these.
    pub received: BTreeSet<Row>,
    /// How many statements of ours wait there, their clients gone.
    pub waiting: usize,
    /// The scheduled events that are enabled.
    pub events: BTreeSet<EventName>,
}

impl ServerSnapshot {
    fn of(server: &Server) -> Self {
        let replication = server.replication();
        Self {
            power: server.power,
            read_only: server.read_only,
            rows: server.rows(),
            executed: server.executed_set(),
            source: replication.as_ref().map(|replication| replication.source.clone()),
            io: replication.as_ref().map(|replication| replication.io),
            sql: replication.as_ref().map(|replication| replication.sql),
            unapplied: server.channel.as_ref().map_or(0, |channel| channel.relay.len()),
            received: server.channel.iter().flat_map(|it| &it.relay).map(|it| it.row).collect(),
            waiting: server.waiting.len(),
            events: server.events.clone(),
        }
    }
}

impl Snapshot {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let servers = cluster.servers.iter();
        Self { servers: servers.map(|(node, s)| (node.clone(), ServerSnapshot::of(s))).collect() }
    }
}
