//! One session with one server: a text in, an answer out, within a deadline.

use futures_util::FutureExt as _;
use mysql_async::{Conn, Opts, Row, prelude::Queryable as _};
use tokio::time::{Instant, timeout_at};

use super::{
    answer::{Answer, Table},
    clock::ServerClock,
    dialect::{self, Dialect, SemiSyncNames},
    fault::Fault,
    quiet,
};

/// An open session. Dropping it closes the socket at once, which ends a statement that MariaDB
/// still runs for it; MySQL's may outlive it (server-facts 1).
#[derive(Debug)]
pub(super) struct Session {
    /// None once an answer was lost or late: what would come next is anybody's guess.
    conn: Option<Conn>,
    dialect: Dialect,
    clock: ServerClock,
    last_used: Instant,
    pub(super) memory: Memory,
}

/// What looks over this session have learned, so that they need not ask it each time. It ends with
/// the session, and so with the server's run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What semi-sync is called there, if it is there, and when that was asked.
    pub(super) semi_sync: Option<(Option<SemiSyncNames>, Instant)>,
    /// `read_only` was set while the server ran, or our account may not see that.
    pub(super) read_only_was_set: bool,
    /// By position: where the server's log ended, and from where on nothing was in it.
    pub(super) quiet: Option<quiet::Found>,
}

impl Session {
    /// Logs in, sets the session up and learns what server it is.
    pub(super) async fn open(opts: Opts, deadline: Instant) -> Result<Self, Fault> {
        let begun = Instant::now();
        let late = |_| Fault::SlowConnect { limit: deadline.saturating_duration_since(begun) };
        let conn = timeout_at(deadline, Conn::new(opts)).await.map_err(late)?;
        let mut conn = conn.map_err(Fault::connecting)?;
        let sent = Instant::now();
        let answer = timeout_at(deadline, ask(&mut conn, dialect::SESSION_SETUP)).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Fault::Lost { detail })) => return Err(Fault::Unreachable { detail }),
            Ok(Err(fault)) => return Err(fault),
            Err(elapsed) => return Err(late(elapsed)),
        };
        let last_used = Instant::now();
        let dialect = Dialect::from_answer(&answer)?;
        let shown = answer.row(0)?.number(dialect::CLOCK)?;
        let clock = ServerClock::read(shown, sent, last_used, None);
        Ok(Self { conn: Some(conn), dialect, clock, last_used, memory: Memory::default() })
    }

    /// A statement that fails when the server begins it after `deadline`, by the server's own
    /// clock; what stands behind it in a text is not carried out then.
    pub(super) fn fence(&self, deadline: Instant) -> String {
        dialect::fence(self.clock.at(deadline))
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes note that `gtid_mode` was changed under this session.
    pub(super) fn tell_by_position(&mut self, by_position: bool) {
        self.dialect.by_position = by_position;
    }

    /// The server's number of this session.
    pub(super) fn connection_id(&self) -> Option<u32> {
        self.conn.as_ref().map(Conn::id)
    }

    /// When the server last answered here.
    pub(super) fn last_used(&self) -> Instant {
        self.last_used
    }

    pub(super) fn is_usable(&self) -> bool {
        self.conn.is_some()
    }

    /// Sends a text of one or more statements and reads all that comes back.
    ///
    /// A session whose answer was lost or late, or whose future was dropped half-way, is closed
    /// and gives [`Fault::Lost`] ever after.
    pub(super) async fn run(&mut self, text: &str, deadline: Instant) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let gone = || Fault::Lost { detail: "the session was closed before".to_owned() };
        // Out of `self` while it runs, so that a dropped future takes it along.
        let mut conn = Closing(Some(self.conn.take().ok_or_else(gone)?));
        let Some(running) = conn.0.as_mut() else {
            return Err(gone());
        };
        let answer = match timeout_at(deadline, ask(running, text)).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::Late { limit: deadline.saturating_duration_since(begun) }),
        };
        let keep = match &answer {
            Ok(_) => true,
            Err(fault) => matches!(fault, Fault::Server { .. }) && !fault.ended_session(),
        };
        if keep {
            self.conn = conn.0.take();
            self.last_used = Instant::now();
        }
        if let Some(shown) = answer.as_ref().ok().and_then(shown_clock) {
            self.clock = ServerClock::read(shown, begun, self.last_used, Some(self.clock));
        }
        answer
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(Closing(self.conn.take()));
    }
}

/// Closes the socket when dropped, instead of leaving the driver to wait for an answer first.
struct Closing(Option<Conn>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            // One poll marks it as disconnected and tries to say COM_QUIT; then the socket goes.
            let _ = conn.disconnect().now_or_never();
        }
    }
}

/// What the server's clock showed, where the text asked for it.
fn shown_clock(answer: &Answer) -> Option<f64> {
    answer.first_rows().find_map(|row| row.get(dialect::CLOCK))?.parse().ok()
}

/// Fences give results, too, which are left out and not counted.
async fn ask(conn: &mut Conn, text: &str) -> Result<Answer, Fault> {
    let mut answer = Answer::default();
    let mut done = 0;
    let mut result = conn.query_iter(text).await.map_err(|error| Fault::running(error, done))?;
    loop {
        let columns: Vec<String> =
            result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
        let rows: Vec<Row> = result.collect().await.map_err(|error| Fault::running(error, done))?;
        if columns.iter().map(String::as_str).eq([dialect::FENCE]) {
            continue;
        }
        done += 1;
        if !columns.is_empty() {
            answer.push(Table::new(columns, rows));
        }
        if result.is_empty() {
            break;
        }
    }
    // The driver keeps the error of the statement that ended a text for whoever asks next.
    let _: Vec<Row> = result.collect().await.map_err(|error| Fault::running(error, done))?;
    Ok(answer)
}
