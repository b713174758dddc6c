//! A whole cluster.

use mysqlsvc_core::{
    Phase,
    engine::{Alarm, Snapshot},
    journal::Progress,
};

use super::{execution::operation_document, node::node_document};
use crate::wire::{AlarmDocument, ClusterDocument, PhaseName};

/// The document of a cluster.
pub(crate) fn cluster_document(name: &str, snapshot: &Snapshot) -> ClusterDocument {
    let phase = match snapshot.route.as_ref().map(|route| route.phase) {
        Some(Phase::Hold(_)) => PhaseName::Hold,
        Some(Phase::Open) | None => PhaseName::Open,
    };
    let running = snapshot
        .operations
        .iter()
        .rfind(|execution| !matches!(execution.progress, Progress::Ended(_)));
    ClusterDocument {
        name: name.to_owned(),
        epoch: snapshot.epoch.0,
        phase,
        master: snapshot.master.as_ref().map(ToString::to_string),
        mutual: snapshot.mutual,
        maintenance: snapshot.maintenance,
        alarms: snapshot.alarms.iter().map(alarm).collect(),
        nodes: snapshot.nodes.iter().map(node_document).collect(),
        operation: running.map(|execution| operation_document(name, execution)),
        warnings: Vec::new(),
    }
}

fn alarm(alarm: &Alarm) -> AlarmDocument {
    AlarmDocument {
        id: alarm.id.to_string(),
        node: alarm.node.as_ref().map(ToString::to_string),
        text: alarm.text.clone(),
    }
}
