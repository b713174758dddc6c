//! Advice by the API, on facts that are given.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod served;

use axum::http::StatusCode;
use mysqlsvc_http::wire::{AdviceDocument, NodeAdviceDocument};
use served::Served;

#[tokio::test]
async fn every_node_is_advised_and_one_that_cannot_be_asked_says_so() {
    let served = Served::with_advice().await;
    let answer = served.get("/api/v1/clusters/main/advice").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let document: AdviceDocument = serde_json::from_value(answer.json.clone()).unwrap();
    assert_eq!((document.cluster.as_str(), document.nodes.len()), ("main", 4));
    let finding = &answer.json["nodes"][0]["findings"][0];
    assert_eq!(finding["id"], "sync-binlog-not-1");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["node"], "10.0.0.1:3306");
    assert_eq!(finding["seen"], "sync_binlog is 0");
    assert_eq!(finding["statements"][0], "SET PERSIST sync_binlog = 1");
    assert_eq!(finding["restart"], false);
    let silent = &document.nodes[3];
    assert!(silent.error.as_ref().unwrap().contains("nothing is known of 10.0.0.4:3306"));
    assert!(silent.findings.is_empty());
}

#[tokio::test]
async fn one_node_is_advised_by_its_address() {
    let served = Served::with_advice().await;
    let answer = served.get("/api/v1/clusters/main/nodes/10.0.0.2:3306/advice").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let document: NodeAdviceDocument = serde_json::from_value(answer.json).unwrap();
    assert_eq!(document.addr, "10.0.0.2:3306");
    let ids: Vec<&str> = document.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["replica-skips-errors"]);
    assert!(document.findings[0].restart);

    let nobody = served.get("/api/v1/clusters/main/nodes/10.0.0.9:3306/advice").await;
    nobody.problem(404, "unknown-node");
    served.get("/api/v1/clusters/other/advice").await.problem(404, "unknown-cluster");
    let post = served.post("/api/v1/clusters/main/advice", &serde_json::json!({})).await;
    post.problem(405, "method-not-allowed");
}
