//! The calls of `/api/v1` (CONTRACTS 3).

mod adopt;
mod advice;
mod clone;
mod clusters;
mod events;
mod nodes;
mod operations;
mod switch;

use axum::{
    Router,
    routing::{get, post},
};

use super::ServerState;

/// Everything below `/api/v1`.
pub(super) fn routes() -> Router<ServerState> {
    Router::new()
        .route("/clusters", get(clusters::all))
        .route("/clusters/{cluster}", get(clusters::one))
        .route("/clusters/{cluster}/advice", get(advice::all))
        .route("/clusters/{cluster}/nodes/{node}/advice", get(advice::one))
        .route("/clusters/{cluster}/events", get(events::follow))
        .route("/clusters/{cluster}/nodes/{node}", get(nodes::one))
        .route("/clusters/{cluster}/nodes/{node}/register", post(nodes::register))
        .route("/clusters/{cluster}/nodes/{node}/unregister", post(nodes::unregister))
        .route("/clusters/{cluster}/nodes/{node}/activate", post(nodes::activate))
        .route("/clusters/{cluster}/nodes/{node}/detach", post(nodes::detach))
        .route("/clusters/{cluster}/nodes/{node}/pause", post(nodes::pause))
        .route("/clusters/{cluster}/nodes/{node}/resume", post(nodes::resume))
        .route("/clusters/{cluster}/nodes/{node}/clone", post(clone::clone))
        .route("/clusters/{cluster}/adopt", post(adopt::adopt))
        .route("/clusters/{cluster}/maintenance", post(clusters::maintenance))
        .route("/clusters/{cluster}/switch", post(switch::switch))
        .route("/clusters/{cluster}/operations", get(operations::all))
        .route("/clusters/{cluster}/operations/{id}", get(operations::one))
        .route("/clusters/{cluster}/operations/{id}/abandon", post(operations::abandon))
}
