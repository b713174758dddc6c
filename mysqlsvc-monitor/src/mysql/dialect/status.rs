//! `SHOW REPLICA STATUS` in each flavour's column names.

use mysqlsvc_core::{
    Flavor, Identity, IoThread, Millis, NodeId, Replication, ReplicationError, SqlThread,
};
use uuid::Uuid;

use super::{Dialect, Fault, Record, Table, positions};

struct Columns {
    host: &'static str,
    port: &'static str,
    server_id: &'static str,
    io: &'static str,
    sql: &'static str,
    lag: &'static str,
    received: &'static str,
}

const MYSQL: Columns = Columns {
    host: "Source_Host",
    port: "Source_Port",
    server_id: "Source_Server_Id",
    io: "Replica_IO_Running",
    sql: "Replica_SQL_Running",
    lag: "Seconds_Behind_Source",
    received: "Retrieved_Gtid_Set",
};

/// MariaDB keeps the old names, in answer to `SHOW REPLICA STATUS` as well.
const MARIADB: Columns = Columns {
    host: "Master_Host",
    port: "Master_Port",
    server_id: "Master_Server_Id",
    io: "Slave_IO_Running",
    sql: "Slave_SQL_Running",
    lag: "Seconds_Behind_Master",
    received: "Gtid_IO_Pos",
};

/// The row of the channel that we work with. MariaDB's statement shows no other.
pub(super) fn unnamed_channel(status: &Table) -> Option<Record<'_>> {
    status.rows().find(|row| row.get("Channel_Name").unwrap_or_default().is_empty())
}

pub(super) fn replication(dialect: Dialect, status: &Table) -> Result<Option<Replication>, Fault> {
    let columns = match dialect.flavor {
        Flavor::MySql => &MYSQL,
        Flavor::MariaDb => &MARIADB,
    };
    let Some(row) = unnamed_channel(status) else {
        return Ok(None);
    };
    let host = row.text(columns.host)?;
    if host.is_empty() {
        return Ok(None);
    }
    let source = NodeId::from_parts(host, row.number(columns.port)?)
        .map_err(|error| Fault::unreadable(format!("its source has no address: {error}")))?;
    Ok(Some(Replication {
        source,
        source_identity: source_identity(dialect.flavor, columns, row)?,
        io: io_thread(row.text(columns.io)?),
        sql: sql_thread(row.text(columns.sql)?),
        io_error: error(row, "Last_IO_Errno", "Last_IO_Error"),
        sql_error: error(row, "Last_SQL_Errno", "Last_SQL_Error"),
        lag: seconds(row, columns.lag),
        delay: seconds(row, "SQL_Delay").unwrap_or_default(),
        received: if dialect.by_position {
            positions::received(row)?
        } else {
            dialect.gtids(row.get(columns.received).unwrap_or_default())?
        },
    }))
}

/// None where it is NULL.
fn seconds(row: Record<'_>, column: &str) -> Option<Millis> {
    let seconds: u64 = row.get(column)?.parse().ok()?;
    Some(Millis(seconds.saturating_mul(1000)))
}

/// Zero and empty mean that the replica has not been connected yet.
fn source_identity(
    flavor: Flavor,
    columns: &Columns,
    row: Record<'_>,
) -> Result<Option<Identity>, Fault> {
    let server_id: u32 = row.number(columns.server_id)?;
    if server_id == 0 {
        return Ok(None);
    }
    let server_uuid = match (flavor, row.get("Source_UUID").unwrap_or_default()) {
        (Flavor::MariaDb, _) => None,
        (Flavor::MySql, "") => return Ok(None),
        (Flavor::MySql, text) => Some(uuid(text)?),
    };
    Ok(Some(Identity { server_id, server_uuid }))
}

pub(super) fn uuid(text: &str) -> Result<Uuid, Fault> {
    Uuid::parse_str(text).map_err(|_| Fault::unreadable(format!("`{text}` is no server UUID")))
}

/// MariaDB also says `Preparing`, which is not connected either.
fn io_thread(text: &str) -> IoThread {
    match text {
        "Yes" => IoThread::Running,
        "No" => IoThread::Stopped,
        _ => IoThread::Connecting,
    }
}

fn sql_thread(text: &str) -> SqlThread {
    if text == "Yes" { SqlThread::Running } else { SqlThread::Stopped }
}

fn error(row: Record<'_>, errno: &str, text: &str) -> Option<ReplicationError> {
    let errno = row.get(errno)?.parse().ok().filter(|errno| *errno != 0)?;
    Some(ReplicationError { errno, text: row.get(text).unwrap_or_default().to_owned() })
}
