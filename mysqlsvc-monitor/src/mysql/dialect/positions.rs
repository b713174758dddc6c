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
//!   ([`GAPS`](super::super::fault::code)), and [`FILL_GAPS`] makes it true.
//! - Right after CHANGE REPLICATION SOURCE it is what was told there, true or not.
//! - `Source_UUID` survives a restart, and is empty from a change of source until the first
//!   connection.
//! - A server's own log begins a new file at each start and each FLUSH LOGS, read-only or not: its
//!   end moves without a transaction. `FLUSH TABLES`, `FLUSH PRIVILEGES`, `FLUSH STATUS` without
//!   `LOCAL` write a transaction into the log of a read-only server, too.
//! - SOURCE_POS_WAIT says NULL where the SQL thread is stopped, there is no source, or the file has
//!   another base; -1 when the time is over; a time of zero is without end.

use mysqlsvc_core::{
    GtidSet, ServerVersion,
    backend::Stand,
    gtid::{BinaryLogName, Coordinate, PositionSet},
};
use uuid::Uuid;

use super::{Answer, Dialect, Fault, Record, Table, quoted, requirements, status};

/// Lets a stopped replica apply what it left out when it was killed, and nothing more. Nothing
/// happens where nothing was left out.
pub(in super::super) const FILL_GAPS: &str =
    "START REPLICA SQL_THREAD UNTIL SQL_AFTER_MTS_GAPS FOR CHANNEL ''";

/// Which server it is, beside a stand.
const ASK_UUID: &str = "SELECT @@global.server_uuid AS server_uuid";

/// An event at the end of a file that is no transaction: its name's length apart, a Rotate event has
/// 19 bytes of header, 8 of position and 4 of checksum, and a Stop event fewer. The smallest
/// transaction has more than 100.
const ROTATE_EVENT: u64 = 19 + 8 + 4;

/// A file whose end is above this has more in it than its header.
const LONGEST_HEADER: u64 = 4096;

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

    /// From three tables that answer [`Self::stand_question`], beginning with this one.
    pub(in super::super) fn stand(self, answer: &Answer, first: usize) -> Result<Seen, Fault> {
        let replication = answer.table(first + 1)?;
        Ok(Seen {
            server: status::uuid(answer.row(first)?.text("server_uuid")?)?,
            source: source(replication)?.map(|(source, _)| source),
            stand: stand(replication, answer.table(first + 2)?)?,
        })
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

    /// At most three rows: how a file begins. Two events are its header, and then comes what is in
    /// it.
    pub(in super::super) fn beginning_of(log: &BinaryLogName) -> String {
        format!("SHOW BINLOG EVENTS IN {} LIMIT 3", quoted(&log.to_string()))
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

/// From the state of replication and where the server's own log ends.
pub(super) fn stand(replication: &Table, log_end: &Table) -> Result<Stand, Fault> {
    let executed = source(replication)?.and_then(|(uuid, row)| {
        Some((uuid, coordinate(row, "Relay_Source_Log_File", "Exec_Source_Log_Pos")?))
    });
    let executed = match executed {
        Some((uuid, at)) => PositionSet::of(uuid, &at?),
        None => PositionSet::default(),
    };
    let missing = || Fault::unreadable("it has no binary log, and no GTIDs either");
    let end = log_end.rows().next().ok_or_else(missing)?;
    let place = coordinate(end, "File", "Position").ok_or_else(missing)??;
    Ok(Stand { executed, place })
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
    let text = format!("{file}:{}", row.get(offset).unwrap_or_default());
    Some(text.parse().map_err(|error: mysqlsvc_core::gtid::InvalidCoordinate| {
        Fault::unreadable(error.to_string())
    }))
}
