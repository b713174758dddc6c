//! Pause, resume, detach, maintenance and availability first, in front of model servers.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use axum::http::StatusCode;
use mysqlsvc_core::testing::{CallKind, Disturbance};
use mysqlsvc_core::{Flavor, NodeState, OperationId, ReplicationBackend as _, Tag};
use serde_json::{Value, json};
use served::{Answer, Served, call, posted};

const MAIN: &str = "/api/v1/clusters/main";

fn node(number: u8) -> String {
    format!("{MAIN}/nodes/10.0.0.{number}:3306")
}

async fn act(served: &Served, number: u8, action: &str) -> Answer {
    served.post(&format!("{}/{action}", node(number)), &json!({})).await
}

/// Does it, which must succeed; the state and its cause as answered.
async fn done(served: &Served, number: u8, action: &str) -> (String, String) {
    let answer = act(served, number, action).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let word = |field: &str| answer.json[field].as_str().unwrap_or_default().to_owned();
    (word("state"), word("cause"))
}

fn allows(document: &Value, operation: &str) -> bool {
    let allowed = document["allowed"].as_array().unwrap();
    let one = allowed.iter().find(|one| one["operation"] == operation);
    one.unwrap_or_else(|| panic!("{operation} is not listed"))["ok"] == true
}

#[tokio::test]
async fn a_slave_is_paused_resumed_detached_and_activated() {
    let served = Served::registered(Flavor::MySql).await;
    let document = served.get(&node(3)).await.json;
    assert!(allows(&document, "pause") && allows(&document, "detach"));
    assert!(!allows(&document, "resume"));
    let paused = ("PAUSED".to_owned(), "paused by the operator".to_owned());
    assert_eq!(done(&served, 3, "pause").await, paused);
    let document = served.get(&node(3)).await.json;
    assert_eq!((&document["io_running"], &document["sql_running"]), (&json!("No"), &json!("No")));
    assert!(allows(&document, "resume") && !allows(&document, "pause"));
    done(&served, 3, "resume").await;
    served.until(|now| now.nodes.iter().all(|node| node.state == NodeState::Ok)).await;

    assert_eq!(done(&served, 3, "detach").await.0, "DETACHED");
    assert_eq!(served.get(&node(3)).await.json["source"], Value::Null);
    done(&served, 3, "activate").await;
    let operations = served.get(&format!("{MAIN}/operations")).await.json;
    let operations = operations.as_array().unwrap();
    let kinds: Vec<_> = operations.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["activate", "detach", "resume", "pause"]);
    for operation in operations {
        assert_eq!(operation["from"], "10.0.0.3:3306");
        assert_eq!((&operation["to"], &operation["strategy"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn a_paused_master_takes_no_writes_until_it_is_resumed() {
    let served = Served::registered(Flavor::MariaDb).await;
    assert_eq!(done(&served, 1, "pause").await.0, "PAUSED");
    assert_eq!(served.get(&node(1)).await.json["read_only"], true);
    let switch = served.post(&format!("{MAIN}/switch"), &json!({"to": "10.0.0.2:3306"})).await;
    switch.problem(409, "not-allowed");
    assert_eq!(switch.json["reason"], "master-not-ok");
    assert_eq!(done(&served, 1, "resume").await.0, "OK");
    assert_eq!(served.get(&node(1)).await.json["read_only"], false);
}

#[tokio::test]
async fn what_is_not_allowed_now_is_refused_and_what_fails_is_taken_back() {
    let served = Served::registered(Flavor::MySql).await;
    let answer = act(&served, 3, "resume").await;
    assert!(answer.problem(409, "not-allowed").contains("is OK; only a node that is PAUSED"));
    assert_eq!(answer.json["reason"], "wrong-state");
    act(&served, 1, "detach").await.problem(409, "not-allowed");
    act(&served, 9, "pause").await.problem(404, "unknown-node");
    let body = call(served.api(), posted(&format!("{}/pause", node(3)), r#"{"now":true}"#)).await;
    assert!(body.problem(400, "malformed").contains("unknown field `now`"));
    assert!(served.handle.snapshot().operations.is_empty());

    served.world.disturb(Disturbance::Deny(served.world.node(3), CallKind::StopReplication));
    let answer = act(&served, 3, "pause").await;
    assert!(answer.problem(409, "operation-failed").contains("10.0.0.3:3306"));
}

#[tokio::test]
async fn maintenance_is_switched_on_and_off() {
    let served = Served::start("main", Flavor::MySql).await;
    assert_eq!(served.get(MAIN).await.json["maintenance"], false);
    for on in [true, true, false] {
        let answer = served.post(&format!("{MAIN}/maintenance"), &json!({"on": on})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(
            (&answer.json["name"], &answer.json["maintenance"]),
            (&json!("main"), &json!(on))
        );
        assert_eq!(served.get(MAIN).await.json["maintenance"], on);
    }
    let path = format!("{MAIN}/maintenance");
    for (body, needle) in [("{}", "missing field `on`"), (r#"{"on":"yes"}"#, "`on`")] {
        let answer = call(served.api(), posted(&path, body)).await;
        assert!(answer.problem(400, "malformed").contains(needle), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_master_that_somebody_closed_is_an_alarm_until_it_is_resumed() {
    let served = Served::registered(Flavor::MySql).await;
    assert_eq!(served.get(MAIN).await.json["alarms"], json!([]));
    let master = served.world.node(1);
    served.world.close(&master, &Tag::new(OperationId(99))).await.unwrap();
    served.until(|now| !now.alarms.is_empty()).await;
    let cluster = served.get(MAIN).await.json;
    let alarm = &cluster["alarms"][0];
    assert_eq!(
        (&alarm["id"], &alarm["node"]),
        (&json!("master-read-only"), &json!("10.0.0.1:3306"))
    );
    assert!(alarm["text"].as_str().unwrap().contains("resume 10.0.0.1:3306"));
    assert_eq!(done(&served, 1, "resume").await.0, "OK");
    served.until(|now| now.alarms.is_empty()).await;
}

#[tokio::test]
async fn availability_first_is_confirmed_and_says_what_both_masters_took() {
    let served = Served::registered(Flavor::MySql).await;
    let body = |more: Value| {
        let mut body = json!({"to": "10.0.0.2:3306", "strategy": "availability"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let path = format!("{MAIN}/switch?wait=15s");
    let plan = served.post(&path, &body(json!({"dry_run": true}))).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    assert_eq!(plan.json["strategy"], "availability");
    assert_eq!(plan.json["confirm"], "10.0.0.2:3306");
    assert_eq!(plan.json["forecast_ms"], Value::Null);
    assert!(plan.json["warnings"].to_string().contains("takes writes while 10.0.0.1:3306 still"));

    let unconfirmed = served.post(&path, &body(json!({}))).await;
    unconfirmed.problem(409, "not-allowed");
    assert_eq!(unconfirmed.json["reason"], "not-confirmed");
    assert!(served.handle.snapshot().operations.is_empty());

    let moved = served.post(&path, &body(json!({"confirm": "10.0.0.2:3306"}))).await;
    assert_eq!(moved.json["outcome"], "succeeded", "{}", moved.text);
    assert_eq!(moved.json["strategy"], "availability");
    assert_eq!(moved.json["diverged"], json!({"overlap": "", "not_taken_over": null}));
    assert_eq!(moved.json["loss"]["verdict"], "lossless");
    assert_eq!(moved.json["interrupted"], json!([]));
    let names: Vec<_> =
        moved.json["steps"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    let place = |name: &str| names.iter().position(|one| **one == name).unwrap();
    assert!(place("open-beside") < place("freeze") && place("freeze") < place("catch-up"));
    assert_eq!(served.get(MAIN).await.json["master"], "10.0.0.2:3306");
}
