//! The backend on real servers: what each action does, and what it says where it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_core::{
    ActionErrorKind, GtidSet, IoThread, LookError, Millis, ReadOnly, ReplicationBackend as _,
    SqlThread, backend::FollowManner,
};
use mysqlsvc_sandbox::Flavor;

use crate::mysql_support::{Cluster, bounded, on_both, tag, until};

/// Where success is expected. A freeze waits for locks no longer than two seconds, whatever it is.
const LIMIT: Millis = Millis(20_000);

on_both! {
    a_switch_moves_every_row,
    following_again_leaves_a_running_replica_alone,
    a_locked_table_refuses_the_freeze_and_the_thaw_leaves_no_trace,
    a_freeze_that_outlived_its_client_is_killed_by_the_thaw,
    a_freeze_ends_sessions_of_all_rights_and_its_set_is_final,
    a_paused_server_hangs_a_dead_one_is_unreachable_a_restarted_one_answers_at_once,
    waiting_ends_at_once_when_the_applier_is_stopped_and_at_the_limit_when_it_lags,
    following_is_not_begun_where_it_would_lose_a_transaction,
    a_mutual_master_follows_its_standby_and_stays_writable,
    killing_clients_spares_whom_it_is_told_to,
}

async fn a_switch_moves_every_row(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (old, new) = (cluster.node(0), cluster.node(1));
    cluster.write_rows(0, 50).await;
    let position = cluster.backend.freeze(&old, LIMIT, &[], &tag(1)).await.unwrap();
    cluster.backend.await_executed(&new, &position, LIMIT).await.unwrap();
    cluster.backend.open(&new, &tag(1)).await.unwrap();
    cluster.backend.follow(&old, &new, FollowManner::Replica, None, &tag(1)).await.unwrap();

    let seen = cluster.backend.look(&new).await.unwrap();
    assert_eq!(seen.read_only, ReadOnly::Off);
    assert!(seen.executed.contains(&position));
    cluster.write_rows(1, 5).await;
    let position = cluster.backend.look(&new).await.unwrap().executed;
    cluster.backend.await_executed(&old, &position, LIMIT).await.unwrap();
    assert_eq!(cluster.count_rows(0).await, 55);
    let seen = cluster.backend.look(&old).await.unwrap();
    assert!(!seen.read_only.is_writable());
    let replication = seen.replication.unwrap();
    assert_eq!((replication.io, replication.sql), (IoThread::Running, SqlThread::Running));
    assert_eq!(replication.source, new);
    let source = cluster.backend.look(&new).await.unwrap().identity;
    assert_eq!(replication.source_identity, Some(source));
}

async fn following_again_leaves_a_running_replica_alone(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let tag_1 = tag(1);
    let follow = || cluster.backend.follow(&replica, &master, FollowManner::Replica, None, &tag_1);
    follow().await.unwrap();
    let before = cluster.settled_dump_thread().await;
    follow().await.unwrap();
    assert_eq!(cluster.settled_dump_thread().await, before, "the I/O thread was started anew");

    cluster.backend.forget_source(&replica, &tag(2)).await.unwrap();
    cluster.backend.forget_source(&replica, &tag(2)).await.unwrap();
    assert_eq!(cluster.backend.look(&replica).await.unwrap().replication, None);
}

async fn a_locked_table_refuses_the_freeze_and_the_thaw_leaves_no_trace(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    let mut holder = cluster.boss(0).await;
    holder.query_drop("LOCK TABLES app.t WRITE").await.unwrap();
    let error = bounded(cluster.backend.freeze(&node, LIMIT, &[], &tag(1))).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused, "{error}");
    assert!(error.detail.contains("1205"), "{error}");
    if flavor == Flavor::MySql {
        assert!(error.detail.contains("of user boss"), "{error}");
    }
    cluster.backend.thaw(&node, &tag(1)).await.unwrap();
    holder.query_drop("UNLOCK TABLES").await.unwrap();
    assert_eq!(cluster.backend.look(&node).await.unwrap().read_only, ReadOnly::Off);
    cluster.write_rows(0, 1).await;
}

/// The monitor dies while its statement waits: MySQL would carry it out later.
async fn a_freeze_that_outlived_its_client_is_killed_by_the_thaw(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    let mut holder = cluster.boss(0).await;
    holder.query_drop("LOCK TABLES app.t WRITE").await.unwrap();
    let close = match flavor {
        Flavor::MySql => "SET GLOBAL super_read_only = 1",
        Flavor::MariaDb => "SET GLOBAL read_only = 1",
    };
    let mut orphan = cluster.dba(0).await;
    orphan.query_drop("SET SESSION lock_wait_timeout = 300").await.unwrap();
    let waiting =
        tokio::spawn(async move { orphan.query_drop(format!("/* mysqlsvc:7 */ {close}")).await });
    until("the statement waits", async || cluster.running_statements(0, "mysqlsvc:7").await == 1)
        .await;

    cluster.backend.thaw(&node, &tag(8)).await.unwrap();
    assert_eq!(cluster.running_statements(0, "mysqlsvc:7").await, 0);
    assert!(waiting.await.unwrap().is_err(), "the waiting statement was carried out");
    holder.query_drop("UNLOCK TABLES").await.unwrap();
    assert_eq!(cluster.backend.look(&node).await.unwrap().read_only, ReadOnly::Off);
    cluster.write_rows(0, 1).await;
}

