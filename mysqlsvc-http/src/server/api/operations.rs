//! `GET /clusters/{c}/operations[/{id}]`.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mysqlsvc_core::{OperationId, engine::Request, journal::Execution};
use mysqlsvc_monitor::cluster::ClusterHandle;

use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::operation_document,
        extract::{Names, NoArguments},
        problem::{Failure, Kind},
        waiting,
    },
    wire::{OperationDocument, ProgressDocument},
};

/// Newest first.
pub(super) async fn all(
    State(state): State<ServerState>,
    Names(name): Names<String>,
) -> Result<Json<Vec<OperationDocument>>, Failure> {
    let cluster = state.cluster(&name)?;
    let snapshot = cluster.snapshot();
    let newest_first = snapshot.operations.iter().rev();
    let documents = newest_first.map(|execution| with_progress(cluster, &name, execution));
    Ok(Json(documents.collect()))
}

pub(super) async fn one(
    State(state): State<ServerState>,
    Names((name, id)): Names<(String, String)>,
) -> Result<Json<OperationDocument>, Failure> {
    find(&name, state.cluster(&name)?, &id).map(Json)
}

/// Gives up an operation that can neither go on nor be taken back.
pub(super) async fn abandon(
    State(state): State<ServerState>,
    connection: Connection,
    Names((name, id)): Names<(String, String)>,
    _: NoArguments,
) -> Result<Json<OperationDocument>, Failure> {
    let cluster = state.cluster(&name)?;
    find(&name, cluster, &id)?;
    let Ok(operation) = id.parse() else {
        return Err(Failure::malformed(format!("`{id}` is not the number of an operation")));
    };
    cluster.ask(connection.who(), Request::Abandon { operation }).await?;
    find(&name, cluster, &id).map(Json)
}

fn find(name: &str, cluster: &ClusterHandle, id: &str) -> Result<OperationDocument, Failure> {
    let snapshot = cluster.snapshot();
    let found = id.parse().ok().and_then(|id| waiting::operation(&snapshot, id));
    found.map(|execution| with_progress(cluster, name, execution)).ok_or_else(|| {
        let detail = format!(
            "cluster `{name}` has no operation `{id}` among its last ones; \
                 `mysqlsvc operations` lists them (GET /api/v1/clusters/{name}/operations)"
        );
        Failure::new(Kind::UnknownOperation, detail)
    })
}

/// The document, with how far the copy is that it is making.
fn with_progress(cluster: &ClusterHandle, name: &str, execution: &Execution) -> OperationDocument {
    let progress = execution.copying().and_then(|(node, _)| cluster.copy_progress(node));
    let progress = progress.map(|progress| ProgressDocument {
        phase: progress.phase.to_string(),
        done_bytes: progress.done_bytes,
        total_bytes: progress.total_bytes,
    });
    OperationDocument { progress, ..operation_document(name, execution) }
}

/// 202, and where the operation is to be found.
pub(super) fn accepted(cluster: &str, id: OperationId, body: impl IntoResponse) -> Response {
    let location = format!("/api/v1/clusters/{}/operations/{id}", escaped(cluster));
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response()
}

/// A name as one segment of a path (RFC 3986, 2.3).
fn escaped(segment: &str) -> String {
    use std::fmt::Write as _;

    segment.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            // Writing to a String does not fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_cannot_break_out_of_the_location() {
        assert_eq!(escaped("main-1"), "main-1");
        assert_eq!(escaped("a/b\r\nc"), "a%2Fb%0D%0Ac");
    }
}
