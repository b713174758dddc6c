//! The documents of the API on a real cluster, as CONTRACTS 3 has them.

use mysqlsvc_sandbox::{Node, Sandbox};
use mysqlsvc_tests::{Monitord, fake::Fake, monitord::Setup};
use serde_json::{Value, json};

const NODE: [&str; 21] = [
    "addr",
    "role",
    "state",
    "cause",
    "flavor",
    "version",
    "server_id",
    "server_uuid",
    "read_only",
    "super_read_only",
    "source",
    "io_running",
    "sql_running",
    "lag_ms",
    "delay_ms",
    "semi_sync",
    "gtid_executed",
    "missing",
    "errant",
    "allowed",
    "probed_at",
];

fn has_all(document: &Value, fields: &[&str]) {
    for field in fields {
        assert!(document.get(field).is_some(), "{field} is missing in {document:#}");
    }
}

async fn get(url: String) -> Value {
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn clusters_nodes_plans_and_operations_have_every_field_of_the_contract() {
    let sandbox = Sandbox::builder().nodes(2).wire(true).start().await.unwrap();
    let nodes: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
    let monitord = Monitord::start(&Setup::new(nodes.clone(), sandbox.accounts())).await;
    monitord.api.register_all(&nodes).await;
    monitord.api.until_settled().await;
    let api = format!("http://{}/api/v1", monitord.http);

    let clusters = get(format!("{api}/clusters")).await;
    let cluster = get(format!("{api}/clusters/main")).await;
    assert_eq!(clusters[0]["name"], cluster["name"]);
    has_all(&cluster, &["name", "epoch", "phase", "master", "mutual", "nodes", "operation"]);
    has_all(&cluster, &["maintenance", "alarms"]);
    assert_eq!(cluster["master"], json!(nodes[0]));
    for (address, node) in nodes.iter().zip(cluster["nodes"].as_array().unwrap()) {
        has_all(node, &NODE);
        has_all(&node["allowed"][0], &["operation", "ok", "reason"]);
        let alone = get(format!("{api}/clusters/main/nodes/{address}")).await;
        assert_eq!(alone["addr"], json!(address));
    }

    let http = reqwest::Client::new();
    let switch = async |query: &str, body: Value| {
        let request = http.post(format!("{api}/clusters/main/switch{query}"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap()
    };
    let plan = switch("", json!({"to": nodes[1], "dry_run": true})).await;
    assert_eq!(plan.status(), 200);
    let plan: Value = serde_json::from_str(&plan.text().await.unwrap()).unwrap();
    has_all(&plan, &["kind", "from", "to", "steps"]);

    let answer = switch("?wait=30s", json!({"to": nodes[1], "confirm": nodes[1]})).await;
    assert_eq!(answer.status(), 202);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let ended: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let operation = get(format!("http://{}{place}", monitord.http)).await;
    assert_eq!(operation, ended);
    let fields = ["kind", "from", "to", "who", "plan", "steps", "outcome", "write_unavailable_ms"];
    has_all(&operation, &fields);
    has_all(&operation, &["critical_section_ms", "loss", "left_behind", "strategy"]);
    has_all(&operation, &["forecast_ms", "forecast_causes", "interrupted", "diverged", "progress"]);
    assert_eq!(
        (&operation["outcome"], &operation["kind"]),
        (&json!("succeeded"), &json!("switch"))
    );
    assert_eq!(operation["loss"]["verdict"], "lossless");
    for step in operation["steps"].as_array().unwrap() {
        has_all(step, &["name", "start", "duration_ms", "outcome"]);
        assert!(step["start"].is_string() && step["duration_ms"].is_number(), "{step:#}");
    }
    let list = get(format!("{api}/clusters/main/operations")).await;
    assert_eq!(list, json!([operation]));
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn the_originals_role_call_answers_in_its_words() {
    let sandbox = Sandbox::builder().nodes(3).wire(true).start().await.unwrap();
    let nodes: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
    let monitord = Monitord::start(&Setup::new(nodes.clone(), sandbox.accounts())).await;
    monitord.api.register_all(&nodes).await;
    for (node, role) in nodes.iter().map(String::as_str).zip(["Master", "Standby", "Slave"]) {
        let (host, port) = node.split_once(':').unwrap();
        assert_eq!(role_of(&monitord, host, port).await, role);
    }
    assert_eq!(role_of(&monitord, "10.9.9.9", "1").await, "Unknown");
    sandbox.down().await.unwrap();
}

async fn role_of(monitord: &Monitord, host: &str, port: &str) -> String {
    let url = format!("http://{}/role?host={host}&port={port}", monitord.http);
    let answer = reqwest::get(url).await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    answer.text().await.unwrap()
}

#[tokio::test]
async fn of_several_clusters_one_must_be_named() {
    let (one, two) = (Fake::silent().await, Fake::silent().await);
    let setup = Setup {
        nodes: vec![one.address.clone()],
        secrets: "dba_passwd=one\nrepl_passwd=two\n".to_owned(),
        // Behind the last section of the first cluster.
        switch: format!(
            "[[cluster]]\nname = \"second\"\ndiscovery = {{ kind = \"static\", nodes = [\"{}\"] }}",
            two.address
        ),
        ..Setup::default()
    };
    let monitord = Monitord::start(&setup).await;
    let names = get(format!("http://{}/api/v1/clusters", monitord.http)).await;
    let names: Vec<&Value> = names.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["main", "second"]);

    let base = format!("http://{}/servers", monitord.sse);
    let unnamed = reqwest::get(&base).await.unwrap();
    assert_eq!(unnamed.status(), 400);
    assert!(unnamed.text().await.unwrap().contains("second"));
    let second = reqwest::get(format!("{base}?cluster=second")).await.unwrap();
    assert_eq!(second.status(), 200);
}
