//! `activate` against a monitor that answers before the operation is over (202).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const NODE: &str = "10.0.0.2:3306";

/// A monitor whose one operation is under way when `activate` is answered, and has ended as `outcome`
/// when it is looked at for the third time.
#[derive(Clone)]
struct Monitor {
    outcome: &'static str,
    begun: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
}

impl Monitor {
    fn operation(&self) -> Value {
        let ended = self.looks.fetch_add(1, Ordering::SeqCst) >= 2;
        let outcome = if ended { self.outcome } else { "running" };
        json!({"id": "7", "kind": "activate", "from": NODE, "outcome": outcome})
    }

    fn old() -> Value {
        json!({"id": "6", "kind": "activate", "from": NODE, "outcome": "rolled_back"})
    }

    fn operations(&self) -> Value {
        if self.begun.load(Ordering::SeqCst) == 0 {
            return json!([Self::old()]);
        }
        json!([self.operation(), Self::old()])
    }
}

fn node(state: &str) -> Value {
    json!({"addr": NODE, "role": "slave", "state": state})
}

async fn activate(outcome: &'static str) -> Output {
    let cluster = json!([{"name": "main", "epoch": 1, "phase": "open", "nodes": [node("LOST")]}]);
    let monitor = Monitor { outcome, begun: Arc::default(), looks: Arc::default() };
    let path = "/api/v1/clusters/main/nodes/{node}";
    let router = Router::new()
        .route("/api/v1/clusters", get(async || Json(cluster)))
        .route(path, get(async || Json(node("OK"))))
        .route(
            &format!("{path}/activate"),
            post(async |State(monitor): State<Monitor>| {
                monitor.begun.store(1, Ordering::SeqCst);
                (StatusCode::ACCEPTED, Json(node("LOST")))
            }),
        )
        .route(
            "/api/v1/clusters/main/operations",
            get(async |State(monitor): State<Monitor>| Json(monitor.operations())),
        )
        .route(
            "/api/v1/clusters/main/operations/7",
            get(async |State(monitor): State<Monitor>| Json(monitor.operation())),
        )
        .with_state(monitor);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysqlsvc"));
    command.env_remove("MYSQLSVC_CLUSTER").env_remove("MYSQLSVC_TOKEN_FILE");
    command.args(["activate", NODE]).env("MYSQLSVC_URL", url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    serving.abort();
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_that_takes_longer_is_followed_to_its_success() {
    let output = activate("succeeded").await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, format!("{NODE} is slave, OK\n"), "not the node as it is at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_that_is_taken_back_later_is_a_failure_that_names_the_operation() {
    let output = activate("rolled_back").await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("operation 7 did not succeed: it was rolled back"), "{said}");
    assert!(output.stdout.is_empty());
}
