//! `GET /clusters`, `GET /clusters/{c}`, `POST /clusters/{c}/maintenance`.

use axum::{Json, extract::State};
use mysqlsvc_core::engine::Request;
use mysqlsvc_monitor::cluster::ClusterHandle;

use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::cluster_document,
        extract::{Json as Body, Names},
        problem::Failure,
        waiting::Watched,
    },
    wire::{ClusterDocument, MaintenanceRequest},
};

pub(super) async fn all(State(state): State<ServerState>) -> Json<Vec<ClusterDocument>> {
    let clusters = state.clusters();
    Json(clusters.map(document).collect())
}

pub(super) async fn one(
    State(state): State<ServerState>,
    Names(name): Names<String>,
) -> Result<Json<ClusterDocument>, Failure> {
    Ok(Json(document(state.cluster(&name)?)))
}

/// Suspends what the monitor does on its own account, or lets it do so again.
pub(super) async fn maintenance(
    State(state): State<ServerState>,
    connection: Connection,
    Names(name): Names<String>,
    Body(MaintenanceRequest { on }): Body<MaintenanceRequest>,
) -> Result<Json<ClusterDocument>, Failure> {
    let cluster = state.cluster(&name)?;
    let mut watched = Watched::new(cluster.subscribe(), connection.shutdown.clone());
    cluster.ask(connection.who(), Request::Maintenance { on }).await?;
    let snapshot = watched.until_visible(|now| now.maintenance == on).await;
    Ok(Json(cluster_document(&name, &snapshot)))
}

fn document(cluster: &ClusterHandle) -> ClusterDocument {
    cluster_document(cluster.name().as_str(), &cluster.snapshot())
}
