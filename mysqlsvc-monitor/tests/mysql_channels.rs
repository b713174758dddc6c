//! What following does to a replica's settings, to other channels, and tells of its password.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use mysql_async::{Row, prelude::Queryable as _};
use mysqlsvc_core::{IoThread, ReplicationBackend as _, SqlThread, backend::FollowManner};
use mysqlsvc_monitor::mysql::{Login, MySqlBackend};
use mysqlsvc_sandbox::Flavor;

use crate::mysql_support::{Cluster, LIMITS, bounded, credentials, on_both, tag};

on_both! { a_replica_that_was_wired_by_hand_is_given_our_settings }

async fn shown(cluster: &Cluster, text: &str, column: &str) -> String {
    let row: Row = cluster.root(1).await.query_first(text).await.unwrap().unwrap();
    row.get(column).unwrap()
}

async fn a_replica_that_was_wired_by_hand_is_given_our_settings(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let follow = || async {
        let manner = FollowManner::Replica;
        bounded(cluster.backend.follow(&replica, &master, manner, None, &tag(1))).await.unwrap();
    };
    follow().await;
    let settings: &[(&str, &str, &str, f64)] = match flavor {
        Flavor::MySql => &[
            ("SOURCE_HEARTBEAT_PERIOD = 7", HEARTBEAT, "HEARTBEAT_INTERVAL", 0.5),
            ("SOURCE_CONNECT_RETRY = 7", "SHOW REPLICA STATUS", "Connect_Retry", 1.0),
            ("SOURCE_RETRY_COUNT = 7", "SHOW REPLICA STATUS", "Source_Retry_Count", 0.0),
        ],
        Flavor::MariaDb => &[
            (
                "MASTER_HEARTBEAT_PERIOD = 7",
                "SHOW GLOBAL STATUS LIKE 'Slave_heartbeat_period'",
                "Value",
                0.5,
            ),
            ("MASTER_CONNECT_RETRY = 7", "SHOW SLAVE STATUS", "Connect_Retry", 1.0),
        ],
    };
    for (setting, text, column, wanted) in settings {
        let mut root = cluster.root(1).await;
        for statement in ["STOP REPLICA", &change(flavor, setting), "START REPLICA"] {
            root.query_drop(statement).await.unwrap();
        }
        let seen = async || shown(&cluster, text, column).await.parse::<f64>().unwrap();
        assert!((seen().await - 7.0).abs() < 0.001);
        follow().await;
        let now = seen().await;
        assert!((now - wanted).abs() < 0.001, "{setting} became {now}");
    }
    let before = cluster.settled_dump_thread().await;
    follow().await;
    assert_eq!(cluster.settled_dump_thread().await, before, "the I/O thread was started anew");
}

const HEARTBEAT: &str = "SELECT CAST(HEARTBEAT_INTERVAL AS CHAR) AS HEARTBEAT_INTERVAL \
    FROM performance_schema.replication_connection_configuration";

fn change(flavor: Flavor, setting: &str) -> String {
    match flavor {
        Flavor::MySql => format!("CHANGE REPLICATION SOURCE TO {setting}"),
        Flavor::MariaDb => format!("CHANGE MASTER TO {setting}"),
    }
}

/// As MariaDB 11.4 and later have it unless told otherwise.
#[tokio::test]
async fn no_certificate_is_asked_of_a_mariadb_source() {
    let cluster = Cluster::wired(Flavor::MariaDb, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let mut root = cluster.root(1).await;
    root.query_drop("STOP SLAVE").await.unwrap();
    root.query_drop("CHANGE MASTER TO MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_CONNECT_RETRY = 7")
        .await
        .unwrap();
    let column = "Master_SSL_Verify_Server_Cert";
    assert_eq!(shown(&cluster, "SHOW SLAVE STATUS", column).await, "Yes");
    cluster.backend.follow(&replica, &master, FollowManner::Replica, None, &tag(1)).await.unwrap();
    assert_eq!(shown(&cluster, "SHOW SLAVE STATUS", column).await, "No");
}

#[tokio::test]
async fn other_channels_of_a_mysql_replica_are_left_alone() {
    let cluster = Cluster::wired(Flavor::MySql, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let mut root = cluster.root(1).await;
    for text in [
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1, \
         SOURCE_USER = 'nobody', SOURCE_AUTO_POSITION = 1, SOURCE_RETRY_COUNT = 0 \
         FOR CHANNEL 'other'",
        "START REPLICA FOR CHANNEL 'other'",
    ] {
        root.query_drop(text).await.unwrap();
    }
    let mut other = async || -> (String, String) {
        let states = "SELECT c.SERVICE_STATE, a.SERVICE_STATE \
            FROM performance_schema.replication_connection_status c \
            JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME) \
            WHERE CHANNEL_NAME = 'other'";
        root.query_first(states).await.unwrap().unwrap()
    };
    let running = ("CONNECTING".to_owned(), "ON".to_owned());
    assert_eq!(other().await, running);
    let backend = &cluster.backend;
    backend.forget_source(&replica, &tag(1)).await.unwrap();
    assert_eq!(backend.look(&replica).await.unwrap().replication, None);
    assert_eq!(other().await, running, "after forgetting");
    backend.follow(&replica, &master, FollowManner::Replica, None, &tag(2)).await.unwrap();
    let seen = backend.look(&replica).await.unwrap().replication.unwrap();
    assert_eq!((seen.io, seen.sql), (IoThread::Running, SqlThread::Running));
    assert_eq!(other().await, running, "after following");
    backend.open(&replica, &tag(3)).await.unwrap();
    let seen = backend.look(&replica).await.unwrap().replication.unwrap();
    assert_eq!((seen.io, seen.sql), (IoThread::Stopped, SqlThread::Stopped));
    assert_eq!(other().await, running, "after opening");
}

/// What a server says to a refused change may quote from anywhere in it; here the password is too
/// long, and the server's own words must not come through.
#[tokio::test]
async fn no_part_of_a_password_is_shown_when_the_source_cannot_be_changed() {
    let cluster = Cluster::wired(Flavor::MySql, 2).await;
    let mut long = credentials(&cluster.sandbox);
    long.repl = Login::new("repl", "correct-horse".repeat(20).into());
    let backend = MySqlBackend::new(long, LIMITS);
    backend.forget_source(&cluster.node(1), &tag(1)).await.unwrap();
    let (replica, master) = (cluster.node(1), cluster.node(0));
    let error =
        bounded(backend.follow(&replica, &master, FollowManner::Replica, None, &tag(2))).await;
    let error = error.unwrap_err();
    assert!(error.detail.contains("are not repeated"), "{}", error.detail.len());
    assert!(!error.to_string().contains("horse"));
}
