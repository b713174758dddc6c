//! A monitor whose every answer the test writes itself.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared by several tests, each of which uses its own part and fails by panicking"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use mysqlsvc_http::wire::{HoldAck, Problem, Route, ServersQuery};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// Nothing in these tests takes this long unless it is broken.
const LIMIT: Duration = Duration::from_secs(20);

/// A route of cluster `main`, incarnation `a`, with one master and no slave.
pub fn route(epoch: u64, version: u64, master: &str) -> serde_json::Value {
    let (host, port) = master.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    json!({
        "cluster": "main", "incarnation": "a", "epoch": epoch, "version": version,
        "phase": "open", "hold": null,
        "master": {"containers": [{"container_ip": host, "container_port": port}]},
        "slave": {"containers": []},
    })
}

/// The same with a hold.
pub fn hold(mut route: serde_json::Value, remaining_ms: u64) -> serde_json::Value {
    route["phase"] = json!("hold");
    route["hold"] = json!({"operation": "op", "ack_token": "tok", "remaining_ms": remaining_ms});
    route
}

/// A follower's open stream, to be written by the test; dropping it closes the stream.
pub struct Stream {
    pub query: ServersQuery,
    body: mpsc::UnboundedSender<Result<Bytes, Infallible>>,
}

impl Stream {
    pub fn raw(&self, text: &str) {
        // The follower may have gone; a test that minds sees it elsewhere.
        let _ = self.body.send(Ok(Bytes::from(text.to_owned())));
    }

    pub fn event(&self, name: &str, data: &str) {
        self.raw(&format!("event: {name}\ndata: {data}\n\n"));
    }

    pub fn init(&self, route: &serde_json::Value) {
        self.event("init", &route.to_string());
    }

    pub fn update(&self, route: &serde_json::Value) {
        self.event("update", &route.to_string());
    }
}

pub struct Ack {
    pub proxy: String,
    pub body: HoldAck,
}

#[derive(Clone)]
struct Shared {
    streams: mpsc::UnboundedSender<Stream>,
    acks: mpsc::UnboundedSender<Ack>,
    answer: Answer,
}

/// What a call gets.
#[derive(Clone, Copy, PartialEq)]
pub enum Answer {
    Well,
    /// 404 with a problem document.
    UnknownCluster,
    /// 200 with a page of HTML.
    Html,
    /// Nothing, ever.
    Never,
}

pub struct FakeMonitor {
    pub address: SocketAddr,
    streams: mpsc::UnboundedReceiver<Stream>,
    acks: mpsc::UnboundedReceiver<Ack>,
    server: JoinHandle<()>,
}

impl FakeMonitor {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, answer)
    }

    pub fn on(listener: TcpListener, answer: Answer) -> Self {
        let (stream_sender, streams) = mpsc::unbounded_channel();
        let (ack_sender, acks) = mpsc::unbounded_channel();
        let shared = Shared { streams: stream_sender, acks: ack_sender, answer };
        let app = Router::new()
            .route("/servers", get(servers))
            .route("/proxies/{id}/ack", post(ack))
            .with_state(shared);
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, streams, acks, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn stream(&mut self) -> Stream {
        let next = timeout(LIMIT, self.streams.recv()).await;
        next.expect("no stream was opened").expect("the monitor is up")
    }

    pub async fn ack(&mut self) -> Ack {
        let next = timeout(LIMIT, self.acks.recv()).await;
        next.expect("no acknowledgement came").expect("the monitor is up")
    }

    pub fn has_ack(&mut self) -> bool {
        !self.acks.is_empty()
    }

    /// Ends it as `kill -9` would: no stream is closed politely, the port refuses.
    pub async fn kill(self) {
        self.server.abort();
        let _ = self.server.await;
    }
}

async fn servers(State(shared): State<Shared>, Query(query): Query<ServersQuery>) -> Response {
    match shared.answer {
        Answer::Well => {}
        Answer::Never => std::future::pending().await,
        Answer::Html => return ([(header::CONTENT_TYPE, "text/html")], "<p>hi").into_response(),
        Answer::UnknownCluster => return unknown_cluster().into_response(),
    }
    let (body, chunks) = mpsc::unbounded_channel();
    shared.streams.send(Stream { query, body }).unwrap();
    let body = Body::from_stream(UnboundedReceiverStream::new(chunks));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn ack(
    State(shared): State<Shared>,
    Path(proxy): Path<String>,
    Json(body): Json<HoldAck>,
) -> Response {
    match shared.answer {
        Answer::Well => {}
        Answer::Never => std::future::pending().await,
        Answer::Html => return StatusCode::BAD_GATEWAY.into_response(),
        Answer::UnknownCluster => return unknown_cluster().into_response(),
    }
    shared.acks.send(Ack { proxy, body }).unwrap();
    StatusCode::NO_CONTENT.into_response()
}

fn unknown_cluster() -> impl IntoResponse {
    let problem = Problem {
        kind: "/problems/unknown-cluster".into(),
        title: "Unknown cluster".into(),
        status: 404,
        detail: "no cluster is named `mian`; known: main".into(),
        reason: None,
    };
    (StatusCode::NOT_FOUND, Json(problem))
}

/// Parses what [`route`] makes.
pub fn parsed(value: &serde_json::Value) -> Route {
    Route::from_json(&value.to_string()).unwrap()
}
