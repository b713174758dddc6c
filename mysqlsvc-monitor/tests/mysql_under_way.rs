//! What a look and an inspection tell of a server beside its place in replication, and waiting for
//! what is under way there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_core::{
    ActionErrorKind, Millis, ReadOnlySet, ReplicationBackend as _,
    backend::{Obstacle, ObstacleKind, SemiSyncPart},
};
use mysqlsvc_monitor::mysql::MySqlBackend;
use mysqlsvc_sandbox::Flavor;

use crate::mysql_support::{Cluster, LIMITS, bounded, credentials, on_both, tag, until};

on_both! { facts_and_obstacles_are_seen }

async fn facts_and_obstacles_are_seen(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    who_set_read_only_is_told_from_a_restart(&cluster).await;
    a_delay_is_seen(&cluster).await;
    what_is_under_way_is_named_and_waited_for(&cluster).await;
    if flavor == Flavor::MySql {
        a_lock_on_all_tables_is_seen(&cluster).await;
        without_its_plugins_semi_sync_is_refused(&cluster).await;
        without_rights_less_is_seen_and_that_is_said(&cluster).await;
    }
}

async fn who_set_read_only_is_told_from_a_restart(cluster: &Cluster) {
    let set = async |index: usize| {
        cluster.backend.look(&cluster.node(index)).await.unwrap().read_only_set
    };
    assert_eq!(set(0).await, ReadOnlySet::ByStatement, "the master was opened");
    assert_eq!(set(1).await, ReadOnlySet::AtBoot);
    let replica = cluster.node(1);
    cluster.backend.open_beside(&replica, &tag(1)).await.unwrap();
    assert_eq!(set(1).await, ReadOnlySet::ByStatement);
    cluster.backend.close(&replica, &tag(1)).await.unwrap();
    assert_eq!(set(1).await, ReadOnlySet::ByStatement);
    cluster.sandbox.restart(1).await.unwrap();
    let seen = cluster.backend.look(&replica).await.unwrap();
    assert!(!seen.read_only.is_writable());
    assert_eq!(seen.read_only_set, ReadOnlySet::AtBoot, "what was persisted is no statement");
}

async fn a_delay_is_seen(cluster: &Cluster) {
    let delay = async || {
        let seen = cluster.backend.look(&cluster.node(1)).await.unwrap();
        seen.replication.unwrap().delay
    };
    assert_eq!(delay().await, Millis(0));
    let change = match cluster.sandbox.flavor() {
        Flavor::MySql => "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 7",
        Flavor::MariaDb => "CHANGE MASTER TO MASTER_DELAY = 7",
    };
    let mut root = cluster.root(1).await;
    for statement in ["STOP REPLICA", change, "START REPLICA"] {
        root.query_drop(statement).await.unwrap();
    }
    assert_eq!(delay().await, Millis(7000));
}

async fn obstacles(cluster: &Cluster) -> Vec<Obstacle> {
    cluster.backend.inspect(&cluster.node(0)).await.unwrap().obstacles
}

/// InnoDB shows its transactions anew when it was not asked for 0.1 s.
async fn let_innodb_look_anew() {
    tokio::time::sleep(Duration::from_millis(120)).await;
}

/// The obstacle of this kind, once it is seen.
async fn seen(cluster: &Cluster, kind: ObstacleKind) -> Obstacle {
    let mut found = None;
    until("the obstacle is seen", async || {
        let_innodb_look_anew().await;
        found = obstacles(cluster).await.into_iter().find(|one| one.kind == kind);
        found.is_some()
    })
    .await;
    found.unwrap()
}

