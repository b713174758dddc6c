//! The state directory: the lock, the database, and the stores of its clusters.

use std::{
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::Arc,
};

use super::{
    AuditRow, OpenError, QueryError, SqliteStore, audit, lock::DirectoryLock, schema,
    worker::Worker,
};
use crate::config::ClusterName;

const DATABASE: &str = "monitord.db";

/// A state directory that is ours alone as long as this, or a store made of it, lives. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    shared: Arc<Shared>,
}

/// The order matters: the database is closed before the lock is let go.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) worker: Worker,
    _lock: DirectoryLock,
}

impl StateDirectory {
    /// Opens it, made if it is not there. Does I/O on the calling thread.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let io = |tried| {
            let path = directory.to_owned();
            move |error| OpenError::Io { path, tried, error }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(io("make the state directory"))?;
        let lock = DirectoryLock::take(directory)?;
        let connection = schema::open(&directory.join(DATABASE))?;
        // The names of the files just made must survive a loss of power, too.
        File::open(directory).and_then(|opened| opened.sync_all()).map_err(io("make durable"))?;
        let worker = Worker::spawn(connection).map_err(io("start the thread of the store for"))?;
        Ok(Self { shared: Arc::new(Shared { worker, _lock: lock }) })
    }

    /// The journal of one cluster.
    pub fn cluster(&self, name: &ClusterName) -> SqliteStore {
        SqliteStore::new(Arc::clone(&self.shared), name.clone())
    }

    /// The last `limit` lines of the audit with an id below `before`, the youngest first.
    pub async fn audit(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, QueryError> {
        let rows = self
            .shared
            .worker
            .call(move |connection| audit::read(connection, before, limit))
            .await??;
        Ok(rows)
    }
}
