//! How long bare SQL needs for what a switch does between freeze and open.

use std::time::{Duration, Instant};

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_sandbox::{Flavor, Sandbox};
use tokio::time::sleep;

use crate::{Endpoint, SqlError};

/// Longer than the wait for a position.
const LIMIT: Duration = Duration::from_secs(30);
const GTID_WAIT_SECONDS: u32 = 20;

/// Between two rounds, so that the writers are at full speed again.
const BETWEEN: Duration = Duration::from_millis(500);

/// Freezes the first server of a wired sandbox, waits until the second has executed everything,
/// stops the second's replication and opens it, and takes all back, `rounds` times; how long each
/// took until the second was open. Warm connections, each statement sent as early as can be, no
/// session killed, nothing read back, nothing recorded: no switch can be faster.
///
/// Meant to run under the load of the switches that are compared with it, at the first server. No
/// monitor may watch: it would rightly complain.
pub async fn measure_floor(sandbox: &Sandbox, rounds: u32) -> Result<Vec<Duration>, SqlError> {
    let (Some(master), Some(candidate)) = (sandbox.nodes().first(), sandbox.nodes().get(1)) else {
        return Ok(Vec::new());
    };
    let root = &sandbox.accounts().root;
    let mut pair = Pair {
        flavor: sandbox.flavor(),
        old: Server::connect(Endpoint::direct(master, root)).await?,
        new: Server::connect(Endpoint::direct(candidate, root)).await?,
    };
    let mut durations = Vec::new();
    for _ in 0..rounds {
        sleep(BETWEEN).await;
        let measured = pair.round().await;
        // Whatever happened, the first is the master again.
        pair.take_back().await?;
        durations.push(measured?);
    }
    Ok(durations)
}

struct Pair {
    flavor: Flavor,
    old: Server,
    new: Server,
}

impl Pair {
    async fn round(&mut self) -> Result<Duration, SqlError> {
        let begun = Instant::now();
        let freeze = match self.flavor {
            Flavor::MariaDb => {
                "FLUSH TABLES WITH READ LOCK; SET GLOBAL read_only = 1; \
                 SELECT @@global.gtid_binlog_pos; UNLOCK TABLES"
            }
            Flavor::MySql => "SET GLOBAL super_read_only = 1; SELECT @@global.gtid_executed",
        };
        let position = self.old.ask("freeze", freeze).await?;
        self.await_executed(&position).await?;
        let open = match self.flavor {
            Flavor::MariaDb => "STOP SLAVE; SET GLOBAL read_only = 0",
            Flavor::MySql => "STOP REPLICA; SET GLOBAL read_only = 0",
        };
        self.new.ask("open", open).await?;
        Ok(begun.elapsed())
    }

    async fn take_back(&mut self) -> Result<(), SqlError> {
        let (close, position) = match self.flavor {
            Flavor::MariaDb => {
                ("SET GLOBAL read_only = 1; START SLAVE", "SELECT @@global.gtid_binlog_pos")
            }
            Flavor::MySql => {
                ("SET GLOBAL super_read_only = 1; START REPLICA", "SELECT @@global.gtid_executed")
            }
        };
        self.new.ask("close again", close).await?;
        self.old.ask("thaw", "SET GLOBAL read_only = 0").await?;
        let position = self.old.ask("read the position", position).await?;
        self.await_executed(&position).await
    }

    async fn await_executed(&mut self, position: &str) -> Result<(), SqlError> {
        let function = match self.flavor {
            Flavor::MariaDb => "MASTER_GTID_WAIT",
            Flavor::MySql => "WAIT_FOR_EXECUTED_GTID_SET",
        };
        let position = position.replace('\n', "");
        let waiting = format!("SELECT {function}('{position}', {GTID_WAIT_SECONDS})");
        match self.new.ask("wait for a position", &waiting).await?.as_str() {
            "0" => Ok(()),
            other => Err(SqlError::unexpected(
                self.new.endpoint.address(),
                "wait for a position",
                format!("the answer was {other:?} after {GTID_WAIT_SECONDS} s"),
            )),
        }
    }
}

struct Server {
    endpoint: Endpoint,
    conn: Conn,
}

impl Server {
    async fn connect(endpoint: Endpoint) -> Result<Self, SqlError> {
        let conn = endpoint.connect(LIMIT).await?;
        Ok(Self { endpoint, conn })
    }

    /// Runs statements in one round trip; the one value that they give, or nothing.
    async fn ask(&mut self, what: &'static str, sql: &str) -> Result<String, SqlError> {
        let conn = &mut self.conn;
        let asking = async {
            let mut answer = conn.query_iter(sql).await?;
            let mut value = None;
            while !answer.is_empty() {
                let rows: Vec<Option<String>> = answer.collect().await?;
                value = value.or(rows.into_iter().next().flatten());
            }
            answer.drop_result().await?;
            Ok(value.unwrap_or_default())
        };
        self.endpoint.bounded(what, LIMIT, asking).await
    }
}
