//! What proxies are told, and what they do when nobody tells them anything.

use std::{collections::BTreeSet, time::Duration};

use mysql_async::prelude::Queryable as _;
use mysqlsvc_rig::Programs;
use mysqlsvc_sandbox::{Account, Flavor, Node, Sandbox};
use mysqlsvc_tests::{Bed, LIMIT, Monitord, eventually, monitord::Setup};
use serde_json::Value;
use tokio::process::{Child, Command};

/// The events of a stream, one after the other.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn open(url: String) -> Self {
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()[reqwest::header::CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { response, text: String::new() }
    }

    /// Name and data of the next event; comments and hints are passed over.
    async fn next(&mut self) -> (String, Value) {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                if let Some((name, data)) = field("event:").zip(field("data:")) {
                    return (name.to_owned(), serde_json::from_str(data).unwrap());
                }
            }
            let chunk = tokio::time::timeout(LIMIT, self.response.chunk()).await;
            let chunk = chunk.expect("no event came").unwrap().expect("the stream ended");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn registered() -> (Sandbox, Monitord, Vec<String>) {
    let sandbox = Sandbox::builder().nodes(3).wire(true).start().await.unwrap();
    let nodes: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
    let monitord = Monitord::start(&Setup::new(nodes.clone(), sandbox.accounts())).await;
    monitord.api.register_all(&nodes).await;
    monitord.api.until_settled().await;
    (sandbox, monitord, nodes)
}

fn addresses(containers: &Value) -> Vec<String> {
    let list = containers["containers"].as_array().unwrap();
    let address = |one: &Value| {
        format!("{}:{}", one["container_ip"].as_str().unwrap(), one["container_port"])
    };
    list.iter().map(address).collect()
}

#[tokio::test]
async fn routes_have_the_contracts_forms_new_and_original_and_follow_a_switch() {
    let (sandbox, monitord, nodes) = registered().await;
    let base = format!("http://{}/servers", monitord.sse);
    let mut rich = Events::open(format!("{base}?cluster=main")).await;
    let mut flat = Events::open(format!("{base}?watch=1")).await;

    let (name, route) = rich.next().await;
    assert_eq!(name, "init");
    assert_eq!((route["cluster"].as_str(), route["phase"].as_str()), (Some("main"), Some("open")));
    assert!(route["hold"].is_null() && route["epoch"].is_u64() && route["version"].is_u64());
    assert!(route["incarnation"].as_str().is_some_and(|text| text.len() == 36));
    assert_eq!(addresses(&route["master"]), [nodes[0].clone()]);
    assert_eq!(addresses(&route["slave"]), [nodes[2].clone()]);
    assert_eq!(route["master"]["containers"][0]["state"], "OK");
    let (name, data) = flat.next().await;
    assert_eq!(name, "init");
    let expected = serde_json::json!({"master": [nodes[0]], "slave": [nodes[2]]});
    assert_eq!(data, expected);

    monitord.api.switch_succeeds(&nodes[2]).await;
    let (mut phases, mut last) = (BTreeSet::new(), (route["epoch"].clone(), 0));
    loop {
        let (name, route) = rich.next().await;
        assert_eq!(name, "update");
        let version = route["version"].as_u64().unwrap();
        assert!(version > last.1, "{route}");
        last = (route["epoch"].clone(), version);
        phases.insert(route["phase"].as_str().unwrap().to_owned());
        if route["phase"] == "hold" {
            assert!(route["hold"]["remaining_ms"].as_u64().is_some_and(|left| left > 0), "{route}");
            assert!(
                route["hold"]["ack_token"].is_string() && route["hold"]["operation"].is_string()
            );
        } else if addresses(&route["master"]) == [nodes[2].clone()]
            && addresses(&route["slave"]) == [nodes[0].clone()]
        {
            break;
        }
    }
    assert_eq!(phases, BTreeSet::from(["hold".to_owned(), "open".to_owned()]));
    while flat.next().await.1 != serde_json::json!({"master": [nodes[2]], "slave": [nodes[0]]}) {}
    let unknown = reqwest::get(format!("{base}?cluster=other")).await.unwrap();
    assert_eq!(unknown.status(), 404);
    sandbox.down().await.unwrap();
}

/// A proxyd of our own, on a port of its own; killed when dropped.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    async fn start(monitor: std::net::SocketAddr, state: &std::path::Path) -> Self {
        let ready = state.join("port");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(Programs::find().unwrap().proxyd)
            .args(["-p", "0", "--listen", "127.0.0.1", "-m", "master", "--cluster", "main"])
            .args(["--monitor", &format!("http://{monitor}")])
            .arg("--state")
            .arg(state)
            .arg("--port-file")
            .arg(&ready)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let port = eventually("proxyd listening", async || {
            std::fs::read_to_string(&ready).ok()?.trim().parse().ok()
        })
        .await;
        Self { child, port }
    }

    /// The id of the server that it leads to, once it leads to one.
    async fn leads_to(&self, account: &Account) -> u32 {
        let endpoint = mysqlsvc_rig::Endpoint::new("127.0.0.1", self.port, account);
        eventually("a server behind the proxy", async || {
            let mut conn = endpoint.connect(Duration::from_secs(10)).await.ok()?;
            conn.query_first("SELECT @@server_id").await.ok().flatten()
        })
        .await
    }
}

#[tokio::test]
async fn a_proxy_serves_on_without_its_monitor_and_after_its_own_restart() {
    let (sandbox, mut monitord, nodes) = registered().await;
    let app = sandbox.accounts().app.clone();
    let state = tempfile::tempdir().unwrap();
    let mut proxy = Proxy::start(monitord.sse, state.path()).await;
    assert_eq!(proxy.leads_to(&app).await, 1);
    monitord.api.switch_succeeds(&nodes[1]).await;
    eventually("the new master", async || (proxy.leads_to(&app).await == 2).then_some(())).await;

    monitord.kill().await;
    assert_eq!(proxy.leads_to(&app).await, 2);
    proxy.child.kill().await.unwrap();
    let proxy = Proxy::start(monitord.sse, state.path()).await;
    assert_eq!(proxy.leads_to(&app).await, 2, "not from the file");

    monitord.start_again().await;
    monitord.api.until_settled().await;
    monitord.api.switch_succeeds(&nodes[0]).await;
    eventually("the route of the monitor that is back", async || {
        (proxy.leads_to(&app).await == 1).then_some(())
    })
    .await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn connections_outlive_monitor_and_route_and_reads_outlive_the_master() {
    let mut bed = Bed::start(Flavor::MariaDb, 3).await;
    let mut held = bed.through_slave_proxy().connect(LIMIT).await.unwrap();
    bed.product.kill_monitord().await.unwrap();
    let id: Option<u32> = held.query_first("SELECT @@server_id").await.unwrap();
    assert_eq!(id, Some(3));
    bed.product.start_monitord().await.unwrap();
    bed.api().until_settled().await;

    bed.sandbox.kill(0).await.unwrap();
    let (api, master) = (bed.api(), bed.address(0));
    api.until_node(&master, "ERROR", |node| node.state.as_str() == "ERROR").await;
    let id: Option<u32> = held.query_first("SELECT @@server_id").await.unwrap();
    assert_eq!(id, Some(3));
    let mut fresh = bed.through_slave_proxy().connect(LIMIT).await.unwrap();
    let id: Option<u32> = fresh.query_first("SELECT @@server_id").await.unwrap();
    assert_eq!(id, Some(3));
    let refused = api.switch_refused(&bed.address(1)).await;
    assert_eq!((refused.status, refused.reason.as_deref()), (409, Some("master-not-ok")));
    bed.down().await;
}