async fn what_is_under_way_is_named_and_waited_for(cluster: &Cluster) {
    let master = cluster.node(0);
    let quiet = async |limit| bounded(cluster.backend.await_quiet(&master, Millis(limit))).await;
    assert_eq!(quiet(20_000).await, Ok(vec![]));

    let mut app = cluster.app(0).await;
    app.query_drop("BEGIN").await.unwrap();
    app.query_drop("INSERT INTO app.t VALUES (1), (2)").await.unwrap();
    let open = seen(cluster, ObstacleKind::Transaction).await;
    assert_eq!(open.session, Some(app.id().into()));
    assert!(open.account.starts_with("app@"), "{open}");
    assert!(open.detail.starts_with("2 rows"), "{open}");
    let left = quiet(1000).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");

    // It waits for the transaction, a freeze for both.
    let mut boss = cluster.boss(0).await;
    let altering = tokio::spawn(async move {
        boss.query_drop("/* why */ ALTER TABLE app.t COMMENT 'nobody else knows'").await
    });
    let ddl = seen(cluster, ObstacleKind::Ddl).await;
    assert_eq!(ddl.detail, "ALTER TABLE app.t COMMENT…", "{ddl}");
    let error = quiet(1000).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Obstructed);
    assert!(error.detail.contains("DDL of session"), "{error}");
    assert!(!error.detail.contains("open transaction"), "a freeze ends those: {error}");

    let (committed, left) = tokio::join!(app.query_drop("COMMIT"), quiet(20_000));
    committed.unwrap();
    assert_eq!(left, Ok(vec![]));
    altering.await.unwrap().unwrap();

    let prepare = ["XA START 'left behind'", "INSERT INTO app.t VALUES (3)"];
    for statement in prepare.into_iter().chain(["XA END 'left behind'", "XA PREPARE 'left behind'"])
    {
        app.query_drop(statement).await.unwrap();
    }
    app.disconnect().await.unwrap();
    let error = quiet(1000).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Obstructed);
    assert!(error.detail.contains("prepared XA transaction: left behind"), "{error}");
    let mut root = cluster.root(0).await;
    root.query_drop("XA ROLLBACK 'left behind'").await.unwrap();
    assert_eq!(quiet(20_000).await, Ok(vec![]));
}

async fn a_lock_on_all_tables_is_seen(cluster: &Cluster) {
    let mut boss = cluster.boss(0).await;
    boss.query_drop("FLUSH TABLES WITH READ LOCK").await.unwrap();
    let lock = seen(cluster, ObstacleKind::TableLock).await;
    assert_eq!((lock.session, lock.detail.as_str()), (Some(boss.id().into()), "all tables"));
    boss.query_drop("UNLOCK TABLES").await.unwrap();
    boss.query_drop("LOCK TABLES app.t WRITE").await.unwrap();
    let lock = seen(cluster, ObstacleKind::TableLock).await;
    assert_eq!((lock.session, lock.detail.as_str()), (Some(boss.id().into()), "app.t"));
}

async fn without_its_plugins_semi_sync_is_refused(cluster: &Cluster) {
    let master = cluster.node(0);
    assert_eq!(cluster.backend.look(&master).await.unwrap().semi_sync, None);
    let set = cluster.backend.set_semi_sync(&master, SemiSyncPart::Replica, &tag(2)).await;
    let error = set.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused);
    assert!(error.detail.contains("INSTALL PLUGIN"), "{error}");
}

async fn without_rights_less_is_seen_and_that_is_said(cluster: &Cluster) {
    let mut root = cluster.root(0).await;
    for right in ["XA_RECOVER_ADMIN ON *.*", "SELECT ON performance_schema.*"] {
        root.query_drop(format!("REVOKE {right} FROM 'dba'@'%'")).await.unwrap();
    }
    let mut app = cluster.app(0).await;
    app.query_drop("BEGIN").await.unwrap();
    app.query_drop("INSERT INTO app.t VALUES (4)").await.unwrap();
    let backend = MySqlBackend::new(credentials(&cluster.sandbox), LIMITS);
    let mut inspection = backend.inspect(&cluster.node(0)).await.unwrap();
    until("the transaction is seen", async || {
        let_innodb_look_anew().await;
        inspection = backend.inspect(&cluster.node(0)).await.unwrap();
        inspection.obstacles.iter().any(|one| one.kind == ObstacleKind::Transaction)
    })
    .await;
    assert_eq!(inspection.probe.read_only_set, ReadOnlySet::ByStatement);
    let unseen = inspection.findings.iter().find(|one| one.id == "obstacles-unseen").unwrap();
    for right in ["XA_RECOVER_ADMIN", "performance_schema"] {
        assert!(unseen.text.contains(right), "{}", unseen.text);
    }
}
