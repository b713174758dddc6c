//! What servers say of themselves, asked past the monitor as root.

use mysql_async::{Conn, Row, prelude::Queryable as _};
use mysqlsvc_sandbox::{Flavor, Sandbox};

/// The servers of a sandbox, by number from 0.
#[derive(Debug, Clone, Copy)]
pub struct Servers<'a>(pub &'a Sandbox);

/// What a failed operation must leave as it found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `read_only` and, on MySQL, `super_read_only`.
    pub read_only: String,
    /// Where it replicates from, and whether both threads run.
    pub replication: Option<(String, String, String)>,
}

impl Servers<'_> {
    /// A session of root's.
    pub async fn root(&self, server: usize) -> Conn {
        self.0.connect(server, &self.0.accounts().root).await.unwrap()
    }

    /// Which family they are of.
    pub fn flavor(&self) -> Flavor {
        self.0.flavor()
    }

    /// Puts something on a server that a freeze waits for, and that no switch sees before.
    pub async fn block_freezes(&self, server: usize) -> crate::Blocker {
        crate::Blocker::on(self, server).await
    }

    /// Runs one statement as root.
    pub async fn run(&self, server: usize, sql: &str) {
        self.root(server).await.query_drop(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Runs statements as root in one session that writes no binary log, past `super_read_only`.
    pub async fn run_unlogged(&self, server: usize, statements: &[&str]) {
        let is_super = self.0.flavor() == Flavor::MySql
            && self.ask(server, "SELECT @@global.super_read_only + 0").await == "1";
        let mut all = vec!["SET sql_log_bin = 0"];
        if is_super {
            all.push("SET GLOBAL super_read_only = 0");
        }
        all.extend(statements);
        if is_super {
            all.push("SET GLOBAL super_read_only = 1");
        }
        let mut conn = self.root(server).await;
        for sql in all {
            conn.query_drop(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
    }

    /// Ends the sessions of the monitor's account: what they may do was settled when they began.
    pub async fn end_sessions_of_dba(&self, server: usize) {
        let mut root = self.root(server).await;
        let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'dba'";
        let sessions: Vec<u64> = root.query(sql).await.unwrap();
        for id in sessions {
            // It may have ended by itself.
            let _ = root.query_drop(format!("KILL {id}")).await;
        }
    }

    /// The first column of the first row, as text.
    pub async fn ask(&self, server: usize, sql: &str) -> String {
        let answer: Option<Option<String>> =
            self.root(server).await.query_first(sql).await.unwrap();
        answer.flatten().unwrap_or_default()
    }

    /// `read_only` and replication of one server.
    pub async fn picture(&self, server: usize) -> Picture {
        let (variables, status, [host, port, io, sql]) = match self.0.flavor() {
            Flavor::MariaDb => (
                "SELECT CONCAT(@@global.read_only + 0)",
                "SHOW SLAVE STATUS",
                ["Master_Host", "Master_Port", "Slave_IO_Running", "Slave_SQL_Running"],
            ),
            Flavor::MySql => (
                "SELECT CONCAT(@@global.read_only + 0, @@global.super_read_only + 0)",
                "SHOW REPLICA STATUS",
                ["Source_Host", "Source_Port", "Replica_IO_Running", "Replica_SQL_Running"],
            ),
        };
        let read_only = self.ask(server, variables).await;
        let status: Option<Row> = self.root(server).await.query_first(status).await.unwrap();
        let replication = status.map(|row| {
            let text = |name: &str| row.get::<String, _>(name).unwrap_or_default();
            let port: u16 = row.get(port).unwrap_or_default();
            (format!("{}:{port}", text(host)), text(io), text(sql))
        });
        Picture { read_only, replication }
    }

    /// All pictures, in the order of the nodes.
    pub async fn pictures(&self) -> Vec<Picture> {
        let mut pictures = Vec::new();
        for server in 0..self.0.nodes().len() {
            pictures.push(self.picture(server).await);
        }
        pictures
    }

    /// Which servers let applications write.
    pub async fn writable(&self) -> Vec<usize> {
        let pictures = self.pictures().await;
        let open = |picture: &Picture| picture.read_only.starts_with('0');
        (0..pictures.len()).filter(|server| open(&pictures[*server])).collect()
    }

    /// Whether a session with these words in its statement is there.
    pub async fn is_running(&self, server: usize, words: &str) -> bool {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
             WHERE ID <> CONNECTION_ID() AND INFO LIKE '%{words}%'"
        );
        self.ask(server, &sql).await != "0"
    }

    /// Waits until a table of the schema `app`, made at the master, is on this server: a replica
    /// that runs need not have applied anything yet.
    pub async fn until_table(&self, server: usize, name: &str) {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = 'app' AND TABLE_NAME = '{name}'"
        );
        crate::eventually("the table", async || {
            (self.ask(server, &sql).await == "1").then_some(())
        })
        .await;
    }

    /// Waits until this server replicates: a thread that was just started may still be connecting.
    pub async fn until_replicates(&self, server: usize) {
        crate::eventually("both threads running", async || {
            let (_, io, sql) = self.picture(server).await.replication?;
            (io == "Yes" && sql == "Yes").then_some(())
        })
        .await;
    }

    /// Waits until the tables of the load, made at the master, are on every server.
    pub async fn until_tables_everywhere(&self) {
        for server in 0..self.0.nodes().len() {
            for table in ["rig_rows", "rig_probe"] {
                self.until_table(server, table).await;
            }
        }
    }

    /// Waits until the freeze of this server has been sent and waits for a lock.
    pub async fn until_freeze_waits(&self, server: usize) {
        let words = match self.0.flavor() {
            Flavor::MariaDb => "FLUSH TABLES WITH READ LOCK",
            Flavor::MySql => "super_read_only = 1",
        };
        crate::eventually("a freeze that waits", async || {
            self.is_running(server, words).await.then_some(())
        })
        .await;
    }
}
