//! What becomes of a command whose output nobody reads: a change goes on, and the exit code tells
//! its outcome.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../mysqlsvc-http/tests/served/mod.rs"]
mod served;

use std::process::{Command, Stdio};

use mysqlsvc_core::{
    ActionErrorKind, Flavor,
    testing::{CallKind, Fault, FaultKind, When},
};
use mysqlsvc_http::server::serve;
use served::Served;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Exit code and stderr of the command with a stdout that is closed before it begins.
async fn unread(served: &Served, arguments: &[&str]) -> (i32, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, served.api(), stop.clone()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysqlsvc"));
    command.env_remove("MYSQLSVC_CLUSTER").env_remove("MYSQLSVC_TOKEN_FILE");
    command.args(arguments).env("MYSQLSVC_URL", url);
    command.stdin(Stdio::null()).stdout(closed()).stderr(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The writing end of a pipe that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

async fn outcome_of_the_switch(served: &Served) -> String {
    let operation = served.get("/api/v1/clusters/main/operations/1").await;
    operation.json["outcome"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_goes_on_to_its_end() {
    for form in [
        &["switch", "--to", "10.0.0.2", "--yes"][..],
        &["switch", "--to", "10.0.0.2", "--yes", "--json"],
    ] {
        let served = Served::registered(Flavor::MySql).await;
        assert_eq!(unread(&served, form).await, (0, String::new()));
        assert_eq!(outcome_of_the_switch(&served).await, "succeeded", "it was not followed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_was_rolled_back_is_a_failure() {
    let served = Served::registered(Flavor::MySql).await;
    served.world.plan_fault(Fault {
        when: When::Action { kind: CallKind::Freeze, node: served.world.node(1), after: 0 },
        what: FaultKind::Fail(ActionErrorKind::Refused),
    });
    let (code, said) = unread(&served, &["switch", "--to", "10.0.0.2", "--yes"]).await;
    assert_eq!(code, 1);
    assert!(said.contains("operation 1 did not succeed: it was rolled back"), "{said}");
    let (code, said) = unread(&served, &["operation", "1", "--follow"]).await;
    assert_eq!(
        (code, said.as_str()),
        (
            1,
            "mysqlsvc: operation 1 did not succeed: it was rolled back, the cluster is as it was\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_cannot_ask_is_not_begun() {
    let served = Served::registered(Flavor::MySql).await;
    let (code, said) = unread(&served, &["switch", "--to", "10.0.0.2"]).await;
    assert_eq!(code, 2, "{said}");
    assert!(served.handle.snapshot().operations.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_showing_something_is_no_failure() {
    let served = Served::registered(Flavor::MySql).await;
    for command in [&["status"][..], &["nodes"], &["operations", "--json"]] {
        assert_eq!(unread(&served, command).await, (0, String::new()), "{command:?}");
    }
}
