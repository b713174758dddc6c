//! Letting replication stand still and go on, parts in semi-sync, and moving scheduled events.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use mysql_async::{Row, prelude::Queryable as _};
use mysqlsvc_core::{
    ActionErrorKind, IoThread, Millis, Replication, ReplicationBackend as _, SqlThread,
    backend::{EventName, FollowManner, SemiSyncPart},
};
use mysqlsvc_sandbox::{Flavor, Sandbox};

use crate::mysql_support::{Cluster, bounded, on_both, tag, until};

on_both! {
    parts_are_taken_and_nothing_received_is_lost,
    events_run_where_writes_are_taken,
}

async fn parts_are_taken_and_nothing_received_is_lost(flavor: Flavor) {
    let builder = Sandbox::builder().flavor(flavor).nodes(2).semi_sync();
    let cluster = Cluster::wired_by(builder).await;
    a_part_is_taken_once(&cluster).await;
    if flavor == Flavor::MySql {
        a_plugin_that_is_unloaded_ends_no_looks(&cluster).await;
    }
    what_was_received_outlives_a_standstill(&cluster).await;
}

async fn replication(cluster: &Cluster, index: usize) -> Replication {
    cluster.backend.look(&cluster.node(index)).await.unwrap().replication.unwrap()
}

async fn a_part_is_taken_once(cluster: &Cluster) {
    let replica = cluster.node(1);
    let set = async |part| {
        bounded(cluster.backend.set_semi_sync(&replica, part, &tag(1))).await.unwrap();
    };
    let wired = cluster.settled_dump_thread().await;
    set(SemiSyncPart::Replica).await;
    let told = cluster.settled_dump_thread().await;
    assert_ne!(told, wired, "it has not told its source");
    set(SemiSyncPart::Replica).await;
    assert_eq!(cluster.settled_dump_thread().await, told, "it plays its part already");

    let wait = SemiSyncPart::Source { replicas: 1, timeout: Millis(700) };
    set(wait).await;
    let seen = cluster.backend.look(&replica).await.unwrap().semi_sync.unwrap();
    assert!(seen.plays(wait) && !seen.replica, "{seen:?}");
    if cluster.sandbox.flavor() == Flavor::MariaDb {
        // It has one count only, and is not told again and again.
        let two = SemiSyncPart::Source { replicas: 2, timeout: Millis(700) };
        set(two).await;
    }
    set(SemiSyncPart::Replica).await;
}

async fn a_plugin_that_is_unloaded_ends_no_looks(cluster: &Cluster) {
    let master = cluster.node(0);
    let semi_sync = async || cluster.backend.look(&master).await.unwrap().semi_sync;
    // Both sessions that are kept have it in mind.
    for _ in 0..2 {
        assert!(semi_sync().await.is_some());
    }
    let mut root = cluster.root(0).await;
    root.query_drop("UNINSTALL PLUGIN rpl_semi_sync_replica").await.unwrap();
    for _ in 0..2 {
        assert_eq!(semi_sync().await, None);
    }
}

async fn what_was_received_outlives_a_standstill(cluster: &Cluster) {
    let replica = cluster.node(1);
    let rows = cluster.count_rows(0).await;
    let mut root = cluster.root(1).await;
    root.query_drop("STOP REPLICA SQL_THREAD").await.unwrap();
    cluster.write_rows(0, 3).await;
    let written = cluster.backend.look(&cluster.node(0)).await.unwrap().executed;
    let received = async || {
        let seen = cluster.backend.look(&replica).await.unwrap();
        seen.executed.union(&seen.replication.unwrap().received).contains(&written)
    };
    until("it has received them", received).await;
    cluster.sandbox.kill(0).await.unwrap();

    let stop = async || bounded(cluster.backend.stop_replication(&replica, &tag(2))).await;
    if cluster.sandbox.flavor() == Flavor::MariaDb {
        let error = stop().await.unwrap_err();
        assert_eq!(error.kind, ActionErrorKind::Unsafe, "{error}");
        assert_ne!(replication(cluster, 1).await.io, IoThread::Stopped, "nothing was sent");
        root.query_drop("START REPLICA SQL_THREAD").await.unwrap();
    }
    stop().await.unwrap();
    let seen = replication(cluster, 1).await;
    assert_eq!((seen.io, seen.sql), (IoThread::Stopped, SqlThread::Stopped));
    // Its source is dead, which is said; what was received is applied all the same.
    let started = bounded(cluster.backend.start_replication(&replica, &tag(3))).await;
    started.unwrap_err();
    until("all is applied", async || cluster.count_rows(1).await == rows + 3).await;
}

struct Event {
    status: String,
    definer: String,
}

async fn event(cluster: &Cluster, index: usize) -> Event {
    let text = "SELECT STATUS AS s, DEFINER AS d FROM information_schema.EVENTS \
                WHERE EVENT_NAME = 'every `hour`'";
    let row: Row = cluster.root(index).await.query_first(text).await.unwrap().unwrap();
    Event { status: row.get("s").unwrap(), definer: row.get("d").unwrap() }
}

async fn events_run_where_writes_are_taken(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (old, new) = (cluster.node(0), cluster.node(1));
    let backend = &cluster.backend;
    let mut boss = cluster.boss(0).await;
    boss.query_drop(
        "CREATE EVENT app.`every ``hour``` ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01' \
         DO INSERT INTO app.t VALUES (0)",
    )
    .await
    .unwrap();
    let written = backend.look(&old).await.unwrap().executed;
    backend.await_executed(&new, &written, Millis(20_000)).await.unwrap();
    let events = backend.inspect(&old).await.unwrap().events;
    let name = |name: &str| EventName { schema: "app".to_owned(), name: name.to_owned() };
    assert_eq!(events, [name("every `hour`")]);
    assert_eq!(backend.inspect(&new).await.unwrap().events, []);
    let events = [name("gone"), name("every `hour`")];

    backend.freeze(&old, Millis(20_000), &[], &tag(1)).await.unwrap();
    backend.open(&new, &tag(1)).await.unwrap();
    let frozen = backend.look(&old).await.unwrap().executed;
    for _ in 0..2 {
        bounded(backend.disable_events(&old, &events, &tag(1))).await.unwrap();
        bounded(backend.enable_events(&new, &events, &tag(1))).await.unwrap();
    }
    assert_eq!(backend.look(&old).await.unwrap().executed, frozen, "nobody else hears of it");
    let here = event(&cluster, 1).await;
    assert_eq!((here.status.as_str(), here.definer.as_str()), ("ENABLED", "boss@%"));
    if flavor == Flavor::MariaDb {
        assert_eq!(event(&cluster, 0).await.status, "SLAVESIDE_DISABLED");
    }
    let enabled = backend.look(&new).await.unwrap().executed;
    bounded(backend.enable_events(&new, &events, &tag(2))).await.unwrap();
    assert_eq!(backend.look(&new).await.unwrap().executed, enabled, "it was enabled already");

    bounded(backend.follow(&old, &new, FollowManner::Replica, None, &tag(3))).await.unwrap();
    let runs_elsewhere = async || event(&cluster, 0).await.status.ends_with("SIDE_DISABLED");
    until("the event runs elsewhere", runs_elsewhere).await;
    assert_eq!(event(&cluster, 0).await.definer, "boss@%");
}
