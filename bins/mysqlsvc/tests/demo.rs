//! `mysqlsvc demo` as a user runs it. Needs monitord and proxyd built beside it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_mins(1);

/// All that a demo makes is below `place`.
fn demo(arguments: &[&str], place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysqlsvc"));
    command.arg("demo").args(arguments).env("TMPDIR", place).stdin(Stdio::null());
    command
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never seen: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Processes that name `place` in their arguments, guards aside.
fn processes(place: &Path) -> Vec<String> {
    let place = place.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(place) && !line.starts_with("sh "))
        .collect()
}

fn nothing_is_left(place: &Path) {
    until("no process", || processes(place).is_empty());
    until("no file", || fs::read_dir(place).unwrap().next().is_none());
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A demo whose proxies run.
fn running(place: &Path) -> Child {
    let mut child = demo(&[], place).stdout(Stdio::null()).spawn().unwrap();
    until("a proxy", || {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        processes(place).iter().any(|line| line.contains("proxyd"))
    });
    child
}

#[test]
fn once_and_json_print_one_document_and_lose_nothing() {
    let place = tempfile::tempdir().unwrap();

    let output = demo(&["--once", "--json", "--switches", "2"], place.path()).output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["flavor"], &json["switches"]), (&"mariadb".into(), &2.into()));
    assert_eq!(json["lost"], 0);
    assert!(json["acknowledged"].as_u64().unwrap() > 0);
    assert_eq!(json["found"], json["acknowledged"]);
    assert_eq!((&json["servers"], &json["audited"]), (&4.into(), &4.into()));
    assert_eq!(json["unexpected"], 0);
    assert!(json["client_errors"].is_u64());
    assert_eq!(json["errors"]["refused_on_fresh_connection"], 0, "{json}");
    assert_eq!(json["checks"]["two_writable"], 0);
    for times in ["gap_ms", "critical_section_ms"] {
        for figure in ["p50", "max"] {
            assert!(json[times][figure].as_f64().unwrap() > 0.0, "{times}.{figure}");
        }
    }
    assert!(said.contains("Planned switch") && !said.contains('\x1b'), "{said}");
    nothing_is_left(place.path());
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut child = running(place.path());

    signal(&child, "-INT");

    // The programs are gone before it is.
    let status = child.wait().unwrap();
    assert_eq!(processes(place.path()), Vec::<String>::new());
    assert!(status.code().is_some(), "{status}");
    nothing_is_left(place.path());
}

#[test]
fn a_demo_that_is_killed_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut child = running(place.path());

    child.kill().unwrap();

    child.wait().unwrap();
    nothing_is_left(place.path());
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_option() {
    let place = tempfile::tempdir().unwrap();
    for (arguments, named) in [
        (["--flavor", "oracle"], "--flavor"),
        (["--switches", "0"], "--switches"),
        (["--writers", "0"], "--writers"),
    ] {
        let output = demo(&arguments, place.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(named), "{said}");
    }
}
