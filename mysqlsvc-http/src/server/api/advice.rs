//! `GET /clusters/{c}/advice`, `GET /clusters/{c}/nodes/{addr}/advice`.

use axum::{Json, extract::State};

use crate::{
    server::{
        ServerState,
        documents::advice_document,
        extract::{Names, node_id},
        problem::{Failure, Kind},
    },
    wire::{AdviceDocument, NodeAdviceDocument},
};

pub(super) async fn all(
    State(state): State<ServerState>,
    Names(name): Names<String>,
) -> Result<Json<AdviceDocument>, Failure> {
    let advice = state.cluster(&name)?.advice().await?;
    Ok(Json(AdviceDocument { cluster: name, nodes: advice.iter().map(advice_document).collect() }))
}

/// One server, judged with the others around it: it is compared with its master.
pub(super) async fn one(
    State(state): State<ServerState>,
    Names((name, node)): Names<(String, String)>,
) -> Result<Json<NodeAdviceDocument>, Failure> {
    let cluster = state.cluster(&name)?;
    let node = node_id("node", &node)?;
    let unknown = || {
        let detail = format!(
            "cluster `{name}` has no node {node}; GET /api/v1/clusters/{name} lists its nodes"
        );
        Failure::new(Kind::UnknownNode, detail).because("unknown-node")
    };
    if !cluster.snapshot().nodes.iter().any(|known| known.node == node) {
        return Err(unknown());
    }
    let advice = cluster.advice().await?;
    let of_node = advice.iter().find(|advice| advice.node == node).ok_or_else(unknown)?;
    Ok(Json(advice_document(of_node)))
}
