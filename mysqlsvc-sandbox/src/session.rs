//! Connections to the servers, each bounded in time.

use std::time::Duration;

use mysql_async::{Conn, Opts, OptsBuilder, prelude::Queryable as _};
use tokio::time::{Instant, sleep, timeout};

use crate::{account::Account, error::SandboxError, node::Node};

/// Limit of one connection attempt or one statement.
const LIMIT: Duration = Duration::from_secs(10);

/// How to connect to `node` as `account`, by TCP.
pub(crate) fn opts(node: &Node, account: &Account) -> Opts {
    OptsBuilder::default()
        .ip_or_hostname(node.host.clone())
        .tcp_port(node.port)
        .user(Some(account.user.clone()))
        .pass(Some(account.password.expose().to_owned()))
        .prefer_socket(false)
        .into()
}

pub(crate) async fn connect(
    index: usize,
    node: &Node,
    account: &Account,
) -> Result<Conn, SandboxError> {
    bounded(index, "connecting", Conn::new(opts(node, account))).await
}

/// Runs a statement without a result.
pub(crate) async fn execute(
    index: usize,
    conn: &mut Conn,
    what: &'static str,
    sql: &str,
) -> Result<(), SandboxError> {
    bounded(index, what, conn.query_drop(sql)).await
}

/// Puts the limit on one exchange with a server.
pub(crate) async fn bounded<T>(
    index: usize,
    what: &'static str,
    exchange: impl Future<Output = Result<T, mysql_async::Error>>,
) -> Result<T, SandboxError> {
    let detail = match timeout(LIMIT, exchange).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {LIMIT:?}"),
    };
    Err(SandboxError::Sql { node: index, what, detail })
}

/// Why a server did not become ready.
pub(crate) enum Unready {
    /// It ended, with this status.
    Ended(String),
    /// The limit passed; the last answer.
    TimedOut(Duration, String),
}

/// Waits until `node` lets `account` in and is the server that we mean; the version it names.
/// `ended` ends with the server, whose status it tells.
pub(crate) async fn wait_ready(
    node: &Node,
    account: &Account,
    limit: Duration,
    ended: impl Future<Output = String>,
) -> Result<String, Unready> {
    tokio::select! {
        biased;
        status = ended => Err(Unready::Ended(status)),
        ready = wait_answer(node, account, limit) => ready,
    }
}

async fn wait_answer(node: &Node, account: &Account, limit: Duration) -> Result<String, Unready> {
    let started = Instant::now();
    loop {
        let last = match timeout(Duration::from_secs(2), look(node, account)).await {
            Ok(Ok((version, server_id))) if server_id == node.server_id => return Ok(version),
            Ok(Ok((_, server_id))) => format!("server_id {server_id}: another server is there"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if started.elapsed() >= limit {
            return Err(Unready::TimedOut(started.elapsed(), last));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn look(node: &Node, account: &Account) -> Result<(String, u32), mysql_async::Error> {
    let mut conn = Conn::new(opts(node, account)).await?;
    let seen: Option<(String, u32)> = conn.query_first("SELECT VERSION(), @@server_id").await?;
    conn.disconnect().await?;
    Ok(seen.unwrap_or_default())
}

/// The server's `read_only`.
pub(crate) async fn read_only(
    index: usize,
    node: &Node,
    account: &Account,
) -> Result<bool, SandboxError> {
    let mut conn = connect(index, node, account).await?;
    let seen: Option<bool> =
        bounded(index, "reading read_only", conn.query_first("SELECT @@global.read_only")).await?;
    Ok(seen.unwrap_or_default())
}
