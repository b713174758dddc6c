//! A sandbox ends with its owner, also when that is killed at a bad moment.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use mysqlsvc_sandbox::{Flavor, Sandbox};
use support::{eventually, left_in_docker, processes_of};

const DIR: &str = "SANDBOX_TEST_OWNER_DIR";
const FLAVOR: &str = "SANDBOX_TEST_OWNER_FLAVOR";

/// Not a test, but the process that the tests kill: this program started once more.
#[tokio::test]
#[ignore = "run by the other tests as their child"]
async fn owner() {
    let (Ok(dir), Ok(flavor)) = (std::env::var(DIR), std::env::var(FLAVOR)) else {
        return;
    };
    let flavor: Flavor = flavor.parse().unwrap();
    let _sandbox =
        Sandbox::builder().flavor(flavor).nodes(2).dir(&dir).wire(true).start().await.unwrap();
    fs::write(Path::new(&dir).join("up"), "").unwrap();
    std::future::pending::<()>().await;
}

fn spawn_owner(dir: &Path, flavor: Flavor) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner", "--ignored"])
        .env(DIR, dir)
        .env(FLAVOR, flavor.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the owner as soon as `file` is in its directory, and waits until nothing is left.
async fn leaves_nothing_when_killed_at(flavor: Flavor, file: &str) {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let mut owner = spawn_owner(&dir, flavor);
    eventually("the moment to kill", async || {
        assert_eq!(owner.try_wait().unwrap(), None, "the owner ended by itself");
        dir.join(file).exists()
    })
    .await;
    let id = fs::read_to_string(dir.join(".mysqlsvc-sandbox")).unwrap();
    assert!(!id.is_empty());

    owner.kill().unwrap();
    assert_eq!(owner.wait().unwrap().signal(), Some(9));

    eventually("nothing left", async || {
        !dir.exists() && processes_of(&dir).is_empty() && left_in_docker(&id).is_empty()
    })
    .await;
}

#[tokio::test]
async fn mariadb_owner_killed_while_initialising() {
    leaves_nothing_when_killed_at(Flavor::MariaDb, "template/ibdata1").await;
}

#[tokio::test]
async fn mariadb_owner_killed_while_copying() {
    leaves_nothing_when_killed_at(Flavor::MariaDb, "node1").await;
}

#[tokio::test]
async fn mariadb_owner_killed_while_servers_start() {
    leaves_nothing_when_killed_at(Flavor::MariaDb, "node1/my.cnf").await;
}

#[tokio::test]
async fn mariadb_owner_killed_when_up() {
    leaves_nothing_when_killed_at(Flavor::MariaDb, "up").await;
}

#[tokio::test]
async fn mysql_owner_killed_while_containers_start() {
    leaves_nothing_when_killed_at(Flavor::MySql, "node1/my.cnf").await;
}

#[tokio::test]
async fn mysql_owner_killed_while_servers_start() {
    leaves_nothing_when_killed_at(Flavor::MySql, "node1/error.log").await;
}

#[tokio::test]
async fn mysql_owner_killed_when_up() {
    leaves_nothing_when_killed_at(Flavor::MySql, "up").await;
}
