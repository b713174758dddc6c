//! The tables, and how a connection is set up.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::OpenError;

/// Version of the tables below, kept in `user_version`.
const VERSION: i64 = 1;

/// `msvc` in ASCII, kept in `application_id`.
const APPLICATION: i64 = 0x6d73_7663;

const TABLES: &str = "
    CREATE TABLE cluster (
        id          INTEGER PRIMARY KEY,
        name        TEXT NOT NULL UNIQUE,
        incarnation TEXT NOT NULL
    ) STRICT;
    -- `at` is in microseconds since 1970; `record` is JSON; `sequence` counts from 1 in a cluster.
    CREATE TABLE journal (
        cluster  INTEGER NOT NULL REFERENCES cluster (id),
        sequence INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        record   TEXT NOT NULL,
        PRIMARY KEY (cluster, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        id        INTEGER PRIMARY KEY,
        cluster   INTEGER NOT NULL REFERENCES cluster (id),
        sequence  INTEGER NOT NULL,
        at        INTEGER NOT NULL,
        who       TEXT,
        action    TEXT NOT NULL,
        node      TEXT,
        operation INTEGER,
        outcome   TEXT
    ) STRICT;
    CREATE INDEX audit_by_operation ON audit (cluster, operation);
";

/// Opens the file, makes the tables where there are none, and refuses what is not ours.
pub(super) fn open(file: &Path) -> Result<Connection, OpenError> {
    let database = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { file: file.to_owned() },
        _ => OpenError::Database { file: file.to_owned(), error },
    };
    let mut connection = Connection::open(file).map_err(database)?;
    set_up(&connection).map_err(database)?;
    let (application, version) = stamp(&connection).map_err(database)?;
    match (application, version) {
        (APPLICATION, VERSION) => Ok(connection),
        (APPLICATION, found) if found > VERSION => {
            Err(OpenError::Newer { file: file.to_owned(), found, known: VERSION })
        }
        (0, 0) if is_empty(&connection).map_err(database)? => {
            create(&mut connection).map_err(database)?;
            Ok(connection)
        }
        _ => Err(OpenError::Foreign { file: file.to_owned() }),
    }
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The worker checkpoints while nothing is asked of it. Left to itself SQLite would do so within
    // some append, and that could be the one that a switch waits for. This is the backstop.
    connection.pragma_update(None, "wal_autocheckpoint", 10_000)
}

fn stamp(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
