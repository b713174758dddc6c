//! The admin address: `/healthz`, `/readyz`, `/route`, `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use mysqlsvc_http::client::FollowerStatus;
use mysqlsvc_http::wire::{HealthCheck, HealthDocument, HealthStatus, ProxyMode, Route};
use mysqlsvc_proxy::{Gate, Stats, Targets, WaitingRoom};
use serde::Serialize;
use tokio::sync::watch;

use crate::metrics::{Moment, page};

/// What the pages are made of; clones see the same proxy.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) proxy_id: Arc<str>,
    pub(crate) mode: ProxyMode,
    pub(crate) gate: Gate,
    pub(crate) targets: Targets,
    pub(crate) room: WaitingRoom,
    pub(crate) stats: Stats,
    pub(crate) opened: watch::Receiver<Option<Arc<Route>>>,
    /// `None` with fixed targets.
    pub(crate) following: Option<watch::Receiver<FollowerStatus>>,
    pub(crate) draining: Arc<AtomicBool>,
}

/// The pages.
pub(crate) fn pages(view: View) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/route", get(route))
        .route("/metrics", get(metrics))
        .with_state(view)
}

/// The process answers: that is all.
async fn healthz() -> Json<HealthDocument> {
    Json(HealthDocument::of(env!("CARGO_PKG_VERSION"), Vec::new()))
}

/// Whether a connection made now can be served. A silent monitor does not count: serving goes on
/// without one.
async fn readyz(State(view): State<View>) -> Response {
    let targets = view.targets.current().targets().len();
    let draining = view.draining.load(Ordering::Relaxed);
    let checks = vec![
        HealthCheck { name: "targets".into(), ok: targets > 0, detail: format!("{targets} known") },
        HealthCheck {
            name: "accepting".into(),
            ok: !draining,
            detail: if draining { "draining" } else { "yes" }.into(),
        },
    ];
    let document = HealthDocument::of(env!("CARGO_PKG_VERSION"), checks);
    let status = match document.status {
        HealthStatus::Ok => StatusCode::OK,
        HealthStatus::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(document)).into_response()
}

/// What `/route` shows.
#[derive(Serialize)]
struct RouteView {
    proxy: Arc<str>,
    mode: ProxyMode,
    targets: Vec<String>,
    /// Connections that wait for a target.
    waiting: usize,
    gate: GateView,
    monitor: Option<MonitorView>,
    /// The last open route; a hold's token is not for everyone.
    route: Option<Arc<Route>>,
}

#[derive(Serialize)]
struct GateView {
    shut: bool,
    remaining_ms: Option<u64>,
    held: usize,
    dialling: usize,
    active: usize,
}

#[derive(Serialize)]
struct MonitorView {
    connected: Option<String>,
    connections: u64,
    refused: u64,
    last_error: Option<String>,
}

async fn route(State(view): State<View>) -> Json<RouteView> {
    let targets = view.targets.current();
    let counts = view.gate.counts();
    let remaining = view.gate.remaining();
    Json(RouteView {
        proxy: view.proxy_id.clone(),
        mode: view.mode,
        targets: targets.targets().iter().map(ToString::to_string).collect(),
        waiting: view.room.waiting(),
        gate: GateView {
            shut: remaining.is_some(),
            remaining_ms: remaining.and_then(|left| left.as_millis().try_into().ok()),
            held: counts.held,
            dialling: counts.dialling,
            active: counts.active,
        },
        monitor: view.following.as_ref().map(|status| monitor_view(&status.borrow())),
        route: view.opened.borrow().clone(),
    })
}

fn monitor_view(status: &FollowerStatus) -> MonitorView {
    MonitorView {
        connected: status.connected.as_ref().map(ToString::to_string),
        connections: status.connections,
        refused: status.refused,
        last_error: status.last_error.clone(),
    }
}

async fn metrics(State(view): State<View>) -> impl IntoResponse {
    let moment = Moment {
        mode: view.mode,
        stats: view.stats.snapshot(),
        counts: view.gate.counts(),
        waiting: view.room.waiting(),
        is_shut: view.gate.is_shut(),
        targets: view.targets.current().targets().len(),
        route: view.opened.borrow().as_ref().map(|route| route.stamp.position),
        following: view.following.as_ref().map(|status| status.borrow().clone()),
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page(&moment))
}
