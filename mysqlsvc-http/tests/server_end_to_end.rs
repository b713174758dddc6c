//! Service and client together over real sockets: a proxy follows, holds and acknowledges while a
//! switch runs.
#![cfg(all(feature = "client", feature = "server"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use std::time::Duration;

use axum::Router;
use mysqlsvc_core::Flavor;
use mysqlsvc_http::client::{
    AckClient, ApiClient, Follower, FollowerConfig, FollowerLimits, MonitorUrl, ProxyIdentity,
    RouteUpdate,
};
use mysqlsvc_http::server::serve;
use mysqlsvc_http::wire::{HoldAck, OperationOutcome, Phase, ProxyMode, Role, SwitchRequest};
use served::{LIMIT, Served};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

struct Running {
    url: MonitorUrl,
    address: std::net::SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

async fn run(router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, router, stop.clone()));
    Running { url: format!("http://{address}").parse().unwrap(), address, stop, serving }
}

fn follow(monitor: &MonitorUrl) -> Follower {
    Follower::start(FollowerConfig {
        monitors: vec![monitor.clone()],
        cluster: Some("main".to_owned()),
        identity: Some(ProxyIdentity { id: "p1".to_owned(), mode: ProxyMode::Master }),
        known: None,
        limits: FollowerLimits::default(),
    })
    .unwrap()
}

async fn until(
    routes: &mut watch::Receiver<Option<RouteUpdate>>,
    shows: impl Fn(&RouteUpdate) -> bool,
) -> RouteUpdate {
    let seen = routes.wait_for(|update| update.as_ref().is_some_and(&shows));
    timeout(LIMIT, seen).await.expect("the route never came").unwrap().clone().unwrap()
}

/// What proxyd does when it is told to hold.
async fn acknowledge(update: &RouteUpdate) {
    let hold = update.route.hold().unwrap();
    let ack = HoldAck {
        cluster: update.route.cluster.clone(),
        epoch: update.route.stamp.position.epoch,
        operation: hold.operation.clone(),
        ack_token: hold.ack_token.clone(),
        held: 0,
        active: 0,
    };
    AckClient::new(LIMIT).unwrap().acknowledge(&update.monitor, "p1", &ack).await.unwrap();
}

fn to_the_standby() -> SwitchRequest {
    SwitchRequest { to: "10.0.0.2:3306".into(), strategy: None, dry_run: false, confirm: None }
}

#[tokio::test]
async fn a_proxy_that_follows_holds_and_is_sent_to_the_new_master() {
    let served = Served::registered(Flavor::MySql).await;
    let (api, sse) = (run(served.api()).await, run(served.sse()).await);
    let client = ApiClient::new(api.url.clone(), LIMIT).unwrap();
    let follower = follow(&sse.url);
    let mut routes = follower.routes();
    let open = until(&mut routes, |update| update.route.phase == Phase::Open).await;
    assert_eq!(open.route.master.containers[0].address(), "10.0.0.1:3306");

    let proxy = async {
        let held = until(&mut routes, |update| update.route.hold().is_some()).await;
        acknowledge(&held).await;
        let epoch = held.route.stamp.position.epoch;
        until(&mut routes, |update| {
            update.route.hold().is_none() && update.route.stamp.position.epoch > epoch
        })
        .await
    };
    let switching = client.switch("main", to_the_standby(), Some(LIMIT));
    let (moved, operation) = tokio::join!(proxy, switching);
    assert_eq!(moved.route.master.containers[0].address(), "10.0.0.2:3306");
    let operation = operation.unwrap();
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:?}");
    let hold = operation.steps.iter().find(|step| step.name == "hold").unwrap();
    assert_eq!(hold.detail.as_deref(), Some("1 proxy holds"));
    assert!(operation.acks_missing.is_empty());
    let cluster = client.cluster("main").await.unwrap();
    assert_eq!((cluster.epoch, cluster.master.as_deref()), (2, Some("10.0.0.2:3306")));
    assert_eq!(client.operation("main", &operation.id).await.unwrap(), operation);
    let refusal = client.register("main", "10.0.0.2:3306", Role::Slave).await.unwrap_err();
    assert_eq!(refusal.problem().unwrap().reason.as_deref(), Some("already-registered"));
}

#[tokio::test]
async fn a_proxy_that_stays_silent_is_named_and_not_waited_for_long() {
    let served = Served::registered(Flavor::MySql).await;
    let (api, sse) = (run(served.api()).await, run(served.sse()).await);
    let follower = follow(&sse.url);
    until(&mut follower.routes(), |_| true).await;
    let client = ApiClient::new(api.url.clone(), LIMIT).unwrap();
    let operation = client.switch("main", to_the_standby(), Some(LIMIT)).await.unwrap();
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:?}");
    assert_eq!(operation.acks_missing, ["p1"]);
}

#[tokio::test]
async fn told_to_stop_it_ends_streams_and_then_itself() {
    let served = Served::registered(Flavor::MySql).await;
    let sse = run(served.sse()).await;
    let mut stream = TcpStream::connect(sse.address).await.unwrap();
    stream.write_all(b"GET /servers HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut seen = String::new();
    while !seen.contains("event: init") {
        let mut buffer = [0; 1024];
        let read = timeout(LIMIT, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{seen}");
        seen.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    sse.stop.cancel();
    timeout(LIMIT, sse.serving).await.expect("it went on serving").unwrap().unwrap();
    let mut rest = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream was not ended properly");
    assert!(TcpStream::connect(sse.address).await.is_err());
}

#[tokio::test]
async fn a_client_that_sends_half_a_request_does_not_keep_it_from_stopping() {
    let served = Served::start("main", Flavor::MySql).await;
    let api = run(served.api()).await;
    let mut idle = TcpStream::connect(api.address).await.unwrap();
    idle.write_all(b"GET /healthz HT").await.unwrap();
    // Served after the other was accepted.
    let client = ApiClient::new(api.url.clone(), LIMIT).unwrap();
    client.healthz().await.unwrap();
    api.stop.cancel();
    timeout(Duration::from_secs(30), api.serving).await.expect("it hung").unwrap().unwrap();
}
