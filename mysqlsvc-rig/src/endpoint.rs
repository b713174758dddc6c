//! Where to log in and as whom, and statements that are bounded in time.

use std::{fmt, time::Duration};

use mysql_async::{Conn, Opts, OptsBuilder};
use mysqlsvc_sandbox::{Account, Node};
use tokio::time::timeout;

/// A server or a proxy, and the account to use there. `Debug` shows no password.
#[derive(Clone)]
pub struct Endpoint {
    address: String,
    opts: Opts,
}

impl Endpoint {
    /// `account` at `host:port`.
    pub fn new(host: &str, port: u16, account: &Account) -> Self {
        let opts = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(port)
            .user(Some(account.user.clone()))
            .pass(Some(account.password.expose()))
            .db_name(Some("app"))
            .prefer_socket(false)
            // Given, so that the driver need not ask the server after each login.
            .max_allowed_packet(Some(16 << 20))
            .wait_timeout(Some(28_800));
        Self { address: format!("{host}:{port}"), opts: opts.into() }
    }

    /// `account` on a server of a sandbox, past every proxy.
    pub fn direct(node: &Node, account: &Account) -> Self {
        Self::new(&node.host, node.port, account)
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Logs in within `limit`.
    pub async fn connect(&self, limit: Duration) -> Result<Conn, SqlError> {
        self.bounded("log in", limit, Conn::new(self.opts.clone())).await
    }

    /// Puts a limit on one exchange; `what` is its verb for the error.
    pub(crate) async fn bounded<T>(
        &self,
        what: &'static str,
        limit: Duration,
        exchange: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, SqlError> {
        let seen = match timeout(limit, exchange).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => Seen::Error(Box::new(error)),
            Err(_) => Seen::Silence(limit),
        };
        Err(SqlError { address: self.address.clone(), what, seen })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A login or a statement did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} at {address}: {seen}")]
pub struct SqlError {
    address: String,
    what: &'static str,
    seen: Seen,
}

#[derive(Debug, thiserror::Error)]
enum Seen {
    #[error("{0}")]
    Error(Box<mysql_async::Error>),
    #[error("no answer within {0:?}")]
    Silence(Duration),
}

/// What both servers answer to a write while they are read-only (ER_OPTION_PREVENTS_STATEMENT), and
/// MySQL where a whole server is (ER_READ_ONLY_MODE).
const READ_ONLY_CODES: [u16; 2] = [1290, 1836];

impl SqlError {
    pub(crate) fn unexpected(address: &str, what: &'static str, seen: String) -> Self {
        let error = mysql_async::Error::Other(seen.into());
        Self { address: address.to_owned(), what, seen: Seen::Error(Box::new(error)) }
    }

    /// The server refused the statement because it is read-only: it changed nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.code().is_some_and(|code| READ_ONLY_CODES.contains(&code))
    }

    /// The number of the server's or the proxy's error, if it sent one.
    pub fn code(&self) -> Option<u16> {
        match &self.seen {
            Seen::Error(error) => match &**error {
                mysql_async::Error::Server(server) => Some(server.code),
                _ => None,
            },
            Seen::Silence(_) => None,
        }
    }
}
