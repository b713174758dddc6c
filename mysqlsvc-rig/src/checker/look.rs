//! One server, seen in one way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_sandbox::Flavor;
use tokio::time::{MissedTickBehavior, interval};

use super::{Sample, Seen, Shared, View};
use crate::{Endpoint, SqlError};

/// A server that does not answer for so long tells nothing; another look is begun.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Looker {
    pub(super) server: usize,
    pub(super) view: View,
    pub(super) endpoint: Endpoint,
    pub(super) shared: Arc<Shared>,
    pub(super) interval: Duration,
}

impl Looker {
    pub(super) async fn run(self) {
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut session = None;
        loop {
            ticks.tick().await;
            let Some(mut conn) = self.connected(session.take()).await else { continue };
            let sent = Instant::now();
            let seen = self.look(&mut conn).await;
            let received = Instant::now();
            let seen = seen.unwrap_or_else(|error| {
                tracing::debug!(%error, view = ?self.view, "check");
                Seen::Unknown
            });
            if seen != Seen::Unknown {
                session = Some(conn);
            }
            self.record(Sample { sent, received, seen });
        }
    }

    async fn connected(&self, session: Option<Conn>) -> Option<Conn> {
        if session.is_some() {
            return session;
        }
        let conn = self.endpoint.connect(LIMIT).await.ok();
        if conn.is_none() {
            let now = Instant::now();
            self.record(Sample { sent: now, received: now, seen: Seen::Unknown });
        }
        conn
    }

    fn record(&self, sample: Sample) {
        let through = self.view == View::GrantAll && self.shared.flavor == Flavor::MariaDb;
        let mut runs = self.shared.runs();
        if through && sample.seen == Seen::Writable && runs.is_closed(self.server) {
            runs.record_through_read_only(self.server, sample);
        } else {
            runs.record(self.server, self.view, sample);
        }
    }

    async fn look(&self, conn: &mut Conn) -> Result<Seen, SqlError> {
        match self.view {
            View::Variables => self.read_variables(conn).await,
            View::Application | View::GrantAll => self.try_to_write(conn).await,
        }
    }

    /// Whether the application may write; `super_read_only` implies `read_only`.
    async fn read_variables(&self, conn: &mut Conn) -> Result<Seen, SqlError> {
        let asking = conn.query_first::<String, _>("SELECT @@global.read_only");
        let read_only = self.endpoint.bounded("read read_only", LIMIT, asking).await?;
        Ok(match read_only.as_deref() {
            Some("0" | "OFF") => Seen::Writable,
            Some(_) => Seen::Closed,
            None => Seen::Unknown,
        })
    }

    /// One round trip, so that the row is locked as shortly as can be. Where the INSERT is refused
    /// the ROLLBACK is not run; the next BEGIN ends the empty transaction.
    async fn try_to_write(&self, conn: &mut Conn) -> Result<Seen, SqlError> {
        let writer = match self.view {
            View::Application => 1,
            View::Variables | View::GrantAll => 2,
        };
        let sql =
            format!("BEGIN; INSERT INTO rig_probe (writer, seq) VALUES ({writer}, 0); ROLLBACK");
        match self.endpoint.bounded("try to write", LIMIT, conn.query_drop(sql)).await {
            Ok(()) => Ok(Seen::Writable),
            Err(error) if error.is_read_only() => Ok(Seen::Closed),
            Err(error) => Err(error),
        }
    }
}
