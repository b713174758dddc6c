//! The API client against a real HTTP server.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use mysqlsvc_http::client::{ApiClient, ApiError};
use mysqlsvc_http::wire::{
    HealthStatus, NodeAction, OperationOutcome, RegisterRequest, Role, SwitchRequest,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn serve(app: Router) -> ApiClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    ApiClient::new(url.parse().unwrap(), Duration::from_secs(10)).unwrap()
}

fn node(addr: &str, role: &str) -> Value {
    json!({"addr": addr, "role": role, "state": "OK", "allowed": [
        {"operation": "switch", "ok": false, "reason": "it is the master"}]})
}

fn cluster(name: &str) -> Value {
    json!({"name": name, "epoch": 7, "phase": "open", "master": "10.0.0.1:3306", "mutual": false,
        "nodes": [node("10.0.0.1:3306", "master")], "operation": null})
}

fn request() -> SwitchRequest {
    SwitchRequest { to: "10.0.0.2:3306".into(), strategy: None, dry_run: false, confirm: None }
}

#[tokio::test]
async fn clusters_and_nodes_are_read() {
    let app = Router::new()
        .route("/api/v1/clusters", get(async || Json(json!([cluster("main")]))))
        .route("/api/v1/clusters/{c}", get(async |Path(name): Path<String>| Json(cluster(&name))));
    let client = serve(app).await;
    let clusters = client.clusters().await.unwrap();
    assert_eq!(clusters[0].nodes[0].role, Role::Master);
    let odd = client.cluster("a/b c").await.unwrap();
    assert_eq!(odd.name, "a/b c");
    assert_eq!(odd.nodes[0].allowed[0].reason.as_deref(), Some("it is the master"));
}

#[tokio::test]
async fn node_operations_go_to_the_contracts_paths() {
    let register = async |Path((_, addr)): Path<(String, String)>,
                          Json(request): Json<RegisterRequest>| {
        Json(node(&addr, request.role.as_str()))
    };
    let pause = async |Path((_, addr)): Path<(String, String)>, Json(_): Json<Value>| {
        Json(node(&addr, "slave"))
    };
    let app = Router::new()
        .route("/api/v1/clusters/{c}/nodes/{addr}/register", post(register))
        .route("/api/v1/clusters/{c}/nodes/{addr}/pause", post(pause));
    let client = serve(app).await;
    let registered = client.register("main", "[::1]:3306", Role::Standby).await.unwrap();
    assert_eq!((registered.addr.as_str(), registered.role), ("[::1]:3306", Role::Standby));
    client.act("main", "10.0.0.1:3306", NodeAction::Pause).await.unwrap();
}

#[tokio::test]
async fn a_dry_run_never_switches_and_a_switch_says_how_long_it_waits() {
    let switch = async |Query(query): Query<Value>, Json(request): Json<SwitchRequest>| {
        if request.dry_run {
            return Json(json!({"kind": "switch", "to": request.to, "steps": [
                {"name": "freeze", "description": "make it read-only", "class": "try"}]}))
            .into_response();
        }
        assert_eq!(query["wait"], "30000ms");
        let operation = json!({"id": "op-1", "kind": "switch", "to": request.to,
            "outcome": "succeeded", "critical_section_ms": 12.5});
        (StatusCode::ACCEPTED, Json(operation)).into_response()
    };
    let client = serve(Router::new().route("/api/v1/clusters/main/switch", post(switch))).await;
    let plan = client.plan_switch("main", request()).await.unwrap();
    assert_eq!(plan.steps[0].name, "freeze");
    let wait = Some(Duration::from_secs(30));
    let operation = client.switch("main", request(), wait).await.unwrap();
    assert_eq!(operation.outcome, OperationOutcome::Succeeded);
    assert_eq!(operation.critical_section_ms, Some(12.5));
}

#[tokio::test]
async fn a_refusal_carries_the_problem() {
    let refuse = async || -> Response {
        let problem = json!({"type": "/problems/not-allowed", "title": "Not allowed now",
            "status": 409, "detail": "10.0.0.2:3306 is LOST", "reason": "state is LOST"});
        (StatusCode::CONFLICT, Json(problem)).into_response()
    };
    let client = serve(Router::new().route("/api/v1/clusters/main/switch", post(refuse))).await;
    let error = client.switch("main", request(), None).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.reason.as_deref()), (409, Some("state is LOST")));
    assert!(error.to_string().contains("10.0.0.2:3306 is LOST"), "{error}");
}

#[tokio::test]
async fn what_is_no_monitor_is_told_apart_from_one_that_refuses() {
    let app = Router::new()
        .route("/api/v1/clusters", get(async || "<html>welcome"))
        .route("/api/v1/clusters/main", get(async || StatusCode::BAD_GATEWAY))
        .route("/healthz", get(std::future::pending::<&'static str>));
    let client = serve(app).await;
    let error = client.clusters().await.unwrap_err();
    assert!(matches!(error, ApiError::NotUnderstood { status: 200, .. }), "{error}");
    assert!(error.to_string().contains("<html>welcome"), "{error}");
    let error = client.cluster("main").await.unwrap_err();
    assert!(matches!(error, ApiError::NotUnderstood { status: 502, .. }), "{error}");

    let hasty = ApiClient::new(client.monitor().clone(), Duration::from_millis(50)).unwrap();
    assert!(matches!(hasty.healthz().await.unwrap_err(), ApiError::TimedOut { .. }));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let client = ApiClient::new(gone, Duration::from_secs(10)).unwrap();
    let error = client.clusters().await.unwrap_err();
    assert!(error.to_string().contains("is monitord running there?"), "{error}");
}

#[tokio::test]
async fn an_unready_monitor_is_a_document_and_the_token_is_sent_but_not_shown() {
    let readyz = async |headers: HeaderMap| {
        assert_eq!(headers["authorization"], "Bearer hunter2");
        let document = json!({"status": "failing", "checks": [
            {"name": "store", "ok": false, "detail": "disk full"}]});
        (StatusCode::SERVICE_UNAVAILABLE, Json(document))
    };
    let client = serve(Router::new().route("/readyz", get(readyz))).await;
    assert!(matches!(client.clone().with_token("a\nb"), Err(ApiError::BadToken)));
    let client = client.with_token("hunter2\n").unwrap();
    assert!(!format!("{client:?}").contains("hunter2"));
    let health = client.readyz().await.unwrap();
    assert_eq!(health.status, HealthStatus::Failing);
    assert_eq!(health.checks[0].detail, "disk full");
}
