//! MySQL servers in containers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_sandbox::{Flavor, Sandbox};
use support::{eventually, has_row, left_in_docker, write_row};

async fn start(nodes: usize, wire: bool) -> Sandbox {
    Sandbox::builder().flavor(Flavor::MySql).nodes(nodes).wire(wire).start().await.unwrap()
}

#[tokio::test]
async fn a_wired_sandbox_replicates_and_leaves_nothing() {
    let begun = std::time::Instant::now();
    let sandbox = start(4, true).await;
    println!("4 MySQL servers up and wired in {:?}", begun.elapsed());
    let app = sandbox.accounts().app.clone();
    let mut master = sandbox.connect(0, &app).await.unwrap();
    let mut last = sandbox.connect(3, &app).await.unwrap();

    write_row(&mut master, 7).await;

    eventually("the row on node 4", async || has_row(&mut last, 7).await).await;
    assert!(last.query_drop("INSERT INTO app.t VALUES (8)").await.is_err(), "a replica took a row");
    // A row is seen a moment before its transaction counts as executed.
    let written = sources_of_transactions(&mut master).await;
    eventually("the same transactions", async || {
        sources_of_transactions(&mut last).await == written
    })
    .await;

    let (dir, id) = (sandbox.dir().to_owned(), sandbox.describe().id.clone());
    let begun = std::time::Instant::now();
    sandbox.down().await.unwrap();
    println!("down in {:?}", begun.elapsed());
    assert!(!dir.exists(), "{} is left", dir.display());
    assert_eq!(left_in_docker(&id), "");
}

#[tokio::test]
async fn a_sandbox_without_gtids_replicates_by_position() {
    let asked = Sandbox::builder().flavor(Flavor::MySql).gtid(false).nodes(3).wire(true);
    let sandbox = asked.start().await.unwrap();
    let app = sandbox.accounts().app.clone();

    write_row(&mut sandbox.connect(0, &app).await.unwrap(), 7).await;

    for node in 1..3 {
        let mut conn = sandbox.connect(node, &sandbox.accounts().root).await.unwrap();
        eventually("the row", async || has_row(&mut conn, 7).await).await;
        let mode: Option<String> = conn.query_first("SELECT @@global.gtid_mode").await.unwrap();
        assert_eq!(mode.as_deref(), Some("OFF"));
        let set: Option<String> = conn.query_first("SELECT @@global.gtid_executed").await.unwrap();
        assert_eq!(set.as_deref(), Some(""), "a transaction with a GTID");
    }
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_without_gtids_is_refused() {
    let error = Sandbox::builder().flavor(Flavor::MariaDb).gtid(false).start().await.unwrap_err();

    assert!(error.to_string().contains("always have GTIDs"), "{error}");
}

/// The set of executed transactions, of which all must come from one server.
async fn sources_of_transactions(conn: &mut mysql_async::Conn) -> String {
    let set: Option<String> = conn.query_first("SELECT @@global.gtid_executed").await.unwrap();
    let set = set.unwrap();
    assert!(!set.contains(','), "more than one source: {set}");
    set
}

#[tokio::test]
async fn servers_keep_address_data_and_identity_through_kill_pause_and_cut() {
    let sandbox = start(2, true).await;
    let accounts = sandbox.accounts().clone();
    write_row(&mut sandbox.connect(0, &accounts.app).await.unwrap(), 1).await;
    let before = identity(&sandbox, 0).await;
    assert_ne!(before, identity(&sandbox, 1).await, "two servers with one identity");

    // Both at once, so that a carelessly given address would be swapped.
    sandbox.kill(0).await.unwrap();
    sandbox.kill(1).await.unwrap();
    sandbox.restart(1).await.unwrap();
    sandbox.restart(0).await.unwrap();

    assert_eq!(identity(&sandbox, 0).await, before);
    let mut conn = sandbox.connect(0, &accounts.boss).await.unwrap();
    assert!(has_row(&mut conn, 1).await);
    assert!(conn.query_drop("INSERT INTO app.t VALUES (2)").await.is_err(), "it came back open");

    sandbox.pause(0).await.unwrap();
    answers_only_after(&mut conn, sandbox.resume(0)).await;
    sandbox.disconnect(0).await.unwrap();
    answers_only_after(&mut conn, sandbox.reconnect(0)).await;

    // What CLONE does at its end.
    let mut root = sandbox.connect(1, &accounts.root).await.unwrap();
    root.query_drop("RESTART").await.unwrap();
    eventually("the restarted server", async || {
        let Ok(mut conn) = sandbox.connect(1, &accounts.root).await else { return false };
        conn.ping().await.is_ok() && root.ping().await.is_err()
    })
    .await;

    sandbox.pause(1).await.unwrap();
    sandbox.down().await.unwrap();
}

async fn identity(sandbox: &Sandbox, node: usize) -> String {
    let mut conn = sandbox.connect(node, &sandbox.accounts().dba).await.unwrap();
    conn.query_first("SELECT @@server_uuid").await.unwrap().unwrap()
}

async fn answers_only_after(
    conn: &mut mysql_async::Conn,
    cure: impl Future<Output = Result<(), mysqlsvc_sandbox::SandboxError>>,
) {
    let answer = conn.query_first::<u8, _>("SELECT 1");
    tokio::pin!(answer);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut answer).await;
    assert!(early.is_err(), "it answered while it could not");
    cure.await.unwrap();
    // What was lost on the way is sent again after pauses that double.
    let late = tokio::time::timeout(Duration::from_mins(2), answer).await;
    assert_eq!(late.expect("no answer after the cure").unwrap(), Some(1));
}

#[tokio::test]
async fn a_failed_start_names_the_servers_words_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let asked = Sandbox::builder().flavor(Flavor::MySql).nodes(1).dir(&dir);

    let error = asked.server_option("no_such", "1").start().await.unwrap_err();

    assert!(error.to_string().contains("no_such"), "{error}");
    // It goes last, after containers and network.
    assert!(!dir.exists());
}
