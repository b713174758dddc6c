//! The journal's rows.

use mysqlsvc_core::{
    Incarnation, StoreError, Stored, WallTime,
    journal::{Entry, Record},
};
use rusqlite::TransactionBehavior::Immediate;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::audit;

/// Sequence number of a row, counted from 1.
pub(super) type Sequence = i64;

/// Everything of a cluster, and the sequence number that its next row gets.
pub(super) fn load(
    connection: &mut Connection,
    cluster: &str,
) -> Result<(Stored, Sequence), StoreError> {
    let transaction =
        connection.transaction_with_behavior(Immediate).map_err(failed("begin to load"))?;
    let (id, incarnation) = find_or_make(&transaction, cluster)?;
    let entries = read_entries(&transaction, cluster, id)?;
    transaction.commit().map_err(failed("make the cluster"))?;
    let next = Sequence::try_from(entries.len()).unwrap_or(Sequence::MAX).saturating_add(1);
    Ok((Stored { incarnation, entries }, next))
}

/// Adds entries as rows `next..`, in one transaction with what the audit says of them. Gives the
/// sequence number after them.
pub(super) fn append(
    connection: &mut Connection,
    cluster: &str,
    next: Sequence,
    entries: &[Entry],
) -> Result<Sequence, StoreError> {
    let transaction =
        connection.transaction_with_behavior(Immediate).map_err(failed("begin to append"))?;
    let (id, found) = transaction
        .prepare_cached(
            "SELECT id, coalesce((SELECT max(sequence) FROM journal WHERE cluster = id), 0) + 1
             FROM cluster WHERE name = ?1",
        )
        .and_then(|mut statement| {
            statement.query_row([cluster], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(failed("find the end of the journal"))?
        .unwrap_or((0, 0));
    if found != next {
        let detail = format!(
            "cluster {cluster}: the next row of the journal was to be {next}, and is {found}"
        );
        return Err(StoreError::Conflict { detail });
    }
    let mut sequence = next;
    for entry in entries {
        insert(&transaction, id, sequence, entry)?;
        audit::insert(&transaction, id, sequence, entry).map_err(failed("append to the audit"))?;
        sequence += 1;
    }
    transaction.commit().map_err(failed("make the append durable"))?;
    Ok(sequence)
}

fn insert(
    transaction: &Transaction<'_>,
    cluster: i64,
    sequence: Sequence,
    entry: &Entry,
) -> Result<(), StoreError> {
    let record = serde_json::to_string(&entry.record)
        .map_err(|error| StoreError::Failed { detail: format!("write a record: {error}") })?;
    transaction
        .prepare_cached(
            "INSERT INTO journal (cluster, sequence, at, record) VALUES (?1, ?2, ?3, ?4)",
        )
        .and_then(|mut insert| {
            insert.execute(params![cluster, sequence, wall_to_row(entry.at), record])
        })
        .map(|_| ())
        .map_err(failed("append to the journal"))
}

fn find_or_make(
    transaction: &Transaction<'_>,
    cluster: &str,
) -> Result<(i64, Incarnation), StoreError> {
    let row: Option<(i64, String)> = transaction
        .query_row("SELECT id, incarnation FROM cluster WHERE name = ?1", [cluster], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(failed("find the cluster"))?;
    if let Some((id, text)) = row {
        let incarnation = text.parse().map_err(|error| {
            damaged(format!("cluster {cluster}: incarnation `{text}`: {error}"))
        })?;
        return Ok((id, Incarnation(incarnation)));
    }
    let incarnation = Uuid::new_v4();
    transaction
        .execute(
            "INSERT INTO cluster (name, incarnation) VALUES (?1, ?2)",
            params![cluster, incarnation.to_string()],
        )
        .map_err(failed("make the cluster"))?;
    Ok((transaction.last_insert_rowid(), Incarnation(incarnation)))
}

fn read_entries(
    transaction: &Transaction<'_>,
    cluster: &str,
    id: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = transaction
        .prepare("SELECT sequence, at, record FROM journal WHERE cluster = ?1 ORDER BY sequence")
        .map_err(failed("read the journal"))?;
    let mut rows = statement.query([id]).map_err(failed("read the journal"))?;
    let mut entries = Vec::new();
    let mut expected: Sequence = 1;
    while let Some(row) = rows.next().map_err(failed("read the journal"))? {
        let entry = read_entry(row, expected).map_err(|problem| {
            damaged(format!("cluster {cluster}, journal row {expected}: {problem}"))
        })?;
        entries.push(entry);
        expected += 1;
    }
    Ok(entries)
}

fn read_entry(row: &Row<'_>, expected: Sequence) -> Result<Entry, String> {
    let said = |error: rusqlite::Error| error.to_string();
    let sequence: Sequence = row.get(0).map_err(said)?;
    if sequence != expected {
        return Err(format!("it is missing, row {sequence} comes next"));
    }
    let at: i64 = row.get(1).map_err(said)?;
    let at = u64::try_from(at).map_err(|_| format!("time {at} lies before 1970"))?;
    let text: String = row.get(2).map_err(said)?;
    let record: Record = serde_json::from_str(&text)
        .map_err(|error| format!("`{}` is no record: {error}", shortened(&text)))?;
    Ok(Entry { at: WallTime(at), record })
}

pub(super) fn wall_to_row(at: WallTime) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { detail }
}

fn failed(tried: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |error| {
        let detail = format!("{tried}: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { detail }
            }
            _ => StoreError::Failed { detail },
        }
    }
}
