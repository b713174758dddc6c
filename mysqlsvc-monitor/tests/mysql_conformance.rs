//! Real servers of both flavours keep the contract of `ReplicationBackend`, as the model does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use std::time::Duration;

use async_trait::async_trait;
use mysql_async::{Conn, Row, prelude::Queryable as _};
use mysqlsvc_core::{
    Millis, NodeId, ReplicationBackend,
    testing::conformance::{ChannelSettings, Client, Fixture, NonConformance, check_all},
};
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox};

use crate::mysql_support::{Cluster, on_both, placed::Placed};

on_both! { real_servers_keep_the_contract }

/// The version after the host's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_in_containers_keeps_the_contract() {
    let builder = Sandbox::builder().flavor(Flavor::MariaDb).runtime(Runtime::Container).nodes(2);
    keeps_the_contract(Cluster::wired_by(builder).await).await;
}

/// What cannot be done without GTIDs, and is refused. Mutual replication is refused by the engine.
const NEED_GTIDS: [&str; 1] = ["a_replica_opened_beside_goes_on_replicating"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_without_gtids_keeps_the_contract() {
    let builder = Sandbox::builder().flavor(Flavor::MySql).gtid(false).nodes(2).semi_sync();
    let cluster = Cluster::wired_by(builder).await;
    let placed = Placed::new(&cluster.backend);
    let failed = failures(&placed, &cluster).await;
    let (refused, failed): (Vec<_>, Vec<_>) =
        failed.into_iter().partition(|it| NEED_GTIDS.contains(&it.check));
    let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let refused: Vec<&str> = refused.iter().map(|it| it.check).collect();
    assert_eq!(refused, NEED_GTIDS, "they are possible");
}

async fn real_servers_keep_the_contract(flavor: Flavor) {
    let builder = Sandbox::builder().flavor(flavor).nodes(2).semi_sync();
    keeps_the_contract(Cluster::wired_by(builder).await).await;
}

async fn keeps_the_contract(cluster: Cluster) {
    let failed = failures(&cluster.backend, &cluster).await;
    let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn failures(backend: &dyn ReplicationBackend, cluster: &Cluster) -> Vec<NonConformance> {
    cluster.app(0).await.query_drop("CREATE TABLE app.locked (n INT)").await.unwrap();
    // Its port is free for good: it lies below those that are handed out, and needs root to bind.
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let servers = Servers { master: cluster.node(0), replica: cluster.node(1), nowhere, cluster };
    let seen = cluster.backend.look(&servers.master).await.unwrap();
    assert!(seen.semi_sync.is_some(), "its checks would be passed over");
    check_all(backend, &servers).await
}

struct Servers<'a> {
    master: NodeId,
    replica: NodeId,
    nowhere: NodeId,
    cluster: &'a Cluster,
}

impl Servers<'_> {
    fn index(&self, node: &NodeId) -> usize {
        usize::from(*node != self.master)
    }

    async fn tell(&self, node: &NodeId, text: &str) -> Result<(), String> {
        let mut root = self.cluster.root(self.index(node)).await;
        root.query_drop(text).await.map_err(|error| error.to_string())
    }

    /// A column of the first row, as a number.
    async fn number(&self, node: &NodeId, text: &str, column: &str) -> Option<f64> {
        let mut root = self.cluster.root(self.index(node)).await;
        let row: Row = root.query_first(text).await.ok()??;
        row.get::<String, _>(column)?.parse().ok()
    }
}

#[async_trait]
impl Fixture for Servers<'_> {
    fn master(&self) -> &NodeId {
        &self.master
    }

    fn replica(&self) -> &NodeId {
        &self.replica
    }

    fn nowhere(&self) -> NodeId {
        self.nowhere.clone()
    }

    fn application(&self) -> &str {
        &self.cluster.sandbox.accounts().app.user
    }

    async fn write(&self, node: &NodeId) -> Result<(), String> {
        let mut app = self.cluster.app(self.index(node)).await;
        app.query_drop("INSERT INTO app.t VALUES (1)").await.map_err(|error| error.to_string())
    }

    async fn count_rows(&self, node: &NodeId) -> Result<u64, String> {
        Ok(self.cluster.count_rows(self.index(node)).await.into())
    }

    async fn connect(&self, node: &NodeId) -> Result<Box<dyn Client>, String> {
        Ok(Box::new(Open(self.cluster.app(self.index(node)).await)))
    }

    /// The application's account lacks LOCK TABLES; the lock is what counts.
    async fn lock(&self, node: &NodeId) -> Option<Box<dyn Client>> {
        let mut boss = self.cluster.boss(self.index(node)).await;
        boss.query_drop("LOCK TABLES app.locked WRITE").await.unwrap();
        Some(Box::new(Open(boss)))
    }

    async fn stop_applier(&self, node: &NodeId) -> Result<(), String> {
        self.tell(node, "STOP REPLICA SQL_THREAD").await
    }

    async fn start_applier(&self, node: &NodeId) -> Result<(), String> {
        self.tell(node, "START REPLICA SQL_THREAD").await
    }

    async fn channel_settings(&self, node: &NodeId) -> ChannelSettings {
        let millis = |seconds: f64| Millis::from(Duration::from_secs_f64(seconds));
        let (heartbeat, net_timeout) = match self.cluster.sandbox.flavor() {
            Flavor::MariaDb => ("SHOW GLOBAL STATUS LIKE 'Slave_heartbeat_period'", "slave"),
            Flavor::MySql => (
                "SELECT CAST(HEARTBEAT_INTERVAL AS CHAR) AS Value \
                 FROM performance_schema.replication_connection_configuration",
                "replica",
            ),
        };
        let net_timeout = format!("SHOW GLOBAL VARIABLES LIKE '{net_timeout}_net_timeout'");
        let retries = "SELECT CAST(CONNECTION_RETRY_COUNT AS CHAR) AS Value \
                       FROM performance_schema.replication_connection_configuration";
        ChannelSettings {
            heartbeat: self.number(node, heartbeat, "Value").await.map(millis),
            net_timeout: self.number(node, &net_timeout, "Value").await.map(millis),
            connect_retry: self
                .number(node, "SHOW REPLICA STATUS", "Connect_Retry")
                .await
                .map(millis),
            // MariaDB does not show its own, which is an option of the start only.
            retries_end: self.number(node, retries, "Value").await.map(|count| count != 0.0),
        }
    }

    async fn moment(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Open(Conn);

#[async_trait]
impl Client for Open {
    async fn is_alive(&mut self) -> bool {
        self.0.query_drop("DO 1").await.is_ok()
    }

    async fn close(self: Box<Self>) {
        // A session that was killed has nothing to say good-bye to.
        let _ = self.0.disconnect().await;
    }
}
