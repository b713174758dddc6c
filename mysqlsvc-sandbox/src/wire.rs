//! Replication: the first node as the master of all others.

use std::time::Duration;

use mysql_async::{Conn, Row, prelude::Queryable as _};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    account::{Account, Accounts},
    error::SandboxError,
    flavor::Flavor,
    node::Node,
    session,
};

const LIMIT: Duration = Duration::from_secs(30);

/// As the MySQL of our images calls it (from 8.2 on).
const LOG_END: &str = "SHOW BINARY LOG STATUS";

/// Opens the first node for writes and makes the others replicate from it; returns once all do.
pub(crate) async fn wire(
    flavor: Flavor,
    nodes: &[Node],
    accounts: &Accounts,
) -> Result<(), SandboxError> {
    let Some((master, replicas)) = nodes.split_first() else {
        return Ok(());
    };
    let mut conn = session::connect(0, master, &accounts.root).await?;
    let from = start_of(flavor, &mut conn).await?;
    session::execute(0, &mut conn, "opening for writes", "SET GLOBAL read_only = 0").await?;
    let mut tasks = JoinSet::new();
    for (index, replica) in (1..).zip(replicas) {
        let sql = change_source(flavor, master, &accounts.repl, &from);
        let (replica, root) = (replica.clone(), accounts.root.clone());
        tasks.spawn(async move { follow(flavor, index, &replica, &root, &sql).await });
    }
    while let Some(joined) = tasks.join_next().await {
        joined.unwrap_or_else(|panic| {
            Err(SandboxError::Command {
                what: "wiring a replica".into(),
                detail: panic.to_string(),
            })
        })?;
    }
    Ok(())
}

/// From where replicas begin, in the words of CHANGE MASTER.
async fn start_of(flavor: Flavor, master: &mut Conn) -> Result<String, SandboxError> {
    if flavor == Flavor::MariaDb {
        return Ok("MASTER_USE_GTID=slave_pos".to_owned());
    }
    let mode = master.query_first("SELECT @@global.gtid_mode");
    let mode: Option<String> = session::bounded(0, "reading gtid_mode", mode).await?;
    if mode.as_deref() == Some("ON") {
        return Ok("SOURCE_AUTO_POSITION=1".to_owned());
    }
    let what = "reading where the binary log ends";
    let end: Option<Row> = session::bounded(0, what, master.query_first(LOG_END)).await?;
    let end = end.and_then(|row| {
        let log: String = row.get_opt("File")?.ok()?;
        let offset: u64 = row.get_opt("Position")?.ok()?;
        Some(format!("SOURCE_AUTO_POSITION=0, SOURCE_LOG_FILE='{log}', SOURCE_LOG_POS={offset}"))
    });
    end.ok_or_else(|| {
        let detail = "it has no binary log".to_owned();
        SandboxError::Sql { node: 0, what, detail }
    })
}

async fn follow(
    flavor: Flavor,
    index: usize,
    replica: &Node,
    root: &Account,
    change_source: &str,
) -> Result<(), SandboxError> {
    let mut conn = session::connect(index, replica, root).await?;
    let start = match flavor {
        Flavor::MariaDb => "START SLAVE",
        Flavor::MySql => "START REPLICA",
    };
    session::execute(index, &mut conn, "naming the source", change_source).await?;
    session::execute(index, &mut conn, "starting replication", start).await?;
    wait_running(flavor, index, &mut conn).await
}

/// Fast detection of a silent source, and no giving up: DESIGN's settings for an active replica.
fn change_source(flavor: Flavor, master: &Node, repl: &Account, from: &str) -> String {
    let Node { host, port, .. } = master;
    let (user, password) = (&repl.user, repl.password.expose());
    match flavor {
        Flavor::MariaDb => format!(
            "CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{user}', \
             MASTER_PASSWORD='{password}', {from}, \
             MASTER_HEARTBEAT_PERIOD=0.5, MASTER_CONNECT_RETRY=1"
        ),
        Flavor::MySql => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, \
             SOURCE_USER='{user}', SOURCE_PASSWORD='{password}', {from}, \
             GET_SOURCE_PUBLIC_KEY=1, SOURCE_HEARTBEAT_PERIOD=0.5, SOURCE_CONNECT_RETRY=1, \
             SOURCE_RETRY_COUNT=0"
        ),
    }
}

async fn wait_running(flavor: Flavor, index: usize, conn: &mut Conn) -> Result<(), SandboxError> {
    let started = Instant::now();
    loop {
        let (running, seen) = look(flavor, index, conn).await?;
        if running {
            return Ok(());
        }
        if started.elapsed() > LIMIT {
            return Err(SandboxError::Replication { node: index, waited: LIMIT, seen });
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether both threads run, and what to show if they do not.
async fn look(
    flavor: Flavor,
    index: usize,
    conn: &mut Conn,
) -> Result<(bool, String), SandboxError> {
    let (statement, prefix) = match flavor {
        Flavor::MariaDb => ("SHOW SLAVE STATUS", "Slave"),
        Flavor::MySql => ("SHOW REPLICA STATUS", "Replica"),
    };
    let status: Option<Row> =
        session::bounded(index, "reading the replication status", conn.query_first(statement))
            .await?;
    let Some(status) = status else {
        return Ok((false, "no replication is configured".into()));
    };
    let field = |name: &str| {
        status.get_opt::<String, _>(name).and_then(Result::ok).unwrap_or_else(|| "NULL".into())
    };
    let io = field(&format!("{prefix}_IO_Running"));
    let sql = field(&format!("{prefix}_SQL_Running"));
    let seen = format!(
        "{prefix}_IO_Running: {io}, {prefix}_SQL_Running: {sql}, Last_IO_Error: {:?}, \
         Last_SQL_Error: {:?}",
        field("Last_IO_Error"),
        field("Last_SQL_Error")
    );
    Ok((io == "Yes" && sql == "Yes", seen))
}
