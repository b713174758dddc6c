//! What may go wrong with the state directory.

use std::{io, path::PathBuf};

use super::worker::WorkerError;

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory or its lock cannot be made or read.
    #[error("{}: cannot {tried}: {error}", .path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        tried: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Another monitord has it.
    #[error(
        "{}: another monitord{} is using this state directory; stop it first, or give this one \
         a directory of its own", .directory.display(), .holder
    )]
    InUse {
        /// Which directory.
        directory: PathBuf,
        /// ` (process 123)`, where that is known.
        holder: String,
    },
    /// It was written by a later version.
    #[error(
        "{}: the store has schema version {found}, and this version knows {known} at most; \
         start the newer monitord, or restore the store that was kept before the upgrade",
        .file.display()
    )]
    Newer {
        /// Which file.
        file: PathBuf,
        /// What it says.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// It is someone else's database.
    #[error("{}: this is a database, but not one of monitord; give another state directory",
        .file.display())]
    Foreign {
        /// Which file.
        file: PathBuf,
    },
    /// SQLite cannot use it.
    #[error("{}: the store cannot be opened: {error}", .file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
}

/// Why something could not be read from the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The database said no.
    #[error("the store could not be read: {0}")]
    Database(#[from] rusqlite::Error),
    /// The thread that owns it did not answer.
    #[error("the store could not be read: {0}")]
    Worker(#[from] WorkerError),
}
