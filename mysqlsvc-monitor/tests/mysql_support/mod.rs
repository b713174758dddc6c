//! A sandbox with a backend that works it.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its part of it")]

pub(crate) mod placed;
pub(crate) mod relay;

use std::time::Duration;

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_core::{NodeId, OperationId, Tag};
use mysqlsvc_monitor::mysql::{Credentials, Limits, Login, MySqlBackend};
use mysqlsvc_sandbox::{Account, Flavor, Sandbox, SandboxBuilder};

/// Makes a test of each function on each flavour.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(mysqlsvc_sandbox::Flavor::MariaDb).await; })*
        }
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(mysqlsvc_sandbox::Flavor::MySql).await; })*
        }
    };
}
pub(crate) use on_both;

/// Longer than the default where success is expected: a busy machine is no dead server.
pub(crate) const LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    look: Duration::from_secs(3),
    action: Duration::from_secs(10),
    follow: Duration::from_secs(20),
};

/// Real servers and the backend under test.
pub(crate) struct Cluster {
    pub(crate) sandbox: Sandbox,
    pub(crate) backend: MySqlBackend,
}

pub(crate) fn tag(operation: u64) -> Tag {
    Tag::new(OperationId(operation))
}

fn login(account: &Account) -> Login {
    Login::new(&account.user, account.password.expose().to_owned().into())
}

pub(crate) fn credentials(sandbox: &Sandbox) -> Credentials {
    let accounts = sandbox.accounts();
    Credentials { dba: login(&accounts.dba), repl: login(&accounts.repl) }
}

/// Waits for a condition; a minute is beyond any doubt.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    assert!(reached.is_ok(), "waited in vain until {what}");
}

/// The answer of a call that must end, whatever the server does: far above its own limit.
pub(crate) async fn bounded<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), call).await.expect("a call did not end")
}

impl Cluster {
    /// Node 0 is the master of all others, and has the table `app.t`.
    pub(crate) async fn wired(flavor: Flavor, nodes: usize) -> Self {
        Self::wired_by(Sandbox::builder().flavor(flavor).nodes(nodes)).await
    }

    /// The same with what the builder was told.
    pub(crate) async fn wired_by(builder: SandboxBuilder) -> Self {
        let cluster = Self::built(builder.wire(true)).await;
        cluster.app(0).await.query_drop("CREATE TABLE app.t (n INT)").await.unwrap();
        for index in 0..cluster.sandbox.nodes().len() {
            until("the table is there", async || {
                let there = "SELECT COUNT(*) FROM information_schema.TABLES \
                             WHERE TABLE_SCHEMA = 'app' AND TABLE_NAME = 't'";
                cluster.root(index).await.query_first(there).await.unwrap() == Some(1_u32)
            })
            .await;
        }
        cluster
    }

    pub(crate) async fn built(builder: SandboxBuilder) -> Self {
        let sandbox = builder.start().await.unwrap();
        let backend = MySqlBackend::new(credentials(&sandbox), LIMITS);
        Self { sandbox, backend }
    }

    pub(crate) fn node(&self, index: usize) -> NodeId {
        self.sandbox.node(index).unwrap().address().parse().unwrap()
    }

    pub(crate) async fn app(&self, index: usize) -> Conn {
        self.sandbox.connect(index, &self.sandbox.accounts().app).await.unwrap()
    }

    pub(crate) async fn boss(&self, index: usize) -> Conn {
        self.sandbox.connect(index, &self.sandbox.accounts().boss).await.unwrap()
    }

    pub(crate) async fn dba(&self, index: usize) -> Conn {
        self.sandbox.connect(index, &self.sandbox.accounts().dba).await.unwrap()
    }

    pub(crate) async fn root(&self, index: usize) -> Conn {
        self.sandbox.connect(index, &self.sandbox.accounts().root).await.unwrap()
    }

    pub(crate) async fn write_rows(&self, index: usize, rows: u32) {
        let mut app = self.app(index).await;
        for n in 0..rows {
            app.query_drop(format!("INSERT INTO app.t (n) VALUES ({n})")).await.unwrap();
        }
    }

    pub(crate) async fn count_rows(&self, index: usize) -> u32 {
        let counted = self.root(index).await.query_first("SELECT COUNT(*) FROM app.t").await;
        counted.unwrap().unwrap()
    }

    /// Sessions that send a binary log to a replica, by their numbers.
    pub(crate) async fn dump_threads(&self, index: usize) -> Vec<u64> {
        let dumps = "SELECT ID FROM information_schema.PROCESSLIST \
                     WHERE COMMAND LIKE 'Binlog Dump%' ORDER BY ID";
        self.root(index).await.query(dumps).await.unwrap()
    }

    /// The one session that sends the binary log of server 0 to its replica, server 1. The I/O
    /// thread of a replica counts as running before its source has such a session for it, and the
    /// session of a connection before is ended only then: so a row has to come over, and the
    /// others to go.
    pub(crate) async fn settled_dump_thread(&self) -> u64 {
        let replicas = self.count_rows(1).await;
        self.write_rows(0, 1).await;
        until("the row has come over", async || self.count_rows(1).await > replicas).await;
        let mut dumps = Vec::new();
        until("one session is left that sends", async || {
            dumps = self.dump_threads(0).await;
            dumps.len() == 1
        })
        .await;
        dumps[0]
    }

    /// How many sessions run a statement with that text in it.
    pub(crate) async fn running_statements(&self, index: usize, text: &str) -> u32 {
        let count = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
             WHERE INFO LIKE '%{text}%' AND ID <> CONNECTION_ID()"
        );
        self.root(index).await.query_first(count).await.unwrap().unwrap()
    }
}
