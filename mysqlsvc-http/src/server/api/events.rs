//! `GET /clusters/{c}/events`: the cluster's document at each change, for pages and tools.

use axum::{extract::State, response::Response};

use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::cluster_document,
        extract::Names,
        problem::Failure,
        state::StreamKind,
        stream::{Feed, event_stream},
    },
    wire::{EVENT_INIT, EVENT_UPDATE},
};

/// `init` at once, `update` at each change; a slow reader gets the newest, not each.
pub(super) async fn follow(
    State(state): State<ServerState>,
    connection: Connection,
    Names(name): Names<String>,
) -> Result<Response, Failure> {
    let permit = state.stream_permit(StreamKind::Events)?;
    let snapshots = state.cluster(&name)?.subscribe();
    let mut event = EVENT_INIT;
    let feed = Feed::new(snapshots, connection.shutdown, move |snapshot| {
        let _held = &permit;
        let document = cluster_document(&name, snapshot);
        let data = serde_json::to_string(&document).ok()?;
        let name = std::mem::replace(&mut event, EVENT_UPDATE);
        Some(axum::response::sse::Event::default().event(name).data(data))
    });
    Ok(event_stream(feed))
}
