//! The commands that talk to a monitor, as a user runs them, against the real service in front of
//! model servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../mysqlsvc-http/tests/served/mod.rs"]
mod served;

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use mysqlsvc_core::{
    ActionErrorKind, Flavor, NodeState,
    testing::{CallKind, Fault, FaultKind, When},
};
use mysqlsvc_http::server::serve;
use serde_json::Value;
use served::{Events, Served};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A monitor on a port of its own.
struct Monitor {
    served: Served,
    url: String,
}

impl Monitor {
    async fn around(served: Served) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, served.api(), CancellationToken::new()));
        Self { served, url }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        run(&self.url, arguments, "").await
    }
}

fn command(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysqlsvc"));
    command.env_remove("MYSQLSVC_CLUSTER").env_remove("MYSQLSVC_TOKEN_FILE");
    command.env("MYSQLSVC_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = command(url);
    command.args(arguments);
    output(command, input).await
}

async fn output(mut command: Command, input: &str) -> Output {
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}

/// script(1), which every Debian has, gives it a terminal.
async fn on_a_terminal(monitor: &Monitor, arguments: &str, typed: &str) -> Output {
    let mut script = Command::new("script");
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_mysqlsvc"));
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("MYSQLSVC_URL", &monitor.url).env("NO_COLOR", "1");
    script.stdout(Stdio::piped()).stderr(Stdio::piped());
    output(script, typed).await
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_registered_and_shown() {
    let monitor = Monitor::around(Served::start("main", Flavor::MariaDb).await).await;
    for (node, role) in
        [("10.0.0.1:3306", "master"), ("10.0.0.2", "standby"), ("10.0.0.3", "slave")]
    {
        let (code, out, err) = said(&monitor.run(&["register", node, "--as", role]).await);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains(&format!("is {role}, ")), "{out}");
    }
    let (code, out, err) = said(&monitor.run(&["register", "10.0.0.4", "--as", "master"]).await);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("mysqlsvc: Not allowed now: "), "{err}");
    assert!(err.contains("(role-taken)"), "{err}");

    let (code, out, _) = said(&monitor.run(&["status"]).await);
    assert_eq!(code, 0);
    assert!(out.starts_with("main  epoch 1, master 10.0.0.1:3306\n"), "{out}");
    assert!(out.contains("\nunregistered  10.0.0.4:3306  UNREGISTERED"), "{out}");
    assert!(!out.contains('\x1b'), "colours without a terminal: {out}");
    let (_, out, _) = said(&monitor.run(&["status", "--json"]).await);
    let clusters: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(clusters[0]["nodes"].as_array().unwrap().len(), 4);
    let (code, out, _) = said(&monitor.run(&["nodes"]).await);
    assert_eq!((code, out.matches("  looked at  ").count()), (0, 4), "{out}");

    let (code, out, _) = said(&monitor.run(&["unregister", "10.0.0.3"]).await);
    assert_eq!((code, out.as_str()), (0, "10.0.0.3:3306 is unregistered, UNREGISTERED\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_planned_done_followed_and_looked_up() {
    let monitor = Monitor::around(Served::registered(Flavor::MySql).await).await;
    let (code, out, _) = said(&monitor.run(&["switch", "--to", "10.0.0.2", "--dry-run"]).await);
    assert_eq!(code, 0);
    assert!(out.starts_with("Plan: switch from 10.0.0.1:3306 to 10.0.0.2:3306\n   1  "), "{out}");
    let (code, out, _) = said(&monitor.run(&["operations"]).await);
    assert_eq!((code, out.as_str()), (0, "no operation was done yet\n"));

    let (code, out, err) = said(&monitor.run(&["switch", "--to", "10.0.0.2"]).await);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--yes"), "{err}");

    let (code, out, err) = said(&monitor.run(&["switch", "--to", "10.0.0.2", "--yes"]).await);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for line in ["\nOperation 1 began.\n", "freeze 10.0.0.1:3306", "\nsucceeded, ", "nothing lost"]
    {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (code, out, _) = said(&monitor.run(&["operation", "1"]).await);
    assert_eq!(code, 0);
    assert!(out.starts_with("Operation 1: switch 10.0.0.1:3306 to 10.0.0.2:3306  by local"));
    let (_, out, _) = said(&monitor.run(&["operation", "1", "--json"]).await);
    let operation: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(operation["outcome"], "succeeded");

    let back = ["switch", "--to", "10.0.0.1", "--yes", "--json"];
    monitor.served.until(|now| now.nodes.iter().all(|node| node.state == NodeState::Ok)).await;
    let (code, out, err) = said(&monitor.run(&back).await);
    assert_eq!((code, err.as_str()), (0, ""));
    let operation: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&operation["id"], &operation["outcome"]), (&"2".into(), &"succeeded".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_was_rolled_back_is_a_failure_with_its_reason() {
    let monitor = Monitor::around(Served::registered(Flavor::MySql).await).await;
    let world = &monitor.served.world;
    world.plan_fault(Fault {
        when: When::Action { kind: CallKind::Freeze, node: world.node(1), after: 0 },
        what: FaultKind::Fail(ActionErrorKind::Refused),
    });
    let (code, out, err) = said(&monitor.run(&["switch", "--to", "10.0.0.2", "-y"]).await);
    assert_eq!(code, 1);
    assert!(out.contains("FAILED") && out.contains("\nrolled back, "), "{out}");
    assert!(err.contains("operation 1 did not succeed: it was rolled back"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_nodes_name_must_be_typed() {
    let monitor = Monitor::around(Served::registered(Flavor::MySql).await).await;
    let typing = |typed| on_a_terminal(&monitor, "switch --to 10.0.0.2:3306", typed);
    let (code, out, _) = said(&typing("yes\n").await);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("you typed `yes`, not `10.0.0.2:3306`: nothing was done"), "{out}");
    assert!(monitor.served.handle.snapshot().operations.is_empty());

    let (code, out, _) = said(&typing("10.0.0.2:3306\n").await);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("succeeded, "), "{out}");
    assert!(!out.contains("\x1b[3"), "NO_COLOR was not respected: {out}");
}

/// Servers that replicate, a monitor that knows nothing of them, and a proxy that knows epoch 41.
async fn forgotten() -> (Monitor, Events) {
    let monitor = Monitor::around(Served::start("main", Flavor::MariaDb).await).await;
    let other_store = "00000000-0000-0000-0000-000000000008";
    let path = format!("/servers?proxy=web-1&mode=master&incarnation={other_store}&epoch=41");
    let proxy = Events::open(monitor.served.sse(), &path).await;
    monitor.served.until(|now| !now.alarms.is_empty()).await;
    (monitor, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_cluster_is_shown_and_adopted() {
    let (monitor, _proxy) = forgotten().await;
    let (_, out, _) = said(&monitor.run(&["status"]).await);
    assert!(out.contains("\nALARM epoch-behind: "), "{out}");
    let (code, out, err) = said(&monitor.run(&["adopt", "--dry-run"]).await);
    assert_eq!((code, err.as_str()), (0, ""));
    let expected = "\
Adopt main: epoch 42, master 10.0.0.1:3306

TAKEN AS  NODE           SAYS
master    10.0.0.1:3306  writable
slave     10.0.0.2:3306  read-only, replicates from 10.0.0.1:3306
slave     10.0.0.3:3306  read-only, replicates from 10.0.0.1:3306
slave     10.0.0.4:3306  read-only, replicates from 10.0.0.1:3306

This store is at epoch 0. Proxy web-1 (on the monitor's host, mode master) says that it knows epoch \
41 of another store: it takes routes from epoch 42 on.
";
    assert_eq!(out, expected);
    let (_, out, _) = said(&monitor.run(&["adopt", "--dry-run", "--json"]).await);
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&shown["epoch"], &shown["heard"]["proxy"]), (&42.into(), &"web-1".into()));

    let (code, out, err) = said(&monitor.run(&["adopt"]).await);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--yes") && err.contains("--dry-run"), "{err}");
    let (code, out, err) = said(&monitor.run(&["adopt", "--yes"]).await);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with(expected), "{out}");
    assert!(out[expected.len()..].starts_with("\nmain  epoch 42, master 10.0.0.1:3306\n"), "{out}");
    let (_, out, _) = said(&monitor.run(&["adopt", "--yes", "--json"]).await);
    let cluster: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(cluster["epoch"], 43, "one document, and an epoch of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_clusters_name_must_be_typed() {
    let (monitor, _proxy) = forgotten().await;
    let (code, out, _) = said(&on_a_terminal(&monitor, "adopt", "yes\n").await);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("you typed `yes`, not `main`: nothing was done"), "{out}");
    assert_eq!(monitor.served.handle.snapshot().master, None);
    let (code, out, _) = said(&on_a_terminal(&monitor, "adopt", "main\n").await);
    assert_eq!(code, 0, "{out}");
    assert!(monitor.served.handle.snapshot().master.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_paused_resumed_and_detached() {
    let monitor = Monitor::around(Served::registered(Flavor::MySql).await).await;
    let (code, out, err) = said(&monitor.run(&["pause", "10.0.0.3"]).await);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "10.0.0.3:3306 is slave, PAUSED (paused by the operator)\n");
    let (_, out, _) = said(&monitor.run(&["status"]).await);
    assert!(out.contains("paused by the operator"), "{out}");
    let (code, _, err) = said(&monitor.run(&["pause", "10.0.0.3"]).await);
    assert_eq!(code, 1);
    assert!(err.contains("(wrong-state)"), "{err}");
    assert_eq!(said(&monitor.run(&["resume", "10.0.0.3"]).await).0, 0);
    let (code, out, _) = said(&monitor.run(&["detach", "10.0.0.3"]).await);
    assert_eq!((code, out.as_str()), (0, "10.0.0.3:3306 is slave, DETACHED\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_is_said_where_people_look() {
    let monitor = Monitor::around(Served::start("main", Flavor::MySql).await).await;
    let (code, out, err) = said(&monitor.run(&["maintenance", "on"]).await);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "main: maintenance is on, the monitor does nothing by itself\n");
    let (_, out, _) = said(&monitor.run(&["status"]).await);
    assert!(out.starts_with("main  epoch 0, no master, maintenance\n"), "{out}");
    let (code, out, _) = said(&monitor.run(&["maintenance", "off"]).await);
    assert_eq!(code, 0);
    assert!(out.starts_with("main: maintenance is off"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn availability_first_says_what_it_risks_and_is_confirmed_by_yes() {
    let monitor = Monitor::around(Served::registered(Flavor::MySql).await).await;
    let switch = ["switch", "--to", "10.0.0.2", "--strategy", "availability"];
    let (code, _, err) = said(&monitor.run(&switch).await);
    assert_eq!(code, 2, "{err}");
    let (code, out, err) = said(&monitor.run(&[&switch[..], &["--yes"]].concat()).await);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for line in ["\nAvailability first: ", "\nNote: ", "the old master wrote nothing while both"] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (_, out, _) = said(&monitor.run(&["operation", "1"]).await);
    assert!(out.contains("\navailability first\n"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_one_message_and_the_right_exit_code() {
    let monitor = Monitor::around(Served::start("main", Flavor::MySql).await).await;
    let cases: &[(&[&str], i32, &str)] = &[
        (&["status", "--cluster", "other"], 2, "no cluster is named `other`; there are: main"),
        (&["activate", "10.0.0.9"], 2, "has no node `10.0.0.9`"),
        (&["operation", "9"], 1, "no operation `9`"),
        (&["switch", "--to", "10.0.0.2", "--dry-run"], 1, "(not-registered)"),
        (&["status", "--token-file", "/nowhere/token"], 1, "/nowhere/token"),
        (&["statsu"], 2, "status"),
    ];
    for (arguments, code, needle) in cases {
        let (seen, out, err) = said(&monitor.run(arguments).await);
        assert_eq!((seen, out.as_str()), (*code, ""), "{arguments:?}: {err}");
        assert!(err.contains(needle), "{arguments:?}: {err}");
    }
    let (code, _, err) = said(&run("http://127.0.0.1:1", &["status"], "").await);
    assert_eq!(code, 1);
    assert!(err.contains("is monitord running there?"), "{err}");
    let (code, out, _) = said(&run("http://127.0.0.1:1", &["completions", "bash"], "").await);
    assert_eq!(code, 0);
    assert!(out.contains("complete -F _mysqlsvc"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_given_for_all_nodes_or_one() {
    let monitor = Monitor::around(Served::with_advice().await).await;
    let (code, out, err) = said(&monitor.run(&["advise"]).await);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("main  2 warnings, 1 hint, 2 could not be asked\n"), "{out}");
    assert!(out.contains("\n             SET PERSIST sync_binlog = 1;\n"), "{out}");
    assert!(!out.contains('\x1b'), "colours without a terminal: {out}");
    let (code, out, _) = said(&monitor.run(&["advise", "10.0.0.2", "--json"]).await);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, document["nodes"].as_array().unwrap().len()), (0, 1));
    assert_eq!(document["nodes"][0]["findings"][0]["id"], "replica-skips-errors");
    let (code, _, err) = said(&monitor.run(&["advise", "10.0.0.9"]).await);
    assert_eq!(code, 2, "{err}");
}
