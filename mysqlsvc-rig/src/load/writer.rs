//! One writer: a row after the other, a new connection when the old one is of no use.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mysql_async::{Conn, prelude::Queryable as _};
use tokio::time::sleep;

use super::{
    errors::{ErrorKind, ErrorMeter},
    timeline::Timeline,
};
use crate::{Endpoint, SqlError, ledger::WriterLedger};

/// Longer than a proxy holds a connection at its gate (30 s), so that its answer is seen.
const LOGIN_LIMIT: Duration = Duration::from_secs(35);
const STATEMENT_LIMIT: Duration = Duration::from_secs(15);
/// After a login that failed or led to a server that is read-only.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(10);

/// What all writers of one load share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) timeline: Timeline,
    pub(super) errors: ErrorMeter,
    pub(super) acknowledged: AtomicU64,
    /// Microseconds from an acknowledgement to the same writer's next row.
    pub(super) pause: AtomicU64,
    pub(super) stopping: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) endpoint: Endpoint,
    pub(super) ledger: Arc<Mutex<WriterLedger>>,
    pub(super) shared: Arc<Shared>,
}

/// A connection, and whether it ever carried an acknowledged write.
#[derive(Debug)]
struct Session {
    conn: Conn,
    has_written: bool,
}

impl Writer {
    pub(super) async fn run(self) {
        let (writer, mut seq) = self.with_ledger(|ledger| (ledger.writer, ledger.last + 1));
        let mut session = None;
        while !self.shared.stopping.load(Ordering::Relaxed) {
            let Some(mut current) = self.connected(session.take()).await else { continue };
            let sql = format!("INSERT INTO rig_rows (writer, seq) VALUES ({writer}, {seq})");
            let insert = current.conn.query_drop(sql);
            match self.endpoint.bounded("write a row", STATEMENT_LIMIT, insert).await {
                Ok(()) => {
                    self.acknowledge(writer, seq);
                    seq += 1;
                    current.has_written = true;
                    session = Some(current);
                    self.pause().await;
                }
                Err(error) => {
                    if !self.refused(&error, current).await {
                        self.with_ledger(|ledger| {
                            ledger.last = seq;
                            ledger.ambiguous.insert(seq);
                        });
                        seq += 1;
                    }
                }
            }
        }
        if let Some(session) = session {
            // The rows are safe; a connection that does not end well is ended by its socket.
            let _ = self.endpoint.bounded("log out", LOGIN_LIMIT, session.conn.disconnect()).await;
        }
    }

    async fn connected(&self, session: Option<Session>) -> Option<Session> {
        if session.is_some() {
            return session;
        }
        match self.endpoint.connect(LOGIN_LIMIT).await {
            Ok(conn) => Some(Session { conn, has_written: false }),
            Err(error) => {
                tracing::debug!(%error, "login");
                self.shared.errors.count(ErrorKind::ConnectFailed);
                sleep(PAUSE_AFTER_FAILURE).await;
                None
            }
        }
    }

    /// Counts the error; whether the row is known not to have been written. The connection is given
    /// up, whatever it was.
    async fn refused(&self, error: &SqlError, session: Session) -> bool {
        let (kind, refused) = match (error.is_read_only(), session.has_written) {
            (true, true) => (ErrorKind::RefusedBeforeReconnecting, true),
            (true, false) => (ErrorKind::RefusedOnFreshConnection, true),
            (false, _) if is_cut(error) => (ErrorKind::Cut, false),
            (false, _) => (ErrorKind::Other, false),
        };
        tracing::debug!(%error, ?kind, "write");
        self.shared.errors.count(kind);
        drop(session);
        if kind == ErrorKind::RefusedOnFreshConnection || kind == ErrorKind::Other {
            sleep(PAUSE_AFTER_FAILURE).await;
        }
        refused
    }

    fn acknowledge(&self, writer: u32, seq: u64) {
        self.with_ledger(|ledger| ledger.last = seq);
        self.shared.timeline.record(writer);
        self.shared.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    async fn pause(&self) {
        let pause = self.shared.pause.load(Ordering::Relaxed);
        if pause > 0 {
            sleep(Duration::from_micros(pause)).await;
        }
    }

    fn with_ledger<T>(&self, work: impl FnOnce(&mut WriterLedger) -> T) -> T {
        work(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the connection or the statement was ended by someone: no answer, a socket that closed,
/// or one of a server's ways to say "killed" or "shutting down".
fn is_cut(error: &SqlError) -> bool {
    const SERVER_SHUTDOWN: u16 = 1053;
    const QUERY_INTERRUPTED: u16 = 1317;
    const CONNECTION_KILLED: u16 = 1927;
    const KILLED_BY_OPERATOR: u16 = 3169;
    const ALL: [u16; 4] =
        [SERVER_SHUTDOWN, QUERY_INTERRUPTED, CONNECTION_KILLED, KILLED_BY_OPERATOR];
    error.code().is_none_or(|code| ALL.contains(&code))
}
