//! Who did what: rows made of the records that say so, in one transaction with them.

use mysqlsvc_core::{
    OperationId, Role, WallTime,
    intent::Change,
    journal::{Entry, Outcome, Record},
};
use rusqlite::{Connection, Row, Transaction, params};

use super::journal::{Sequence, wall_to_row};

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Grows with every row of the store.
    pub id: i64,
    /// Which cluster.
    pub cluster: String,
    /// When.
    pub at: WallTime,
    /// Who asked for it; none where monitord did it by itself.
    pub who: Option<String>,
    /// `register-slave`, `switch`, `switch-ended`, …
    pub action: String,
    /// The node it is about.
    pub node: Option<String>,
    /// The operation it belongs to.
    pub operation: Option<OperationId>,
    /// How it ended.
    pub outcome: Option<String>,
}

/// What a record says that belongs into the audit.
struct Deed {
    who: Option<String>,
    action: String,
    node: Option<String>,
    operation: Option<i64>,
    outcome: Option<&'static str>,
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    cluster: i64,
    sequence: Sequence,
    entry: &Entry,
) -> rusqlite::Result<()> {
    let deed = match &entry.record {
        Record::Changed { change, who } => changed(change, who.clone()),
        Record::Began { operation, plan, who } => Some(Deed {
            who: Some(who.clone()),
            action: plan.kind.to_string(),
            node: Some(plan.to.to_string()),
            operation: i64::try_from(operation.0).ok(),
            outcome: None,
        }),
        Record::Finished { outcome, .. } => Some(finished(transaction, cluster, *outcome)?),
        _ => None,
    };
    let Some(Deed { who, action, node, operation, outcome }) = deed else { return Ok(()) };
    transaction
        .prepare_cached(
            "INSERT INTO audit (cluster, sequence, at, who, action, node, operation, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            cluster,
            sequence,
            wall_to_row(entry.at),
            who,
            action,
            node,
            operation,
            outcome
        ])
        .map(|_| ())
}

fn changed(change: &Change, who: Option<String>) -> Option<Deed> {
    let (action, node) = match change {
        Change::Registered { node, member, .. } => {
            let action = match member.role {
                Role::Master => "register-master",
                Role::Standby => "register-standby",
                Role::Slave => "register-slave",
                Role::Unregistered => "unregister",
            };
            (action, Some(node.to_string()))
        }
        Change::Unregistered { node } => ("unregister", Some(node.to_string())),
        Change::Adopted { members, .. } => {
            let master = members.iter().find(|(_, member)| member.role == Role::Master);
            ("adopt", master.map(|(node, _)| node.to_string()))
        }
        Change::Mutual { mutual: true } => ("mutual-on", None),
        Change::Mutual { mutual: false } => ("mutual-off", None),
        Change::Maintenance { on: true } => ("maintenance-on", None),
        Change::Maintenance { on: false } => ("maintenance-off", None),
        // Bookkeeping of ours.
        _ => return None,
    };
    Some(Deed { who, action: action.to_owned(), node, operation: None, outcome: Some("done") })
}

/// The end of the operation that began last: one at a time is under way.
fn finished(
    transaction: &Transaction<'_>,
    cluster: i64,
    outcome: Outcome,
) -> rusqlite::Result<Deed> {
    let outcome = match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::RolledBack => "rolled_back",
        Outcome::Abandoned => "abandoned",
    };
    transaction
        .prepare_cached(
            "SELECT who, action, node, operation FROM audit
             WHERE cluster = ?1 AND operation IS NOT NULL ORDER BY id DESC LIMIT 1",
        )?
        .query_row([cluster], |row| {
            Ok(Deed {
                who: row.get(0)?,
                action: format!("{}-ended", row.get::<_, String>(1)?),
                node: row.get(2)?,
                operation: row.get(3)?,
                outcome: Some(outcome),
            })
        })
}

/// The last `limit` rows older than `before`, the youngest first.
pub(super) fn read(
    connection: &Connection,
    before: Option<i64>,
    limit: u32,
) -> rusqlite::Result<Vec<AuditRow>> {
    connection
        .prepare_cached(
            "SELECT audit.id, name, at, who, action, node, operation, outcome
             FROM audit JOIN cluster ON cluster.id = audit.cluster
             WHERE audit.id < ?1 ORDER BY audit.id DESC LIMIT ?2",
        )?
        .query_map(params![before.unwrap_or(i64::MAX), limit], read_row)?
        .collect()
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let at: i64 = row.get(2)?;
    let operation: Option<i64> = row.get(6)?;
    Ok(AuditRow {
        id: row.get(0)?,
        cluster: row.get(1)?,
        at: WallTime(u64::try_from(at).unwrap_or_default()),
        who: row.get(3)?,
        action: row.get(4)?,
        node: row.get(5)?,
        operation: operation.and_then(|number| u64::try_from(number).ok()).map(OperationId),
        outcome: row.get(7)?,
    })
}
