//! kill -9 of monitord in the middle of a switch, and a start: it ends whole.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysqlsvc_http::wire::{OperationDocument, OperationId, OperationOutcome};
use mysqlsvc_rig::{Checker, WriterOptions, Writers};
use mysqlsvc_sandbox::{Flavor, Sandbox, SandboxBuilder};
use mysqlsvc_tests::{Bed, LIMIT, eventually};

/// Writers that go on all the time, and a checker of who is writable.
struct Load {
    writers: Writers,
    checker: Checker,
}

impl Load {
    /// From the moment on at which each writer has written.
    async fn start(bed: &Bed) -> Self {
        let options = WriterOptions { writers: 3, pause: Bed::PAUSE, ..WriterOptions::default() };
        let checker = Checker::start(&bed.sandbox, Duration::from_millis(5), None);
        let writers = Writers::start(&bed.through_proxy(), options);
        assert!(writers.all_wrote_since(Instant::now(), LIMIT).await, "nobody writes");
        Self { writers, checker }
    }

    /// After the end of the operation, whichever it was: one master, everybody follows it, proxies
    /// lead to it, and nothing is lost anywhere.
    async fn ends_whole(self, bed: &Bed, operation: &OperationDocument) {
        let settled = bed.api().until_settled().await;
        let master = match operation.outcome {
            OperationOutcome::Succeeded => 1,
            OperationOutcome::RolledBack => 0,
            _ => panic!("{operation:#?}"),
        };
        assert_eq!(settled.master, Some(bed.address(master)));
        assert!(operation.left_behind.is_empty(), "{operation:#?}");
        assert_eq!(bed.servers().writable().await, [master]);
        assert!(self.writers.all_wrote_since(Instant::now(), LIMIT).await, "nobody writes");
        let errors = self.writers.errors();
        let ledger = self.writers.stop().await;
        let audits = ledger.audit_all(&bed.direct(master), &bed.others(master), LIMIT).await;
        for audit in audits.unwrap() {
            assert!(audit.lost.is_empty() && audit.unexpected.is_empty(), "{audit:?}");
        }
        let report = self.checker.stop().await;
        assert!(report.overlaps.is_empty(), "two writable servers: {:?}", report.overlaps);
        println!("{:?}: {} rows, {errors:?}", operation.outcome, ledger.acknowledged());
        // The journal is in order, so the next one works.
        bed.api().switch_succeeds(&bed.address(1 - master)).await;
    }
}

fn three(flavor: Flavor) -> SandboxBuilder {
    Sandbox::builder().flavor(flavor).nodes(3)
}

fn three_without_gtids() -> SandboxBuilder {
    three(Flavor::MySql).gtid(false)
}

async fn begin(bed: &Bed) -> OperationId {
    bed.api().begin_switch(&bed.address(1)).await
}

async fn start_again(bed: &mut Bed, id: &OperationId) -> OperationDocument {
    bed.product.start_monitord().await.unwrap();
    bed.api().until("the cluster", |now| now.master.is_some()).await;
    bed.api().ended(id).await
}