async fn a_freeze_ends_sessions_of_all_rights_and_its_set_is_final(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    let writers =
        [cluster.boss(0).await, cluster.boss(0).await, cluster.app(0).await, cluster.app(0).await];
    let mut idle = cluster.boss(0).await;
    let mut spared = cluster.root(0).await;
    idle.query_drop("START TRANSACTION").await.unwrap();
    idle.query_drop("INSERT INTO app.t VALUES (-1)").await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for mut writer in writers {
        running.spawn(async move {
            let mut acknowledged = 0_u32;
            while writer.query_drop("INSERT INTO app.t VALUES (1)").await.is_ok() {
                acknowledged += 1;
            }
            acknowledged
        });
    }
    until("rows are written", async || cluster.count_rows(0).await > 100).await;

    let spare = ["root".to_owned()];
    let position = cluster.backend.freeze(&node, LIMIT, &spare, &tag(1)).await.unwrap();
    let acknowledged: u32 = running.join_all().await.into_iter().sum();
    assert!(idle.query_drop("COMMIT").await.is_err(), "an open transaction was committed");
    spared.query_drop("DO 1").await.unwrap();
    let rows: u32 = spared.query_first("SELECT COUNT(*) FROM app.t").await.unwrap().unwrap();
    assert!(rows >= acknowledged, "{acknowledged} acknowledged, {rows} found");
    assert_eq!(cluster.backend.look(&node).await.unwrap().executed, position);
    // Asking twice ends where asking once does.
    let again = cluster.backend.freeze(&node, LIMIT, &spare, &tag(2)).await.unwrap();
    assert_eq!(again, position);
}

async fn a_paused_server_hangs_a_dead_one_is_unreachable_a_restarted_one_answers_at_once(
    flavor: Flavor,
) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    cluster.backend.look(&node).await.unwrap();
    cluster.sandbox.pause(0).await.unwrap();
    for attempt in ["open session", "new session"] {
        let seen = bounded(cluster.backend.look(&node)).await;
        assert!(matches!(seen, Err(LookError::Hung { .. })), "{attempt}: {seen:?}");
    }
    let frozen = bounded(cluster.backend.freeze(&node, Millis(1500), &[], &tag(1))).await;
    let error = frozen.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unreachable, "{error}");
    cluster.sandbox.resume(0).await.unwrap();
    cluster.backend.look(&node).await.unwrap();

    cluster.sandbox.kill(0).await.unwrap();
    let seen = bounded(cluster.backend.look(&node)).await;
    match flavor {
        Flavor::MariaDb => assert!(matches!(seen, Err(LookError::Unreachable { .. })), "{seen:?}"),
        // A container takes its address along: nobody is there to refuse the connection.
        Flavor::MySql => assert!(seen.is_err(), "{seen:?}"),
    }
    cluster.sandbox.restart(0).await.unwrap();
    cluster.backend.look(&node).await.unwrap();
    // Idle sessions of ours ended unseen: the first look must not take that for a dead server.
    cluster.sandbox.kill(0).await.unwrap();
    cluster.sandbox.restart(0).await.unwrap();
    let seen = cluster.backend.look(&node).await.unwrap();
    assert!(!seen.read_only.is_writable(), "boots read-only");
}

