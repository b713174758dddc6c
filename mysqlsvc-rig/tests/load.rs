//! Load, ledger, checker and floor on real MariaDB servers, without a product.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysqlsvc_rig::{Checker, Endpoint, WriterOptions, Writers, create_tables, measure_floor};
use mysqlsvc_sandbox::Sandbox;

const LIMIT: Duration = Duration::from_mins(1);

/// Waits until `condition` holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "never seen: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::builder().nodes(2).wire(true).start().await.unwrap();
    create_tables(&app(&sandbox, 0)).await.unwrap();
    sandbox
}

fn app(sandbox: &Sandbox, node: usize) -> Endpoint {
    Endpoint::direct(&sandbox.nodes()[node], &sandbox.accounts().app)
}

fn options() -> WriterOptions {
    WriterOptions { writers: 3, ..WriterOptions::default() }
}

async fn as_root(sandbox: &Sandbox, node: usize, sql: &str) {
    let mut conn = sandbox.connect(node, &sandbox.accounts().root).await.unwrap();
    conn.query_drop(sql).await.unwrap();
    conn.disconnect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_survive_a_cut_and_their_ledger_agrees_with_both_servers() {
    let sandbox = sandbox().await;
    let writers = Writers::start(&app(&sandbox, 0), options());
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);

    as_root(&sandbox, 0, "KILL USER app").await;

    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);
    let errors = writers.errors();
    assert_eq!((errors.cut, errors.total()), (3, 3), "{errors:?}");
    let ledger = writers.stop().await;
    assert_eq!(ledger.ambiguous(), 3);
    let audits = ledger.audit_all(&app(&sandbox, 0), &[app(&sandbox, 1)], LIMIT).await.unwrap();
    assert_eq!(audits.len(), 2);
    for audit in audits {
        assert_eq!(audit.found, ledger.acknowledged(), "{audit:?}");
        assert!(audit.lost.is_empty() && audit.unexpected.is_empty(), "{audit:?}");
    }
    sandbox.down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_missing_is_named_and_a_refusal_is_told_from_a_cut() {
    let sandbox = sandbox().await;
    let writers = Writers::start(&app(&sandbox, 0), options());
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);
    as_root(&sandbox, 0, "SET GLOBAL read_only = 1").await;
    // Each of them has to try while the server is closed; none goes on before it is open again.
    until("each writer refused, and one of them twice", || {
        let errors = writers.errors();
        errors.refused_before_reconnecting == 3 && errors.refused_on_fresh_connection > 0
    })
    .await;
    as_root(&sandbox, 0, "SET GLOBAL read_only = 0").await;
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);
    let errors = writers.errors();
    let ledger = writers.stop().await;
    assert_eq!((errors.refused_before_reconnecting, errors.cut, errors.other), (3, 0, 0));
    as_root(&sandbox, 0, "DELETE FROM app.rig_rows WHERE writer = 2 AND seq = 1").await;

    let audit = ledger.audit(&app(&sandbox, 0)).await.unwrap();

    assert_eq!(audit.found + 1, ledger.acknowledged());
    assert_eq!(audit.lost.iter().map(|row| (row.writer, row.seq)).collect::<Vec<_>>(), [(2, 1)]);
    sandbox.down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_leaves_no_trace_and_finds_two_writable_servers() {
    let sandbox = sandbox().await;
    let position = async || {
        let mut conn = sandbox.connect(0, &sandbox.accounts().root).await.unwrap();
        let position: Option<String> =
            conn.query_first("SELECT @@global.gtid_binlog_state").await.unwrap();
        position.unwrap()
    };
    let before = position().await;
    let every = Duration::from_millis(2);
    let checker = Checker::start(&sandbox, every, Some(every));
    // Some of those who look may be slow to begin: that one of them sees something is waited for.
    until("attempts, also as GRANT ALL at the replica", || {
        let report = checker.report();
        report.attempts >= 100 && !report.through_read_only.is_empty()
    })
    .await;
    let well = checker.report();
    assert_eq!(well.overlaps, []);
    // MariaDB 10 and 11 let a GRANT ALL user write to a replica; it is listed.
    assert_eq!(well.through_read_only.len(), 1);
    assert_eq!(well.through_read_only[0].server, sandbox.nodes()[1].address());

    as_root(&sandbox, 1, "SET GLOBAL read_only = 0").await;
    until("two writable servers", || !checker.report().overlaps.is_empty()).await;

    let report = checker.stop().await;
    assert_ne!(report.overlaps, []);
    assert_eq!(position().await, before, "an attempt reached the binary log");
    sandbox.down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measuring_the_floor_leaves_the_first_server_the_only_writable_one() {
    let sandbox = sandbox().await;
    let writers = Writers::start(&app(&sandbox, 0), options());
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);

    let durations = measure_floor(&sandbox, 3).await.unwrap();

    assert_eq!(durations.len(), 3);
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);
    drop(writers.stop().await);
    for (node, expected) in [(0, false), (1, true)] {
        let mut conn = sandbox.connect(node, &sandbox.accounts().root).await.unwrap();
        let read_only: Option<bool> = conn.query_first("SELECT @@global.read_only").await.unwrap();
        assert_eq!(read_only, Some(expected), "node {node}");
    }
    sandbox.down().await.unwrap();
}