/// Killed while the freeze waits for a lock; started before or after the lock has gone.
async fn killed_while_freezing(flavor: Flavor, lock_goes_first: bool) {
    let mut bed = Bed::start(flavor, 3).await;
    let load = Load::start(&bed).await;
    let blocker = bed.servers().block_freezes(0).await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    bed.product.kill_monitord().await.unwrap();
    let operation = if lock_goes_first {
        blocker.release(&bed.servers(), 0).await;
        start_again(&mut bed, &id).await
    } else {
        let operation = start_again(&mut bed, &id).await;
        blocker.release(&bed.servers(), 0).await;
        operation
    };
    assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
    load.ends_whole(&bed, &operation).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_killed_while_the_freeze_waits() {
    killed_while_freezing(Flavor::MariaDb, true).await;
}

#[tokio::test]
async fn mysql_killed_while_the_freeze_waits_and_takes_effect_later() {
    killed_while_freezing(Flavor::MySql, true).await;
}

#[tokio::test]
async fn mysql_killed_while_the_freeze_waits_and_the_lock_stays() {
    killed_while_freezing(Flavor::MySql, false).await;
}

/// Killed between the freeze and the pivot, while a paused candidate catches up.
async fn killed_while_catching_up(servers: SandboxBuilder) {
    let mut bed = Bed::start_on(servers, |builder| {
        // Long enough to be caught; the patience of one answer ends it earlier.
        builder.switch_setting("catch_up_timeout", "\"10s\"")
    })
    .await;
    let load = Load::start(&bed).await;
    let blocker = bed.servers().block_freezes(0).await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    bed.sandbox.pause(1).await.unwrap();
    blocker.release(&bed.servers(), 0).await;
    bed.api().until_step(&id, "catch-up").await;
    bed.product.kill_monitord().await.unwrap();
    bed.sandbox.resume(1).await.unwrap();
    let operation = start_again(&mut bed, &id).await;
    load.ends_whole(&bed, &operation).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_killed_between_freeze_and_pivot() {
    killed_while_catching_up(three(Flavor::MariaDb)).await;
}

#[tokio::test]
async fn mysql_killed_between_freeze_and_pivot() {
    killed_while_catching_up(three(Flavor::MySql)).await;
}

#[tokio::test]
async fn mysql_without_gtids_killed_between_freeze_and_pivot() {
    killed_while_catching_up(three_without_gtids()).await;
}

/// Killed after the pivot, while a paused slave keeps the repointing from going on.
async fn killed_while_repointing(servers: SandboxBuilder) {
    let mut bed = Bed::start_on(servers, |builder| builder).await;
    let load = Load::start(&bed).await;
    let blocker = bed.servers().block_freezes(0).await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    bed.sandbox.pause(2).await.unwrap();
    blocker.release(&bed.servers(), 0).await;
    let operation = bed.api().until_step(&id, "follow").await;
    assert_eq!(operation.outcome, OperationOutcome::Running);
    bed.product.kill_monitord().await.unwrap();
    // Traffic goes on meanwhile: the route was published with the opening.
    assert!(load.writers.all_wrote_since(Instant::now(), LIMIT).await, "no master, no writes");
    bed.sandbox.resume(2).await.unwrap();
    let operation = start_again(&mut bed, &id).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    load.ends_whole(&bed, &operation).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_killed_while_repointing() {
    killed_while_repointing(three(Flavor::MariaDb)).await;
}

#[tokio::test]
async fn mysql_killed_while_repointing() {
    killed_while_repointing(three(Flavor::MySql)).await;
}

/// By position a slave that stands still before the pivot has the switch rolled back, so this one
/// does from the moment on at which the new master is open. Where it was repointed already, what
/// ends is as whole.
#[tokio::test]
async fn mysql_without_gtids_killed_while_repointing() {
    let mut bed = Bed::start_on(three_without_gtids(), |builder| builder).await;
    let load = Load::start(&bed).await;
    let mut dba = bed.sandbox.connect(1, &bed.sandbox.accounts().dba).await.unwrap();
    let id = begin(&bed).await;
    eventually("the new master open", async || {
        let open: Option<u8> = dba.query_first("SELECT @@global.read_only = 0").await.unwrap();
        (open == Some(1)).then_some(())
    })
    .await;
    bed.sandbox.pause(2).await.unwrap();
    bed.product.kill_monitord().await.unwrap();
    assert!(load.writers.all_wrote_since(Instant::now(), LIMIT).await, "no master, no writes");
    bed.sandbox.resume(2).await.unwrap();
    let operation = start_again(&mut bed, &id).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    load.ends_whole(&bed, &operation).await;
    bed.down().await;
}

/// By position nobody can be left behind: the switch is taken back.
#[tokio::test]
async fn mysql_without_gtids_a_slave_that_stands_still_has_the_switch_rolled_back() {
    let bed = Bed::start_on(three_without_gtids(), |builder| {
        builder.switch_setting("catch_up_timeout", "\"2s\"")
    })
    .await;
    let load = Load::start(&bed).await;
    let blocker = bed.servers().block_freezes(0).await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    bed.sandbox.pause(2).await.unwrap();
    blocker.release(&bed.servers(), 0).await;
    let operation = bed.api().ended(&id).await;
    assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
    bed.sandbox.resume(2).await.unwrap();
    load.ends_whole(&bed, &operation).await;
    bed.down().await;
}

/// What a server shows when a switch has come so far; asked as the account that no switch cuts off.
struct Moment {
    name: &'static str,
    server: usize,
    /// Gives 1 when it has come.
    sql: &'static str,
}

const MARIADB_MOMENTS: [Moment; 4] = [
    Moment { name: "frozen", server: 0, sql: "SELECT @@global.read_only = 1" },
    Moment { name: "opened", server: 1, sql: "SELECT @@global.read_only = 0" },
    Moment {
        name: "old master repointed",
        server: 0,
        sql: "SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_IO'",
    },
    Moment {
        name: "replicas being repointed",
        server: 1,
        sql: "SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'",
    },
];

const MYSQL_MOMENTS: [Moment; 2] = [
    Moment { name: "frozen", server: 0, sql: "SELECT @@global.super_read_only = 1" },
    Moment { name: "opened", server: 1, sql: "SELECT @@global.read_only = 0" },
];

/// Kills monitord at each of the moments, with no pause in between.
async fn killed_at(servers: SandboxBuilder, moments: &[Moment]) {
    let mut bed = Bed::start_on(servers, |builder| builder).await;
    for moment in moments {
        let load = Load::start(&bed).await;
        let dba = bed.sandbox.accounts().dba.clone();
        let mut conn = bed.sandbox.connect(moment.server, &dba).await.unwrap();
        let id = begin(&bed).await;
        eventually(moment.name, async || {
            let seen: Option<u8> = conn.query_first(moment.sql).await.unwrap();
            (seen == Some(1)).then_some(())
        })
        .await;
        bed.product.kill_monitord().await.unwrap();
        let operation = start_again(&mut bed, &id).await;
        println!("killed when {}: {:?}", moment.name, operation.outcome);
        load.ends_whole(&bed, &operation).await;
        if operation.outcome == OperationOutcome::RolledBack {
            bed.api().switch_succeeds(&bed.address(0)).await;
        }
        let mut conn = bed.direct(0).connect(LIMIT).await.unwrap();
        conn.query_drop("DELETE FROM rig_rows").await.unwrap();
        bed.api().until_settled().await;
    }
    bed.down().await;
}

#[tokio::test]
async fn mariadb_killed_at_moments_that_the_servers_show() {
    killed_at(three(Flavor::MariaDb), &MARIADB_MOMENTS).await;
}

#[tokio::test]
async fn mysql_killed_at_moments_that_the_servers_show() {
    killed_at(three(Flavor::MySql), &MYSQL_MOMENTS).await;
}

#[tokio::test]
async fn mysql_without_gtids_killed_at_moments_that_the_servers_show() {
    killed_at(three_without_gtids(), &MYSQL_MOMENTS).await;
}
