//! What was left over from before: texts still in the network, statements still on the server, a
//! lock still held in a session.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_core::{
    ActionError, ActionErrorKind, Millis, NodeId, ReadOnly, ReplicationBackend as _,
    backend::FollowManner,
};
use mysqlsvc_monitor::mysql::{Limits, MySqlBackend};
use mysqlsvc_sandbox::Flavor;

use crate::mysql_support::{
    Cluster, LIMITS, bounded, credentials, on_both,
    relay::{Relay, Way},
    tag, until,
};

on_both! {
    a_text_that_arrives_after_its_time_changes_nothing,
    each_change_ends_statements_of_earlier_operations,
    an_unreadable_answer_leaves_no_lock_in_the_pool,
}

/// Long enough for a busy machine to come as far as the text that is held.
const SHORT: Duration = Duration::from_secs(2);

/// Has an action send a text with these words, which the network keeps until the action has given
/// up and everything of it is closed.
async fn late(
    cluster: &Cluster,
    relay: &mut Relay,
    words: &'static str,
    act: impl AsyncFnOnce(MySqlBackend, NodeId) -> Result<(), ActionError>,
) {
    let limits = Limits { action: SHORT, follow: SHORT, ..LIMITS };
    let backend = MySqlBackend::new(credentials(&cluster.sandbox), limits);
    relay.way.send_replace(Way::Free);
    backend.look(&relay.node).await.unwrap();
    relay.way.send_replace(Way::Held(words));
    let error = bounded(act(backend, relay.node.clone())).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unknown, "{error}");
    assert!(relay.has_held(), "no text had `{words}`");
    relay.way.send_replace(Way::Free);
    relay.drained().await;
}

async fn a_text_that_arrives_after_its_time_changes_nothing(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (node, replica) = (cluster.node(0), cluster.node(1));
    let mut relay = Relay::to(&node).await;

    late(&cluster, &mut relay, "read_only = 1", async |backend, node| {
        backend.close(&node, &tag(1)).await
    })
    .await;
    assert_eq!(cluster.backend.look(&node).await.unwrap().read_only, ReadOnly::Off);

    cluster.backend.close(&node, &tag(2)).await.unwrap();
    late(&cluster, &mut relay, "read_only = 0", async |backend, node| {
        backend.open(&node, &tag(3)).await
    })
    .await;
    late(&cluster, &mut relay, "read_only = 0", async |backend, node| {
        backend.thaw(&node, &tag(4)).await
    })
    .await;
    assert!(!cluster.backend.look(&node).await.unwrap().read_only.is_writable());

    late(&cluster, &mut relay, "CHANGE ", async |backend, node| {
        backend.follow(&node, &replica, FollowManner::Replica, None, &tag(5)).await
    })
    .await;
    assert_eq!(cluster.backend.look(&node).await.unwrap().replication, None);
    // The same texts in time.
    cluster.backend.open(&relay.node, &tag(6)).await.unwrap();
    assert_eq!(cluster.backend.look(&node).await.unwrap().read_only, ReadOnly::Off);
}

async fn each_change_ends_statements_of_earlier_operations(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    for (index, action) in [
        (0, "freeze"),
        (0, "thaw"),
        (0, "close"),
        (0, "open"),
        (0, "kill clients"),
        (0, "follow, mutual"),
        (1, "follow"),
        (1, "forget"),
    ] {
        let mut orphan = cluster.dba(index).await;
        let waiting = tokio::spawn(async move {
            orphan.query_drop("/* mysqlsvc:7 */ SELECT SLEEP(600)").await.is_ok()
        });
        let left = async || cluster.running_statements(index, "mysqlsvc:7").await;
        until("the statement runs", async || left().await == 1).await;
        let (backend, tag) = (&cluster.backend, &tag(8));
        let done = match action {
            "freeze" => backend.freeze(&master, Millis(20_000), &[], tag).await.map(drop),
            "thaw" => backend.thaw(&master, tag).await,
            "close" => backend.close(&master, tag).await,
            "open" => backend.open(&master, tag).await,
            "kill clients" => backend.kill_clients(&master, &[], tag).await.map(drop),
            "follow, mutual" => {
                backend.follow(&master, &replica, FollowManner::Mutual, None, tag).await
            }
            "follow" => backend.follow(&replica, &master, FollowManner::Replica, None, tag).await,
            _ => backend.forget_source(&replica, tag).await,
        };
        done.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(left().await, 0, "{action} left it running");
        bounded(waiting).await.unwrap();
    }
    assert_eq!(cluster.backend.look(&master).await.unwrap().read_only, ReadOnly::Off);
}

/// MariaDB freezes under a lock that belongs to our session, which goes back to the pool.
async fn an_unreadable_answer_leaves_no_lock_in_the_pool(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    let relay = Relay::to(&node).await;
    cluster.backend.look(&relay.node).await.unwrap();
    relay.way.send_replace(Way::Garbled);
    let frozen = bounded(cluster.backend.freeze(&relay.node, Millis(20_000), &[], &tag(1))).await;
    let error = frozen.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unknown, "{error}");
    assert!(error.detail.contains("column"), "{error}");
    cluster.backend.thaw(&node, &tag(2)).await.unwrap();
    let mut boss = cluster.boss(0).await;
    boss.query_drop("SET SESSION lock_wait_timeout = 20").await.unwrap();
    boss.query_drop("INSERT INTO app.t VALUES (1)").await.unwrap();
}
