//! Switches that cannot succeed: the old master stays writable, replication stays as it was, within
//! the time limits, and the reason is said.

use std::time::{Duration, Instant};

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_http::wire::{NodeDocument, OperationDocument, OperationId, OperationOutcome};
use mysqlsvc_rig::ProductBuilder;
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{Bed, LIMIT, Picture, eventually};

/// Limits that make failing quick. With them nothing here may take longer than [`OVERALL`].
pub(crate) fn short(builder: ProductBuilder) -> ProductBuilder {
    builder
        .switch_setting("max_lag", "\"2s\"")
        .switch_setting("freeze_timeout", "\"4s\"")
        .switch_setting("catch_up_timeout", "\"4s\"")
}

/// Await (max_lag), hold, freeze, catch-up and the undo, and what the test itself does meanwhile to a
/// server, with room for a busy machine.
pub(crate) const OVERALL: Duration = Duration::from_secs(40);

/// A row with the table made, so that there is something to lock.
pub(crate) async fn write_through_proxy(bed: &Bed, seq: u64) {
    let mut conn = bed.through_proxy().connect(LIMIT).await.unwrap();
    let sql = format!("INSERT INTO rig_rows (writer, seq) VALUES (99, {seq})");
    tokio::time::timeout(LIMIT, conn.query_drop(sql)).await.expect("no answer").unwrap();
}

/// A session of root's that holds a lock until it is dropped.
async fn lock(bed: &Bed, server: usize, mode: &str) -> Conn {
    let mut conn = bed.servers().root(server).await;
    conn.query_drop(format!("LOCK TABLES app.rig_rows {mode}")).await.unwrap();
    conn
}

/// What must be the same afterwards.
struct Before {
    pictures: Vec<Picture>,
    epoch: u64,
    begun: Instant,
}

impl Before {
    async fn of(bed: &Bed) -> Self {
        let epoch = bed.api().cluster().await.epoch;
        Self { pictures: bed.servers().pictures().await, epoch, begun: Instant::now() }
    }

    /// Sees that the operation was taken back for this reason, that nothing changed and that the
    /// application writes; then that the same switch works once its obstacle is gone.
    async fn holds(self, bed: &Bed, operation: OperationDocument, why: &[&str]) {
        let took = self.begun.elapsed();
        assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
        assert!(took < OVERALL, "{took:?}: {operation:#?}");
        let error = operation.error.clone().unwrap_or_default();
        println!("taken back after {took:?}: {error}");
        assert!(why.iter().any(|words| error.contains(words)), "{error} says none of {why:?}");
        let cluster = bed.api().until("open", |now| now.phase.as_str() == "open").await;
        assert_eq!((cluster.master, cluster.epoch), (Some(bed.address(0)), self.epoch));
        write_through_proxy(bed, 1_000).await;
        // Threads that are just reconnecting are as they were in a moment.
        eventually("replication as it was", async || {
            (bed.servers().pictures().await == self.pictures).then_some(())
        })
        .await;
        bed.api().until_settled().await;
        bed.api().switch_succeeds(&bed.address(1)).await;
    }
}

async fn begin(bed: &Bed) -> OperationId {
    bed.api().begin_switch(&bed.address(1)).await
}

