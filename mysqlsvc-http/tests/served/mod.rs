//! The service in front of a real cluster actor, which keeps model servers.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared by several tests, each of which uses its own part and fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mysqlsvc_core::engine::Snapshot;
use mysqlsvc_core::journal::Entry;
use mysqlsvc_core::testing::World;
use mysqlsvc_core::{
    Flavor, Incarnation, Millis, NodeId, NodeState, Settings, Store, StoreError, Stored,
};
use mysqlsvc_http::server::{ServerState, api_router, sse_router};
use mysqlsvc_monitor::cluster::{self, ClusterHandle, Parts};
use mysqlsvc_monitor::config::ProbeConfig;
use mysqlsvc_monitor::discovery::StaticList;
use mysqlsvc_monitor::mysql::advice::Facts;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Nothing in these tests takes this long unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A journal that lives as long as the test.
#[derive(Debug, Clone)]
struct Memory(Arc<Mutex<Stored>>);

#[async_trait]
impl Store for Memory {
    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.0.lock().unwrap().entries.extend_from_slice(entries);
        Ok(())
    }
}

/// A cluster of model servers under watch; nothing is registered yet.
pub struct Served {
    pub world: World,
    pub handle: ClusterHandle,
    pub stop: CancellationToken,
    pub actor: JoinHandle<()>,
}

impl Served {
    pub async fn start(name: &str, flavor: Flavor) -> Self {
        Self::advised(name, flavor, BTreeMap::new()).await
    }

    /// The same with what servers say of their settings.
    pub async fn advised(name: &str, flavor: Flavor, advisor: BTreeMap<NodeId, Facts>) -> Self {
        let world = World::new(flavor, 4);
        let interval = Millis(20);
        let parts = Parts {
            copies: mysqlsvc_monitor::mysql::copying::Copies::default(),
            name: name.parse().unwrap(),
            // Looks are quick here, so a replica need not be watched for seconds to be known OK.
            settings: Settings { max_lag: Millis(100), ..Settings::default() },
            probe: ProbeConfig { interval, ..ProbeConfig::default() },
            discovery: Box::new(StaticList::new(world.nodes())),
            backend: world.clone(),
            advisor: Arc::new(advisor),
            store: Memory(Arc::new(Mutex::new(Stored {
                incarnation: Incarnation(uuid::Uuid::from_u128(7)),
                entries: Vec::new(),
            }))),
        };
        let stop = CancellationToken::new();
        let (handle, task) = cluster::start(parts, stop.clone(), LIMIT).await.unwrap();
        let actor = tokio::spawn(async move { task.await.unwrap() });
        let served = Self { world, handle, stop, actor };
        served
            .until(|now| now.nodes.len() == 4 && now.nodes.iter().all(|n| n.look.is_some()))
            .await;
        served
    }

    /// Registered, with advice to give on nodes 1 and 2; the others are out of the advisor's reach.
    pub async fn with_advice() -> Self {
        let facts = |variables: &[(&str, &str)]| {
            let mut facts = Facts::of(Flavor::MySql, "9.7.4".parse().unwrap());
            facts.settings.variables = variables.iter().copied().collect();
            facts
        };
        let advisor = BTreeMap::from([
            ("10.0.0.1:3306".parse().unwrap(), facts(&[("sync_binlog", "0")])),
            ("10.0.0.2:3306".parse().unwrap(), facts(&[("replica_skip_errors", "1062")])),
        ]);
        Self::advised("main", Flavor::MySql, advisor).await.all_registered().await
    }

    /// With node 1 the master, 2 the standby, 3 and 4 slaves, all OK.
    pub async fn registered(flavor: Flavor) -> Self {
        Self::start("main", flavor).await.all_registered().await
    }

    /// Gives the nodes their roles.
    pub async fn all_registered(self) -> Self {
        for (number, role) in [(1, "master"), (2, "standby"), (3, "slave"), (4, "slave")] {
            let path = format!("/api/v1/clusters/main/nodes/10.0.0.{number}:3306/register");
            let answer = self.post(&path, &json!({"role": role})).await;
            assert_eq!((answer.status, &answer.json["role"]), (StatusCode::OK, &json!(role)));
        }
        self.until(|now| now.nodes.iter().all(|node| node.state == NodeState::Ok)).await;
        self
    }

    pub async fn until(&self, shows: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut shows = shows;
        let mut snapshots = self.handle.subscribe();
        let seen = timeout(LIMIT, snapshots.wait_for(|now| shows(now))).await;
        Arc::clone(&seen.expect("the snapshot never showed it").unwrap())
    }

    pub fn state(&self) -> ServerState {
        ServerState::new([self.handle.clone()])
    }

    pub fn api(&self) -> Router {
        api_router(self.state())
    }

    pub fn sse(&self) -> Router {
        sse_router(self.state())
    }

    pub async fn get(&self, path: &str) -> Answer {
        call(self.api(), request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        call(self.api(), posted(path, &body.to_string())).await
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// `null` where the text is no JSON.
    pub json: Value,
}

impl Answer {
    pub fn content_type(&self) -> &str {
        self.headers[header::CONTENT_TYPE].to_str().unwrap()
    }

    /// Checks that it is a problem of this kind, and gives its detail.
    pub fn problem(&self, status: u16, kind: &str) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.content_type(), "application/problem+json");
        assert_eq!(self.json["type"], format!("/problems/{kind}"), "{}", self.text);
        assert_eq!(self.json["status"], status);
        assert!(!self.json["title"].as_str().unwrap().is_empty());
        self.json["detail"].as_str().unwrap()
    }
}

pub fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

pub fn posted(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub async fn call(router: Router, request: Request<Body>) -> Answer {
    let answering = async {
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    let (parts, bytes) = timeout(LIMIT, answering).await.expect("no answer came");
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, text, json }
}

/// An event stream, read as it comes.
pub struct Events {
    body: Body,
    read: String,
}

/// One event.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
    pub block: String,
}

impl Events {
    pub async fn open(router: Router, path: &str) -> Self {
        let asking = router.oneshot(request(Method::GET, path));
        let response = timeout(LIMIT, asking).await.expect("no answer came").unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body(), read: String::new() }
    }

    /// The next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        while !self.read.contains("\n\n") {
            let frame = timeout(LIMIT, self.body.frame()).await.expect("no event came")?;
            let data = frame.unwrap().into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&data).unwrap());
        }
        let (block, rest) = self.read.split_once("\n\n").unwrap();
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
        };
        let event = Event {
            name: field("event").to_owned(),
            id: field("id").to_owned(),
            data: serde_json::from_str(field("data")).unwrap_or_default(),
            block: block.to_owned(),
        };
        let read = self.read.len() - rest.len();
        self.read.drain(..read);
        Some(event)
    }
}
