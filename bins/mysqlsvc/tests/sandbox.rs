//! `mysqlsvc sandbox` as a user runs it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mysqlsvc"));
    command.arg("sandbox").args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    sandbox(arguments).output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn up_prints_the_agreed_json_and_down_removes_all() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let dir_text = dir.to_str().unwrap();

    let up = run(&["up", "--nodes", "2", "--wire", "--dir", dir_text]);

    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let hint = String::from_utf8_lossy(&up.stderr).into_owned();
    assert!(hint.contains(&format!("sandbox down --dir {dir_text}")), "{hint}");
    let json: serde_json::Value = serde_json::from_slice(&up.stdout).unwrap();
    assert_eq!(json["flavor"], "mariadb");
    assert!(json["version"].as_str().unwrap().contains("MariaDB"));
    assert_eq!(json["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(json["nodes"][1]["server_id"], 2);
    assert!(json["nodes"][1]["port"].as_u64().unwrap() > 0);
    for account in ["root", "dba", "repl", "app"] {
        assert_eq!(json["accounts"][account]["user"], account);
        assert!(json["accounts"][account]["password"].as_str().unwrap().len() > 20);
    }
    for file in ["sandbox.json", "secret.conf"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    let secrets = fs::read_to_string(dir.join("secret.conf")).unwrap();
    let dba = json["accounts"]["dba"]["password"].as_str().unwrap();
    assert!(secrets.contains(&format!("dba_passwd={dba}\n")));

    let status = run(&["status", "--dir", dir_text]);
    let seen: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&seen[0]["read_only"], &seen[1]["read_only"]), (&false.into(), &true.into()));

    assert!(run(&["down", "--dir", dir_text]).status.success());
    assert!(!dir.exists());
    let again = run(&["down", "--dir", dir_text]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not a sandbox"));
}

#[test]
fn an_interrupted_up_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let log = place.path().join("stderr");
    let mut up = sandbox(&["up", "--nodes", "4", "--dir", dir.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !dir.join("node1").exists() {
        let ended = up.try_wait().unwrap();
        assert_eq!(ended, None, "{}", fs::read_to_string(&log).unwrap());
        assert!(Instant::now() < deadline, "it did not begin");
        thread::sleep(Duration::from_millis(5));
    }

    let pid = up.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());

    assert_eq!(up.wait().unwrap().code(), Some(1));
    assert!(!dir.exists(), "the directory is left");
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_option() {
    for (arguments, named) in [
        (&["up", "--nodes", "0"][..], "--nodes"),
        (&["up", "--flavor", "oracle"][..], "--flavor"),
        (&["up", "--flavor", "mysql", "--runtime", "process"][..], "--runtime"),
        (&["up", "--flavor", "mysql", "--base-port", "4000"][..], "--base-port"),
        (&["up", "--base-port", "65534"][..], "--base-port"),
        (&["down"][..], "--dir"),
    ] {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}