async fn candidate_behind(flavor: Flavor) {
    let bed = Bed::start_with(flavor, 3, short).await;
    let before = Before::of(&bed).await;
    let held = lock(&bed, 1, "READ").await;
    write_through_proxy(&bed, 1).await;
    let operation = bed.api().switch(&bed.address(1)).await;
    // It shows, and then not even the beginning is granted.
    let (api, candidate) = (bed.api(), bed.address(1));
    let node = api.until_node(&candidate, "SYNCING", |node| node.state.as_str() == "SYNCING").await;
    assert!(node.cause.unwrap().contains("behind"));
    let refused = bed.api().switch_refused(&bed.address(1)).await;
    assert_eq!((refused.status, refused.reason.as_deref()), (409, Some("wrong-state")));
    assert!(refused.detail.contains("SYNCING"), "{}", refused.detail);
    drop(held);
    before.holds(&bed, operation, &["missing"]).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_candidate_behind_past_the_limit() {
    candidate_behind(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_candidate_behind_past_the_limit() {
    candidate_behind(Flavor::MySql).await;
}

#[tokio::test]
async fn mariadb_candidate_that_stops_applying_after_the_freeze() {
    let bed = Bed::start_with(Flavor::MariaDb, 3, short).await;
    let before = Before::of(&bed).await;
    // The lock holds the freeze open; whoever has it may still write.
    let mut holder = lock(&bed, 0, "WRITE").await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    bed.servers().run(1, "STOP SLAVE SQL_THREAD").await;
    holder.query_drop("INSERT INTO app.rig_rows VALUES (98, 1)").await.unwrap();
    drop(holder);
    let operation = bed.api().ended(&id).await;
    bed.servers().run(1, "START SLAVE SQL_THREAD").await;
    before.holds(&bed, operation, &["SQL thread is stopped"]).await;
    bed.down().await;
}

enum Stop {
    Pause,
    Kill,
}

async fn candidate_stops(flavor: Flavor, how: Stop) {
    let bed = Bed::start_with(flavor, 3, short).await;
    let before = Before::of(&bed).await;
    let blocker = bed.servers().block_freezes(0).await;
    let id = begin(&bed).await;
    bed.servers().until_freeze_waits(0).await;
    match how {
        Stop::Pause => bed.sandbox.pause(1).await.unwrap(),
        Stop::Kill => bed.sandbox.kill(1).await.unwrap(),
    }
    blocker.release(&bed.servers(), 0).await;
    let operation = bed.api().ended(&id).await;
    match how {
        Stop::Pause => bed.sandbox.resume(1).await.unwrap(),
        Stop::Kill => bed.sandbox.restart(1).await.unwrap(),
    }
    before.holds(&bed, operation, &["no answer", "connect", "lost", "no session"]).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_candidate_that_hangs_after_the_freeze() {
    candidate_stops(Flavor::MariaDb, Stop::Pause).await;
}

#[tokio::test]
async fn mysql_candidate_that_hangs_after_the_freeze() {
    candidate_stops(Flavor::MySql, Stop::Pause).await;
}

#[tokio::test]
async fn mariadb_candidate_that_dies_after_the_freeze() {
    candidate_stops(Flavor::MariaDb, Stop::Kill).await;
}

async fn client_holds_lock(flavor: Flavor, why: &str) {
    let bed = Bed::start_with(flavor, 3, short).await;
    let before = Before::of(&bed).await;
    let mut holder = lock(&bed, 0, "WRITE").await;
    let operation = bed.api().switch(&bed.address(1)).await;
    holder.query_drop("INSERT INTO app.rig_rows VALUES (98, 1)").await.unwrap();
    drop(holder);
    before.holds(&bed, operation, &[why]).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_client_with_lock_tables_on_the_master() {
    client_holds_lock(Flavor::MariaDb, "LOCK TABLES").await;
}

#[tokio::test]
async fn mysql_client_with_lock_tables_on_the_master_is_named() {
    client_holds_lock(Flavor::MySql, "table lock of session").await;
}

#[tokio::test]
async fn mariadb_errant_transaction_on_the_candidate_is_refused_by_name() {
    let bed = Bed::start_with(Flavor::MariaDb, 3, short).await;
    let before = Before::of(&bed).await;
    // gtid_strict_mode would stop replication; what root writes here is errant at once.
    bed.servers().run(1, "INSERT INTO app.rig_rows VALUES (97, 1)").await;
    let refused = bed.api().switch_refused(&bed.address(1)).await;
    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("errant")));
    assert!(refused.detail.contains("0-2-"), "{}", refused.detail);
    let shows = |node: &NodeDocument| node.errant.as_ref().is_some_and(|set| set.contains("0-2-"));
    bed.api().until_node(&bed.address(1), "errant", shows).await;
    assert_eq!(bed.servers().pictures().await[0], before.pictures[0]);
    bed.down().await;
}

#[tokio::test]
async fn mysql_errant_transaction_on_the_candidate_is_refused_by_name() {
    let bed = Bed::start_with(Flavor::MySql, 3, short).await;
    let uuid = bed.servers().ask(1, "SELECT @@server_uuid").await;
    bed.servers().run(1, "SET GLOBAL super_read_only = 0").await;
    bed.servers().run(1, "INSERT INTO app.rig_rows VALUES (97, 1)").await;
    bed.servers().run(1, "SET GLOBAL super_read_only = 1").await;
    let refused = bed.api().switch_refused(&bed.address(1)).await;
    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("errant")));
    assert!(refused.detail.contains(&uuid), "{}", refused.detail);
    bed.down().await;
}
