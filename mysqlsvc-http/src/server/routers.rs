//! The two services, by what each address offers.

use axum::{
    Router,
    http::Uri,
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::{get, post},
};

use super::{
    ServerState, api, health, origin,
    problem::{Failure, Kind},
    servers,
};

/// What the `http` address serves: `/api/v1`, `/healthz`, `/readyz`, `/role`.
///
/// Without a login only requests that name a loopback address or a host of the state's are served,
/// and none that another site's page sends.
pub fn api_router(state: ServerState) -> Router {
    Router::new()
        .merge(service_routes())
        .nest("/api/v1", api::routes().merge(service_routes()))
        .fallback(no_such_path)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), origin::only_our_own))
        .with_state(state)
}

/// What the `sse` address serves: `/servers` and `/proxies/{id}/ack`, and `/healthz`.
pub fn sse_router(state: ServerState) -> Router {
    Router::new()
        .route("/servers", get(servers::follow))
        .route("/proxies/{id}/ack", post(servers::acknowledge))
        .route("/healthz", get(health::healthz))
        .fallback(no_such_path)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(origin::no_pages))
        .with_state(state)
}

fn service_routes() -> Router<ServerState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/role", get(health::role))
}

async fn no_such_path(uri: Uri) -> impl IntoResponse {
    Failure::new(
        Kind::NoSuchPath,
        format!("nothing is at `{}`; the API is below /api/v1", uri.path()),
    )
}

async fn method_not_allowed(uri: Uri) -> impl IntoResponse {
    let detail = format!(
        "`{}` does not take this method; what changes something is a POST, the rest a GET",
        uri.path()
    );
    Failure::new(Kind::MethodNotAllowed, detail)
}