async fn waiting_ends_at_once_when_the_applier_is_stopped_and_at_the_limit_when_it_lags(
    flavor: Flavor,
) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let mut root = cluster.root(1).await;
    root.query_drop("STOP REPLICA SQL_THREAD").await.unwrap();
    cluster.write_rows(0, 3).await;
    let position = cluster.backend.look(&master).await.unwrap().executed;
    let limit = Millis(600_000);
    let stopped = bounded(cluster.backend.await_executed(&replica, &position, limit)).await;
    let error = stopped.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Behind);
    assert!(error.detail.contains("SQL thread"), "{error}");

    let mut holder = cluster.root(1).await;
    holder.query_drop("BEGIN").await.unwrap();
    holder.query_drop("SELECT COUNT(*) FROM app.t").await.unwrap();
    cluster.boss(0).await.query_drop("ALTER TABLE app.t ADD m INT").await.unwrap();
    root.query_drop("START REPLICA SQL_THREAD").await.unwrap();
    let position = cluster.backend.look(&master).await.unwrap().executed;
    let late = bounded(cluster.backend.await_executed(&replica, &position, Millis(700))).await;
    let error = late.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Behind);
    assert!(error.detail.contains("is missing"), "{error}");
    let lag = async || {
        let seen = cluster.backend.look(&replica).await.unwrap();
        seen.replication.unwrap().lag
    };
    until("the lag is told", async || lag().await > Some(Millis(0))).await;
    holder.query_drop("ROLLBACK").await.unwrap();
    cluster.backend.await_executed(&replica, &position, Millis(20_000)).await.unwrap();
    // The server's own figure is older than that.
    assert_eq!(lag().await, Some(Millis(0)));
    // What it wrote itself a former master has executed, too.
    cluster.backend.await_executed(&master, &position, LIMIT).await.unwrap();
    let nothing = GtidSet::empty(position.flavor());
    cluster.backend.await_executed(&master, &nothing, LIMIT).await.unwrap();
}

async fn following_is_not_begun_where_it_would_lose_a_transaction(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 3).await;
    let (behind, holder) = (cluster.node(1), cluster.node(2));
    let mut root = cluster.root(1).await;
    root.query_drop("STOP REPLICA IO_THREAD").await.unwrap();
    let mut root = cluster.root(2).await;
    root.query_drop("STOP REPLICA SQL_THREAD").await.unwrap();
    cluster.write_rows(0, 1).await;
    let position = cluster.backend.look(&cluster.node(0)).await.unwrap().executed;
    until("the row is received", async || {
        let seen = cluster.backend.look(&holder).await.unwrap();
        let missing = position.minus(&seen.executed);
        seen.replication.unwrap().received.contains(&missing)
    })
    .await;
    let error =
        cluster.backend.follow(&holder, &behind, FollowManner::Replica, None, &tag(1)).await;
    assert_eq!(error.unwrap_err().kind, ActionErrorKind::Unsafe);
    // Its source has it, too, as long as it answers.
    cluster.sandbox.pause(0).await.unwrap();
    let error = cluster.backend.forget_source(&holder, &tag(1)).await.unwrap_err();
    cluster.sandbox.resume(0).await.unwrap();
    assert_eq!(error.kind, ActionErrorKind::Unsafe, "{error}");
    // Once applied it is the holder's own, which the other lacks.
    root.query_drop("START REPLICA SQL_THREAD").await.unwrap();
    cluster.backend.await_executed(&holder, &position, LIMIT).await.unwrap();
    let error =
        cluster.backend.follow(&holder, &behind, FollowManner::Replica, None, &tag(2)).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unsafe, "{error}");
    assert!(error.detail.contains("which"), "{error}");
    let seen = cluster.backend.look(&holder).await.unwrap().replication.unwrap();
    assert_eq!(seen.source, cluster.node(0), "the source was changed all the same");
    cluster.backend.follow(&behind, &holder, FollowManner::Replica, None, &tag(3)).await.unwrap();
    cluster.backend.await_executed(&behind, &position, LIMIT).await.unwrap();
}

async fn a_mutual_master_follows_its_standby_and_stays_writable(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, standby) = (cluster.node(0), cluster.node(1));
    let mut writer = cluster.app(0).await;
    let writing = tokio::spawn(async move {
        let mut written = 0_u32;
        for _ in 0..300 {
            writer.query_drop("INSERT INTO app.t VALUES (1)").await.unwrap();
            written += 1;
        }
        written
    });
    cluster.backend.follow(&master, &standby, FollowManner::Mutual, None, &tag(1)).await.unwrap();
    assert_eq!(writing.await.unwrap(), 300);
    let seen = cluster.backend.look(&master).await.unwrap();
    assert_eq!(seen.read_only, ReadOnly::Off);
    assert_eq!(seen.replication.unwrap().source, standby);
    cluster.backend.await_executed(&standby, &seen.executed, LIMIT).await.unwrap();
    assert_eq!(cluster.count_rows(1).await, 300);
}

async fn killing_clients_spares_whom_it_is_told_to(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let node = cluster.node(0);
    let mut app = cluster.app(0).await;
    let mut boss = cluster.boss(0).await;
    let mut root = cluster.root(0).await;
    let dumps = cluster.dump_threads(0).await;
    let spare = ["root".to_owned()];
    let killed = cluster.backend.kill_clients(&node, &spare, &tag(1)).await.unwrap();
    assert!(killed >= 2, "{killed}");
    assert!(app.query_drop("DO 1").await.is_err());
    assert!(boss.query_drop("DO 1").await.is_err());
    root.query_drop("DO 1").await.unwrap();
    assert_eq!(cluster.dump_threads(0).await, dumps);
}
