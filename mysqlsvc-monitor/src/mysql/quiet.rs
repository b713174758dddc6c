//! From where on a server's own binary log holds nothing but ends and beginnings of files.
//!
//! Each start of a server and each FLUSH LOGS begins a new file, so the place where the log of a
//! server ends moves without a transaction. Only what stands still is asked: a read-only server
//! without a source.

use mysqlsvc_core::gtid::Coordinate;
use tokio::time::Instant;

use super::{
    answer::{Record, Table},
    dialect::Dialect,
    fault::Fault,
    pool::Lease,
};

/// A file of more bytes than this holds more than a header, and is not read.
const SMALL: u64 = 4096;

/// A Rotate event without the name in it: header, position, checksum. It ends a file, or a Stop
/// event does, which is smaller, or nothing after a crash. No transaction is as small.
const ROTATE: u64 = 19 + 8 + 4;

/// Names that would make a Rotate event as large as a transaction may be.
const LONGEST_NAME: usize = 64;

/// So many files without a transaction are looked through.
const FILES: usize = 16;

/// What was last found of a server, and where its log ended then.
pub(super) type Found = (Coordinate, Option<Coordinate>);

/// The first place behind which there is no transaction; none where that is its end, or is not to
/// be seen. Kept in the session's memory for as long as the end does not move.
pub(super) async fn quiet_from(
    lease: &mut Lease,
    end: &Coordinate,
    deadline: Instant,
) -> Result<Option<Coordinate>, Fault> {
    if end.offset > SMALL {
        return Ok(None);
    }
    if let Some((seen, found)) = &lease.memory.quiet
        && seen == end
    {
        return Ok(found.clone());
    }
    let found = match search(lease, end, deadline).await {
        Ok(found) => found,
        // Our account may not see it, or a file was purged under our hands.
        Err(fault @ Fault::Server { .. }) if !fault.ended_session() => None,
        Err(fault) => return Err(fault),
    };
    lease.memory.quiet = Some((end.clone(), found.clone()));
    Ok(found)
}

async fn search(
    lease: &mut Lease,
    end: &Coordinate,
    deadline: Instant,
) -> Result<Option<Coordinate>, Fault> {
    let logs = lease.run(Dialect::LOGS, deadline).await?;
    let files: Vec<File<'_>> =
        logs.table(0)?.rows().map(File::read).collect::<Result<Vec<_>, _>>()?;
    let mut quiet = None;
    let mut next = "";
    for file in files.iter().rev().take(FILES) {
        let is_last = file.name == end.log.to_string();
        if next.is_empty() && !is_last {
            // It went on while we asked.
            return Ok(None);
        }
        if file.size > SMALL {
            if next.is_empty() || next.len() > LONGEST_NAME {
                return Ok(quiet);
            }
            let tail = ROTATE + u64::try_from(next.len()).unwrap_or(u64::MAX);
            return file.at(file.size.saturating_sub(tail)).map(Some);
        }
        let events = lease.run(&Dialect::events_of(file.name), deadline).await?;
        let last = last_transaction(events.table(0)?)?;
        if let Some(last) = last {
            return if is_last { Ok(None) } else { file.at(last).map(Some) };
        }
        quiet = Some(file.at(4)?);
        next = file.name;
    }
    Ok(quiet)
}

/// Where the last transaction of a file ends; none where there is none.
fn last_transaction(events: &Table) -> Result<Option<u64>, Fault> {
    let mut last = None;
    for event in events.rows() {
        let kind = event.text("Event_type")?;
        if !["Format_desc", "Previous_gtids", "Rotate", "Stop"].contains(&kind) {
            last = Some(event.number("End_log_pos")?);
        }
    }
    Ok(last)
}

/// A file of a binary log.
struct File<'a> {
    name: &'a str,
    size: u64,
}

impl<'a> File<'a> {
    fn read(row: Record<'a>) -> Result<Self, Fault> {
        Ok(Self { name: row.text("Log_name")?, size: row.number("File_size")? })
    }

    fn at(&self, offset: u64) -> Result<Coordinate, Fault> {
        Dialect::place_in(self.name, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_or_begins_a_file_is_no_transaction() {
        let columns = ["Event_type", "End_log_pos"];
        let header: [&[&str]; 2] = [&["Format_desc", "127"], &["Previous_gtids", "158"]];
        let ended = [&header[..], &[&["Rotate", "202"]]].concat();
        assert_eq!(last_transaction(&Table::of_columns(&columns, &header)).unwrap(), None);
        assert_eq!(last_transaction(&Table::of_columns(&columns, &ended)).unwrap(), None);
        let written: [&[&str]; 3] =
            [&["Anonymous_Gtid", "235"], &["Query", "325"], &["Stop", "348"]];
        let written = [&header[..], &written].concat();
        assert_eq!(last_transaction(&Table::of_columns(&columns, &written)).unwrap(), Some(325));
    }
}
