//! Servers without GTIDs (`gtid_mode=OFF`, MySQL): places in binary logs stand for transactions.
//!
//! What was seen of them, on 9.7:
//! - `Exec_Source_Log_Pos` of a replica that has applied everything is where its source's binary log
//!   ends, also after `FLUSH LOGS` and after a restart of the source (killed or not): while the I/O
//!   thread is connected it is moved on to the beginning of the new file, behind its header.
//! - With several appliers it is what is applied without a gap, and lags behind by up to a
//!   checkpoint; what a server's own log holds may be ahead of it, never behind.
//! - A replica that was killed knows it too low until its appliers have been started once
//!   (593134 was shown, 710559 was true). Until then CHANGE REPLICATION SOURCE is refused
//!   (error 1802), [`GAPS`] counts some, and [`FILL_GAPS`] makes it true.
//! - Right after CHANGE REPLICATION SOURCE it is what was told there, true or not.
//! - `Source_UUID` survives a restart, and is empty from a change of source until the first
//!   connection.
//! - A server's own log begins a new file at each start and each FLUSH LOGS, read-only or not: its
//!   end moves without a transaction. `FLUSH TABLES`, `FLUSH PRIVILEGES`, `FLUSH STATUS` without
//!   `LOCAL` write a transaction into the log of a read-only server, too.
//! - SOURCE_POS_WAIT says NULL where the SQL thread is stopped, there is no source, or the file has
//!   another base; -1 when the time is over; a time of zero is without end.

use mysqlsvc_core::{
    GtidSet,
    backend::Stand,
    gtid::{Coordinate, InvalidCoordinate, PositionSet},
};
use uuid::Uuid;

use super::{Answer, Dialect, Fault, Record, Table, quoted, requirements, status};

/// One row: how many of a replica's appliers are known to be ahead of the place that it shows. Needs
/// SELECT on both tables.
pub(in super::super) const GAPS: &str = "SELECT COUNT(*) AS ahead \
    FROM mysql.slave_worker_info w JOIN mysql.slave_relay_log_info r USING (Channel_name) \
    WHERE Channel_name = '' AND (w.Master_log_name, w.Master_log_pos) \
    > (r.Master_log_name, r.Master_log_pos)";

/// Lets a stopped replica apply what it left out when it was killed, and stop then. Where nothing
/// was left out it does not stop, but goes on with what it received.
pub(in super::super) const FILL_GAPS: &str =
    "START REPLICA SQL_THREAD UNTIL SQL_AFTER_MTS_GAPS FOR CHANNEL ''";

/// Which server it is, beside a stand.
const ASK_UUID: &str = "SELECT @@global.server_uuid AS server_uuid";

/// Whether a replica can begin to read a log at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ReadableFrom {
    /// A transaction begins there, or none has been written behind it.
    Yes,
    /// It is in the middle of one.
    MidTransaction,
}

impl Dialect {
    /// Three tables: who it is, the state of replication, where its own log ends, in an order in
    /// which the last is never behind the second.
    pub(in super::super) fn stand_question(self) -> String {
        format!("{ASK_UUID}; {}; {}", self.words().status, self.log_end())
    }

