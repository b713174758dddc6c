//! MariaDB servers as plain processes.

mod support;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_sandbox::{Flavor, Sandbox, SandboxError};
use support::{eventually, has_row, processes_of, write_row};

#[tokio::test]
async fn a_wired_sandbox_replicates_and_leaves_nothing() {
    let begun = std::time::Instant::now();
    let sandbox =
        Sandbox::builder().flavor(Flavor::MariaDb).nodes(4).wire(true).start().await.unwrap();
    println!("4 MariaDB servers up and wired in {:?}", begun.elapsed());
    let app = sandbox.accounts().app.clone();
    let mut master = sandbox.connect(0, &app).await.unwrap();
    let mut last = sandbox.connect(3, &app).await.unwrap();

    write_row(&mut master, 7).await;

    eventually("the row on node 4", async || has_row(&mut last, 7).await).await;
    assert!(last.query_drop("INSERT INTO app.t VALUES (8)").await.is_err(), "a replica took a row");
    let errant: Option<String> = last.query_first("SELECT @@gtid_binlog_state").await.unwrap();
    assert!(!errant.unwrap().contains("0-4-"), "node 4 wrote to its own binary log");

    let dir = sandbox.dir().to_owned();
    let begun = std::time::Instant::now();
    sandbox.down().await.unwrap();
    println!("down in {:?}", begun.elapsed());
    assert!(!dir.exists(), "{} is left", dir.display());
    assert_eq!(processes_of(&dir), Vec::<String>::new());
}

#[tokio::test]
async fn an_unwired_sandbox_is_read_only_and_without_gtids() {
    let sandbox = Sandbox::builder().nodes(2).start().await.unwrap();
    for node in 0..2 {
        let mut conn = sandbox.connect(node, &sandbox.accounts().dba).await.unwrap();
        let seen: Option<(bool, String, u32)> =
            conn.query_first("SELECT @@read_only, @@gtid_binlog_state, @@server_id").await.unwrap();
        assert_eq!(seen, Some((true, String::new(), u32::try_from(node).unwrap() + 1)));
    }
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_restarts_read_only_with_its_data() {
    let sandbox = Sandbox::builder().nodes(2).wire(true).start().await.unwrap();
    let app = sandbox.accounts().app.clone();
    write_row(&mut sandbox.connect(0, &app).await.unwrap(), 1).await;

    sandbox.kill(0).await.unwrap();
    assert!(sandbox.connect(0, &app).await.is_err(), "a killed server let us in");
    sandbox.kill(0).await.unwrap();
    sandbox.restart(0).await.unwrap();

    let mut conn = sandbox.connect(0, &app).await.unwrap();
    assert!(has_row(&mut conn, 1).await);
    assert!(conn.query_drop("INSERT INTO app.t VALUES (2)").await.is_err(), "it came back open");
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn a_paused_server_answers_after_resume_and_can_be_stopped_while_paused() {
    let sandbox = Sandbox::builder().nodes(1).start().await.unwrap();
    let mut conn = sandbox.connect(0, &sandbox.accounts().dba).await.unwrap();

    sandbox.pause(0).await.unwrap();
    {
        let answer = conn.query_first::<u8, _>("SELECT 1");
        tokio::pin!(answer);
        let early = tokio::time::timeout(std::time::Duration::from_millis(200), &mut answer).await;
        assert!(early.is_err(), "a paused server answered");
        sandbox.resume(0).await.unwrap();
        assert_eq!(answer.await.unwrap(), Some(1));
    }

    sandbox.pause(0).await.unwrap();
    sandbox.stop(0).await.unwrap();
    sandbox.restart(0).await.unwrap();
    sandbox.connect(0, &sandbox.accounts().dba).await.unwrap();
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn a_detached_sandbox_lives_on_until_taken_down() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let sandbox = Sandbox::builder().nodes(1).dir(&dir).start().await.unwrap();
    let description = sandbox.detach().unwrap();

    let status = mysqlsvc_sandbox::status(&dir).await.unwrap();
    assert_eq!(
        status.iter().map(|s| (s.up, s.read_only)).collect::<Vec<_>>(),
        [(true, Some(true))]
    );
    assert_eq!(mysqlsvc_sandbox::Description::load(&dir).unwrap(), description);

    mysqlsvc_sandbox::take_down(&dir).await.unwrap();
    assert!(!dir.exists());
    assert_eq!(processes_of(&dir), Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_start_names_the_servers_words_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let begun = Sandbox::builder().nodes(2).dir(&dir).server_option("no_such_option", "1");

    let error = begun.start().await.unwrap_err();

    assert!(matches!(error, SandboxError::ServerEnded { .. }), "{error:?}");
    assert!(error.to_string().contains("no_such_option"), "{error}");
    assert!(!dir.exists());
    assert_eq!(processes_of(&dir), Vec::<String>::new());
}

#[tokio::test]
async fn a_taken_base_port_is_an_error_that_says_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();

    let error = Sandbox::builder().nodes(1).base_port(port).start().await.unwrap_err();

    assert!(error.to_string().contains("Address already in use"), "{error}");
}

#[tokio::test]
async fn a_directory_with_other_files_is_refused_and_kept() {
    let place = tempfile::tempdir().unwrap();
    let precious = place.path().join("precious");
    std::fs::write(&precious, "x").unwrap();

    let error = Sandbox::builder().dir(place.path()).start().await.unwrap_err();

    assert!(error.is_usage(), "{error:?}");
    assert!(mysqlsvc_sandbox::take_down(place.path()).await.is_err());
    assert!(precious.exists());
}
