//! One cluster's journal in SQLite.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mysqlsvc_core::{Store, StoreError, Stored, journal::Entry};

use super::{
    directory::Shared,
    journal::{self, Sequence},
    worker::WorkerError,
};
use crate::config::ClusterName;

/// One cluster's journal. Compares and sets: it appends only behind what it loaded or appended
/// itself.
#[derive(Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
    cluster: ClusterName,
    cursor: Arc<Mutex<Cursor>>,
}

/// Where the next append goes; none before a load and after an error.
///
/// Set by the store's thread, so that an append whose caller went away counts; the generation keeps
/// one that was given up from counting later.
#[derive(Debug, Default)]
struct Cursor {
    next: Option<Sequence>,
    generation: u64,
}

impl SqliteStore {
    pub(super) fn new(shared: Arc<Shared>, cluster: ClusterName) -> Self {
        Self { shared, cluster, cursor: Arc::default() }
    }

    /// Forgets where the next append goes.
    fn forget(&self) -> u64 {
        let mut cursor = lock(&self.cursor);
        cursor.next = None;
        cursor.generation += 1;
        cursor.generation
    }

    fn given_up(&self, error: WorkerError) -> StoreError {
        self.forget();
        StoreError::Failed { detail: format!("cluster {}: {error}", self.cluster) }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Stored, StoreError> {
        let generation = self.forget();
        let (cluster, cursor) = (self.cluster.clone(), Arc::clone(&self.cursor));
        let load = move |connection: &mut _| {
            let (stored, next) = journal::load(connection, cluster.as_str())?;
            let mut cursor = lock(&cursor);
            if cursor.generation == generation {
                cursor.next = Some(next);
            }
            Ok(stored)
        };
        self.shared.worker.call(load).await.unwrap_or_else(|error| Err(self.given_up(error)))
    }

    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let generation = lock(&self.cursor).generation;
        let (cluster, cursor) = (self.cluster.clone(), Arc::clone(&self.cursor));
        let entries = entries.to_vec();
        let append = move |connection: &mut _| {
            let taken = {
                let mut cursor = lock(&cursor);
                if cursor.generation == generation { cursor.next.take() } else { None }
            };
            let Some(next) = taken else {
                let detail = format!("cluster {cluster}: the store is to be loaded first");
                return Err(StoreError::Failed { detail });
            };
            let next = journal::append(connection, cluster.as_str(), next, &entries)?;
            let mut cursor = lock(&cursor);
            if cursor.generation == generation {
                cursor.next = Some(next);
            }
            Ok(())
        };
        self.shared.worker.call(append).await.unwrap_or_else(|error| Err(self.given_up(error)))
    }
}

fn lock(cursor: &Mutex<Cursor>) -> MutexGuard<'_, Cursor> {
    cursor.lock().unwrap_or_else(PoisonError::into_inner)
}
