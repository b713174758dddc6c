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
    pub(in super::super) fn stand(answer: &Answer, first: usize) -> Result<Seen, Fault> {
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
    pub(in super::super) fn own_log(facts: Record<'_>, log_end: &Table) -> Result<GtidSet, Fault> {
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

    /// The first event at a place or behind it, if there is one; then the files with their sizes.
    pub(in super::super) fn events_from(at: &Coordinate) -> String {
        let log = quoted(&at.log.to_string());
        format!("SHOW BINLOG EVENTS IN {log} FROM {} LIMIT 1; {}", at.offset, Self::LOGS)
    }

    /// From the answer to [`Self::events_from`]: whether a transaction begins at that place, or the
    /// file ends there.
    pub(in super::super) fn begins_at(answer: &Answer, at: &Coordinate) -> Result<bool, Fault> {
        if let Some(event) = answer.table(0)?.rows().next() {
            let starts = ["Anonymous_Gtid", "Gtid", "Gtid_tagged", "Rotate", "Stop"];
            let heads = ["Format_desc", "Previous_gtids"];
            let kind = event.text("Event_type")?;
            let fits = starts.contains(&kind) || heads.contains(&kind);
            return Ok(fits && event.number::<u64>("Pos")? == at.offset);
        }
        let log = at.log.to_string();
        let files = answer.table(1)?.rows();
        let file = files.filter(|file| file.get("Log_name") == Some(log.as_str())).last();
        file.map_or(Ok(false), |file| Ok(file.number::<u64>("File_size")? == at.offset))
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

#[cfg(test)]
mod tests {
    use super::*;

    const REPLICA: [&str; 6] = [
        "Source_Host",
        "Source_UUID",
        "Source_Log_File",
        "Read_Source_Log_Pos",
        "Relay_Source_Log_File",
        "Exec_Source_Log_Pos",
    ];
    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> PositionSet {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_executed_and_received_is_told_by_the_sources_log() {
        let row = ["db-1", UUID, "binlog.000008", "4621389", "binlog.000007", "593134"];
        let seen = Table::of_columns(&REPLICA, &[&row]);
        let executed = Dialect::executed_of_source(&seen).unwrap();
        assert_eq!(executed, set(&format!("{UUID} binlog.000007:593134")));
        let received = received(seen.rows().next().unwrap()).unwrap();
        let expected = set(&format!("{UUID} binlog.000008:4621389"));
        assert_eq!(received, GtidSet::Positions(expected));

        let unreached = ["db-1", "", "binlog.000008", "158", "binlog.000008", "158"];
        let seen = Table::of_columns(&REPLICA, &[&unreached]);
        let executed = Dialect::executed_of_source(&seen).unwrap();
        assert!(executed.entry(PositionSet::UNKNOWN_SOURCE).is_some());

        let no_source = Table::of_columns(&REPLICA, &[]);
        assert!(Dialect::executed_of_source(&no_source).unwrap().is_empty());
        let unread = ["db-1", UUID, "", "4", "", "0"];
        let seen = Table::of_columns(&REPLICA, &[&unread]);
        assert!(Dialect::executed_of_source(&seen).unwrap().is_empty());
    }

    #[test]
    fn a_transaction_begins_only_where_its_first_event_does() {
        let columns = ["Log_name", "Pos", "Event_type", "End_log_pos"];
        let files = Table::of_columns(
            &["Log_name", "File_size"],
            &[&["binlog.000001", "1172"], &["binlog.000002", "435"]],
        );
        for (place, event, expected) in [
            ("binlog.000002:158", Some(["binlog.000002", "158", "Anonymous_Gtid", "235"]), true),
            ("binlog.000002:150", Some(["binlog.000002", "158", "Anonymous_Gtid", "235"]), false),
            ("binlog.000002:235", Some(["binlog.000002", "235", "Query", "325"]), false),
            ("binlog.000001:1128", Some(["binlog.000001", "1128", "Rotate", "1172"]), true),
            ("binlog.000002:435", None, true),
            ("binlog.000002:430", None, false),
            ("binlog.000001:1172", None, true),
            ("binlog.000009:4", None, false),
        ] {
            let mut answer = Answer::default();
            let rows: Vec<&[&str]> = event.iter().map(<[&str; 4]>::as_slice).collect();
            answer.push(Table::of_columns(&columns, &rows));
            answer.push(files.clone());
            let begins = Dialect::begins_at(&answer, &place.parse().unwrap()).unwrap();
            assert_eq!(begins, expected, "{place}");
        }
    }
}
