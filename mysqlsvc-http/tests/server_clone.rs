//! Clone over HTTP, in front of model servers.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use axum::http::StatusCode;
use mysqlsvc_core::{
    Flavor, NodeState,
    testing::{CallKind, Disturbance},
};
use serde_json::{Value, json};
use served::Served;

const NODE: &str = "10.0.0.3:3306";
const CLONE: &str = "/api/v1/clusters/main/nodes/10.0.0.3:3306/clone";

/// Begins it, and waits for its end.
async fn clone(served: &Served) -> Value {
    let begun = served.post(CLONE, &json!({"donor": "10.0.0.2:3306", "confirm": NODE})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    served.until(|now| now.operations.last().is_some_and(|last| last.ended.is_some())).await;
    let id = begun.json["id"].as_str().unwrap();
    served.get(&format!("/api/v1/clusters/main/operations/{id}")).await.json
}

#[tokio::test]
async fn a_diverged_slave_is_cloned_once_it_was_confirmed() {
    let served = Served::registered(Flavor::MySql).await;
    served.world.write_errant(&served.world.node(3));
    served.post(CLONE, &json!({})).await.problem(409, "not-allowed");
    let wrong = served.post(CLONE, &json!({"confirm": "10.0.0.2:3306"})).await;
    wrong.problem(400, "malformed");
    assert_eq!(wrong.json["reason"], "confirm-mismatch");
    let plan = served.post(CLONE, &json!({"dry_run": true})).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    assert_eq!((&plan.json["kind"], &plan.json["confirm"]), (&json!("clone"), &json!(NODE)));
    assert!(plan.json["warnings"][0].as_str().unwrap().contains("which are lost by it"));

    let operation = clone(&served).await;
    assert_eq!(operation["outcome"], "succeeded", "{operation:#}");
    assert_eq!((&operation["from"], &operation["to"]), (&json!("10.0.0.2:3306"), &json!(NODE)));
    assert_eq!(operation["progress"], Value::Null);
    served.until(|now| now.nodes.iter().all(|node| node.state == NodeState::Ok)).await;
}

#[tokio::test]
async fn a_copy_that_was_given_up_is_a_failed_operation() {
    let served = Served::registered(Flavor::MariaDb).await;
    served.world.disturb(Disturbance::Deny(served.world.node(3), CallKind::CopyFrom));
    let operation = clone(&served).await;
    assert_eq!(operation["outcome"], "failed", "{operation:#}");
    assert!(operation["error"].as_str().unwrap().contains("CopyFrom"));
    assert_eq!(operation["left_behind"][0]["node"], NODE);
    let node = served.get(CLONE.strip_suffix("/clone").unwrap()).await.json;
    assert!(node["cause"].as_str().unwrap().starts_with("copy due"), "{node:#}");
}