    /// One row: where its own binary log ends.
    pub(in super::super) fn log_end(self) -> &'static str {
        requirements::binlog_status(self.flavor, self.version)
    }

    /// Whether `gtid_mode`, in a row of [`Words::facts`](super::Words::facts), means something else
    /// now than when the session began.
    pub(in super::super) fn is_outdated(self, facts: Record<'_>) -> bool {
        self.by_position != Self::is_by_position(facts.get("gtid_mode"))
    }

    /// What it has executed of its source's log, from the state of replication.
    pub(in super::super) fn executed_of_source(replication: &Table) -> Result<PositionSet, Fault> {
        let executed = source(replication)?.and_then(|(uuid, row)| {
            Some((uuid, coordinate(row, "Relay_Source_Log_File", "Exec_Source_Log_Pos")?))
        });
        Ok(match executed {
            Some((uuid, at)) => PositionSet::of(uuid, &at?),
            None => PositionSet::default(),
        })
    }

    /// Where a server's own log ends; none where it has none.
    pub(in super::super) fn place(log_end: &Table) -> Result<Option<Coordinate>, Fault> {
        let end = log_end.rows().next();
        end.and_then(|end| coordinate(end, "File", "Position")).transpose()
    }

    /// From three tables that answer [`Self::stand_question`], beginning with this one.
    pub(in super::super) fn stand(self, answer: &Answer, first: usize) -> Result<Seen, Fault> {
        let replication = answer.table(first + 1)?;
        Ok(Seen {
            server: status::uuid(answer.row(first)?.text("server_uuid")?)?,
            source: source(replication)?.map(|(source, _)| source),
            stand: Stand {
                executed: Self::executed_of_source(replication)?,
                place: must_have(Self::place(answer.table(first + 2)?)?)?,
                quiet_from: None,
            },
        })
    }

    /// The files of its own binary log with their sizes, oldest first.
    pub(in super::super) const LOGS: &'static str = "SHOW BINARY LOGS";

    /// All events of one file.
    pub(in super::super) fn events_of(log: &str) -> String {
        format!("SHOW BINLOG EVENTS IN {}", quoted(log))
    }

    /// A place in a file of that name.
    pub(in super::super) fn place_in(log: &str, offset: u64) -> Result<Coordinate, Fault> {
        parsed(&format!("{log}:{offset}"))
    }

    /// Two tables: who it is, and the files of its own binary log, oldest first.
    pub(in super::super) const OWN_LOGS: &'static str =
        "SELECT @@global.server_uuid AS server_uuid; SHOW BINARY LOGS";

    /// From the answer to [`Self::OWN_LOGS`]: what it has no longer.
    pub(in super::super) fn purged_places(logs: &Answer) -> Result<GtidSet, Fault> {
        let server = status::uuid(logs.row(0)?.text("server_uuid")?)?;
        let first = format!("{}:4", logs.row(1)?.text("Log_name")?);
        Ok(GtidSet::Positions(PositionSet::of(server, &parsed(&first)?)))
    }

    /// All of a server's own log, by position, from a row that names it and where its log ends.
    pub(in super::super) fn own_log(
        self,
        facts: Record<'_>,
        log_end: &Table,
    ) -> Result<GtidSet, Fault> {
        let server = status::uuid(facts.text("server_uuid")?)?;
        let place = must_have(Self::place(log_end)?)?;
        Ok(GtidSet::Positions(PositionSet::of(server, &place)))
    }

    /// Waits in the server until it has executed its source's log up to there, for at most
    /// `seconds`; none where there is no time.
    pub(in super::super) fn wait_for_place(at: &Coordinate, seconds: f64) -> Option<String> {
        (seconds >= 0.001).then(|| {
            let log = quoted(&at.log.to_string());
            format!("SELECT SOURCE_POS_WAIT({log}, {}, {seconds:.3}, '')", at.offset)
        })
    }

    /// One row where something was written behind a place in the server's own log, and a refusal
    /// where there is no event that begins there.
    pub(in super::super) fn event_at(at: &Coordinate) -> String {
        format!("SHOW BINLOG EVENTS IN {} FROM {} LIMIT 1", quoted(&at.log.to_string()), at.offset)
    }

    /// From the answer to [`Self::event_at`].
    pub(in super::super) fn readable_from(event: &Table) -> ReadableFrom {
        let begins = |kind: &str| {
            ["Gtid", "Anonymous_Gtid", "Gtid_tagged", "Rotate", "Stop", "Previous_gtids"]
                .contains(&kind)
                || kind == "Format_desc"
        };
        match event.rows().next().and_then(|row| row.get("Event_type")) {
            Some(kind) if !begins(kind) => ReadableFrom::MidTransaction,
            _ => ReadableFrom::Yes,
        }
    }
}

/// Where a server stands, and what its words are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Seen {
    pub(in super::super) server: Uuid,
    /// Whose log it executes, if it has a source.
    pub(in super::super) source: Option<Uuid>,
    pub(in super::super) stand: Stand,
}

/// Registering refuses a server without a binary log.
fn must_have(place: Option<Coordinate>) -> Result<Coordinate, Fault> {
    place.ok_or_else(|| Fault::unreadable("it has no binary log (log_bin is OFF), and no GTIDs"))
}

/// What it has received of its source's log.
pub(super) fn received(row: Record<'_>) -> Result<GtidSet, Fault> {
    let received = match coordinate(row, "Source_Log_File", "Read_Source_Log_Pos") {
        Some(at) => PositionSet::of(source_uuid(row)?, &at?),
        None => PositionSet::default(),
    };
    Ok(GtidSet::Positions(received))
}

fn source(replication: &Table) -> Result<Option<(Uuid, Record<'_>)>, Fault> {
    let row = status::unnamed_channel(replication);
    let row = row.filter(|row| row.get("Source_Host").is_some_and(|host| !host.is_empty()));
    row.map(|row| Ok((source_uuid(row)?, row))).transpose()
}

/// Unlike the source's server id it is known without a connection, once there was one.
fn source_uuid(row: Record<'_>) -> Result<Uuid, Fault> {
    match row.get("Source_UUID").unwrap_or_default() {
        "" => Ok(PositionSet::UNKNOWN_SOURCE),
        text => status::uuid(text),
    }
}

/// None where no file is named: nothing has been read yet.
fn coordinate(row: Record<'_>, file: &str, offset: &str) -> Option<Result<Coordinate, Fault>> {
    let file = row.get(file).filter(|file| !file.is_empty())?;
    Some(parsed(&format!("{file}:{}", row.get(offset).unwrap_or_default())))
}

fn parsed(text: &str) -> Result<Coordinate, Fault> {
    text.parse().map_err(|error: InvalidCoordinate| Fault::unreadable(error.to_string()))
}
