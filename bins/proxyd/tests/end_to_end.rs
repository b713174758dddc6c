//! The proxyd program between a monitor and servers whose every word the test writes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../mysqlsvc-http/tests/support/mod.rs"]
mod monitor;
mod process;

use monitor::{Answer, FakeMonitor, hold, route};
use process::{FakeServer, Proxyd, echoes, greeting, text};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

#[tokio::test]
async fn a_switch_holds_new_connections_and_moves_them_while_old_ones_go_on() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let (old, new) = (FakeServer::start("db-1").await, FakeServer::start("db-2").await);
    let url = monitor.url();
    let proxyd = Proxyd::start(&["-m", "master", "--monitor", &url, "--proxy-id", "p-1"]).await;
    let stream = monitor.stream().await;
    assert_eq!(stream.query.proxy.as_deref(), Some("p-1"));
    assert_eq!(stream.query.mode.unwrap().as_str(), "master");
    assert_eq!(proxyd.page("/readyz").await.0, 503);

    stream.init(&route(7, 1, &old.address));
    let mut standing = proxyd.connect().await;
    assert_eq!(greeting(&mut standing).await, "db-1");
    assert_eq!(proxyd.page("/readyz").await.0, 200);

    stream.update(&hold(route(7, 2, &old.address), 30_000));
    let ack = monitor.ack().await;
    assert_eq!(ack.proxy, "p-1");
    assert_eq!((ack.body.cluster.as_str(), ack.body.epoch), ("main", 7));
    assert_eq!((ack.body.operation.as_str(), ack.body.ack_token.as_str()), ("op", "tok"));
    assert_eq!((ack.body.held, ack.body.active), (0, 1));
    let mut parked = proxyd.connect().await;
    proxyd.until("one held", |view| view["gate"]["held"] == 1).await;
    assert!(!proxyd.page("/route").await.1.contains("tok\""));

    stream.update(&route(8, 3, &new.address));
    assert_eq!(greeting(&mut parked).await, "db-2");
    echoes(&mut parked).await;
    echoes(&mut standing).await;
    let (_, metrics) = proxyd.page("/metrics").await;
    assert!(metrics.contains("mysqlsvc_proxy_route_epoch{mode=\"master\"} 8"), "{metrics}");
    assert!(metrics.contains("mysqlsvc_proxy_connections_active{mode=\"master\"} 2"), "{metrics}");
}

#[tokio::test]
async fn it_serves_while_the_monitor_is_dead_and_after_a_restart_from_the_kept_route() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let (server, next) = (FakeServer::start("db-1").await, FakeServer::start("db-2").await);
    let state = tempfile::tempdir().unwrap();
    let url = monitor.url();
    let arguments = ["-m", "master", "--monitor", &url, "--state", text(state.path())];

    let proxyd = Proxyd::start(&arguments).await;
    monitor.stream().await.init(&route(7, 1, &server.address));
    proxyd.until("the route", |view| view["route"]["epoch"] == 7).await;
    let address = monitor.address;
    monitor.kill().await;
    proxyd.until("the monitor gone", |view| view["monitor"]["connected"].is_null()).await;
    assert_eq!(greeting(&mut proxyd.connect().await).await, "db-1");
    proxyd.signal("-TERM").await;
    assert_eq!(proxyd.ended().await.code(), Some(0));

    let proxyd = Proxyd::start(&arguments).await;
    assert_eq!(greeting(&mut proxyd.connect().await).await, "db-1");

    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let mut monitor = FakeMonitor::on(listener, Answer::Well);
    let stream = monitor.stream().await;
    assert_eq!((stream.query.epoch, stream.query.version), (Some(7), Some(1)));
    stream.init(&route(8, 1, &next.address));
    proxyd.until("the new route", |view| view["route"]["epoch"] == 8).await;
    assert_eq!(greeting(&mut proxyd.connect().await).await, "db-2");
}

#[tokio::test]
async fn the_first_signal_lets_connections_end_and_the_second_cuts_them() {
    let server = FakeServer::start("db-1").await;
    let files = tempfile::tempdir().unwrap();
    let port_file = files.path().join("port");
    let arguments = ["--targets", &server.address, "--port-file", text(&port_file)];

    let proxyd = Proxyd::start(&arguments).await;
    let port = std::fs::read_to_string(&port_file).unwrap();
    assert_eq!(port, format!("{}\n", proxyd.address.port()));
    let mut standing = proxyd.connect().await;
    assert_eq!(greeting(&mut standing).await, "db-1");
    proxyd.signal("-INT").await;
    let draining =
        timeout(process::LIMIT, async { while proxyd.page("/readyz").await.0 != 503 {} });
    draining.await.unwrap();
    echoes(&mut standing).await;
    drop(standing);
    assert_eq!(proxyd.ended().await.code(), Some(0));

    let proxyd = Proxyd::start(&arguments).await;
    let mut standing = proxyd.connect().await;
    assert_eq!(greeting(&mut standing).await, "db-1");
    proxyd.signal("-TERM").await;
    let draining =
        timeout(process::LIMIT, async { while proxyd.page("/readyz").await.0 != 503 {} });
    draining.await.unwrap();
    proxyd.signal("-TERM").await;
    assert_eq!(proxyd.ended().await.code(), Some(1));
    let mut rest = Vec::new();
    let cut = timeout(process::LIMIT, standing.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty() || cut.is_err(), "the connection ended with nothing more");
}

#[tokio::test]
async fn a_slave_proxy_takes_the_slaves_in_turn() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let (one, two) = (FakeServer::start("db-2").await, FakeServer::start("db-3").await);
    let url = monitor.url();
    let proxyd = Proxyd::start(&["--monitor", &url, "--cluster", "main"]).await;
    let stream = monitor.stream().await;
    assert_eq!(stream.query.cluster.as_deref(), Some("main"));
    let mut both = route(1, 1, "127.0.0.1:1");
    both["slave"]["containers"] = [&one, &two]
        .iter()
        .map(|server| {
            let port: u16 = server.address.rsplit_once(':').unwrap().1.parse().unwrap();
            serde_json::json!({"container_ip": "127.0.0.1", "container_port": port})
        })
        .collect();
    stream.init(&hold(both, 30_000));
    let mut reached = Vec::new();
    for _ in 0..4 {
        reached.push(greeting(&mut proxyd.connect().await).await);
    }
    reached.sort();
    assert_eq!(reached, ["db-2", "db-2", "db-3", "db-3"]);
    assert!(!monitor.has_ack());
}
