//! `GET /healthz`, `GET /readyz`, `GET /role`.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mysqlsvc_core::{NodeId, NodeState};
use mysqlsvc_monitor::cluster::ClusterHandle;
use serde::Deserialize;

use super::{ServerState, documents::role_word, extract::Arguments, problem::Failure, waiting};
use crate::wire::{HealthCheck, HealthDocument, HealthStatus};

/// Whether the process does its work: the actor of each cluster lives.
pub(super) async fn healthz(State(state): State<ServerState>) -> Response {
    let checks = state.clusters().map(alive).collect();
    answer(checks)
}

/// Whether it knows enough to be asked: each registered node was looked at.
pub(super) async fn readyz(State(state): State<ServerState>) -> Response {
    let checks = state.clusters().flat_map(|cluster| [alive(cluster), looked(cluster)]).collect();
    answer(checks)
}

fn alive(cluster: &ClusterHandle) -> HealthCheck {
    let ok = cluster.subscribe().has_changed().is_ok();
    HealthCheck {
        name: format!("cluster {} is kept", cluster.name()),
        ok,
        detail: if ok {
            String::new()
        } else {
            "its actor has ended; see the log, then start monitord again".to_owned()
        },
    }
}

fn looked(cluster: &ClusterHandle) -> HealthCheck {
    let snapshot = cluster.snapshot();
    let waiting: Vec<_> = snapshot
        .nodes
        .iter()
        .filter(|node| node.state == NodeState::Unknown)
        .map(|node| node.node.as_str())
        .collect();
    HealthCheck {
        name: format!("nodes of {} were looked at", cluster.name()),
        ok: waiting.is_empty(),
        detail: if waiting.is_empty() {
            String::new()
        } else {
            format!("not yet: {}", waiting.join(", "))
        },
    }
}

fn answer(checks: Vec<HealthCheck>) -> Response {
    let document = HealthDocument::of(env!("CARGO_PKG_VERSION"), checks);
    let status = match document.status {
        HealthStatus::Ok => StatusCode::OK,
        HealthStatus::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(document)).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct RoleQuery {
    host: String,
    port: u16,
}

/// Plain text, as the original service answers backup jobs.
pub(super) async fn role(
    State(state): State<ServerState>,
    Arguments(query): Arguments<RoleQuery>,
) -> Result<&'static str, Failure> {
    let node = NodeId::from_parts(&query.host, query.port)
        .map_err(|error| Failure::malformed(format!("`host` and `port`: {error}")))?;
    let role = state
        .clusters()
        .find_map(|cluster| waiting::node(&cluster.snapshot(), &node).map(|node| node.role));
    Ok(role.map_or("Unknown", role_word))
}
