//! What was acknowledged, and what servers hold of it.

use std::{collections::BTreeSet, time::Duration};

use mysql_async::{Conn, prelude::Queryable as _};
use tokio::time::{Instant, sleep};

use crate::{Endpoint, SqlError};

const STATEMENT_LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// One row that a writer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Number of the writer.
    pub writer: u32,
    /// Number of the row among the writer's, from 1.
    pub seq: u64,
}

/// The rows of one writer. Each number from 1 to `last` was tried once, and was acknowledged unless
/// it is among the ambiguous.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WriterLedger {
    pub(crate) writer: u32,
    pub(crate) last: u64,
    pub(crate) ambiguous: BTreeSet<u64>,
}

impl WriterLedger {
    fn acknowledged(&self) -> u64 {
        self.last - self.ambiguous.len() as u64
    }

    /// Compares with the numbers that a server holds, in order.
    fn compare(&self, found: impl IntoIterator<Item = u64>, audit: &mut ServerAudit) {
        let row = |seq| Row { writer: self.writer, seq };
        let mut expected = 1;
        let mut missing = Vec::new();
        for seq in found {
            missing.extend(expected..seq.min(self.last + 1));
            expected = seq + 1;
            if seq > self.last {
                audit.unexpected.push(row(seq));
            } else if self.ambiguous.contains(&seq) {
                audit.ambiguous_present += 1;
            } else {
                audit.found += 1;
            }
        }
        missing.extend(expected..=self.last);
        let lost = missing.into_iter().filter(|seq| !self.ambiguous.contains(seq));
        audit.lost.extend(lost.map(row));
    }
}

/// What a set of writers was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) writers: Vec<WriterLedger>,
}

/// What one server holds of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerAudit {
    /// The server's address.
    pub address: String,
    /// Acknowledged rows that are there.
    pub found: u64,
    /// Acknowledged rows that are not.
    pub lost: Vec<Row>,
    /// Rows of unknown outcome that are there.
    pub ambiguous_present: u64,
    /// Rows that nobody wrote.
    pub unexpected: Vec<Row>,
}

impl Ledger {
    /// How many rows were acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.writers.iter().map(WriterLedger::acknowledged).sum()
    }

    /// How many rows were sent and never answered: each may be there or not.
    pub fn ambiguous(&self) -> u64 {
        self.writers.iter().map(|writer| writer.ambiguous.len() as u64).sum()
    }

    /// Looks what `server` holds now.
    pub async fn audit(&self, server: &Endpoint) -> Result<ServerAudit, SqlError> {
        let mut conn = server.connect(STATEMENT_LIMIT).await?;
        let mut audit =
            ServerAudit { address: server.address().to_owned(), ..ServerAudit::default() };
        for writer in &self.writers {
            let sql =
                format!("SELECT seq FROM rig_rows WHERE writer = {} ORDER BY seq", writer.writer);
            let rows = conn.query::<u64, _>(sql);
            let found = server.bounded("read the rows", STATEMENT_LIMIT, rows).await?;
            writer.compare(found, &mut audit);
        }
        Ok(audit)
    }

    /// Looks at `master`, then at each of `replicas` once it holds as many rows as the master did,
    /// or after `limit`, whichever comes first. The writers must have stopped.
    pub async fn audit_all(
        &self,
        master: &Endpoint,
        replicas: &[Endpoint],
        limit: Duration,
    ) -> Result<Vec<ServerAudit>, SqlError> {
        let deadline = Instant::now() + limit;
        let wanted = self.count(master).await?;
        let mut audits = vec![self.audit(master).await?];
        for replica in replicas {
            while self.count(replica).await? < wanted && Instant::now() < deadline {
                sleep(POLL).await;
            }
            audits.push(self.audit(replica).await?);
        }
        Ok(audits)
    }

    async fn count(&self, server: &Endpoint) -> Result<u64, SqlError> {
        let mut conn: Conn = server.connect(STATEMENT_LIMIT).await?;
        let numbers: Vec<String> = self.writers.iter().map(|one| one.writer.to_string()).collect();
        let sql = format!("SELECT COUNT(*) FROM rig_rows WHERE writer IN ({})", numbers.join(","));
        let counting = conn.query_first::<u64, _>(sql);
        let count = server.bounded("count the rows", STATEMENT_LIMIT, counting).await?;
        Ok(count.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(last: u64, ambiguous: &[u64], found: &[u64]) -> ServerAudit {
        let ambiguous = ambiguous.iter().copied().collect();
        let mut audit = ServerAudit::default();
        WriterLedger { writer: 1, last, ambiguous }.compare(found.iter().copied(), &mut audit);
        audit
    }

    fn seqs(rows: &[Row]) -> Vec<u64> {
        rows.iter().map(|row| row.seq).collect()
    }

    #[test]
    fn a_whole_writer_has_lost_nothing() {
        let audit = compare(4, &[], &[1, 2, 3, 4]);
        assert_eq!((audit.found, audit.lost.len(), audit.unexpected.len()), (4, 0, 0));
    }

    #[test]
    fn missing_rows_are_named_at_the_beginning_the_middle_and_the_end() {
        assert_eq!(seqs(&compare(5, &[], &[2, 4]).lost), [1, 3, 5]);
        assert_eq!(seqs(&compare(3, &[], &[]).lost), [1, 2, 3]);
    }

    #[test]
    fn a_row_of_unknown_outcome_is_never_lost_and_is_counted_when_there() {
        let absent = compare(3, &[2], &[1, 3]);
        assert_eq!((absent.found, absent.lost.len(), absent.ambiguous_present), (2, 0, 0));
        let present = compare(3, &[2], &[1, 2, 3]);
        assert_eq!((present.found, present.lost.len(), present.ambiguous_present), (2, 0, 1));
    }

    #[test]
    fn a_row_that_nobody_wrote_is_unexpected() {
        let audit = compare(2, &[], &[1, 2, 9]);
        assert_eq!((audit.found, seqs(&audit.unexpected)), (2, vec![9]));
        assert!(audit.lost.is_empty());
    }
}
