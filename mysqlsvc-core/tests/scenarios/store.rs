//! A store in memory that can fail, a publisher that tells the world, the world's clock.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mysqlsvc_core::{
    Incarnation, Millis, Now, OperationId, Route, Store, StoreError, Stored,
    driver::{Clock, HoldReport, RoutePublisher},
    journal::{Entry, Record},
    testing::World,
};

/// How a write of the pivot fails.
#[derive(Clone, Copy)]
pub struct Failure {
    /// Whether it is durable all the same.
    pub durable: bool,
}

/// Entries that outlive the engine.
#[derive(Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<Vec<Entry>>>,
    at_the_pivot: Arc<Mutex<Option<Failure>>>,
}

impl MemoryStore {
    pub fn stored(&self) -> Stored {
        let entries = self.entries.lock().unwrap().clone();
        Stored { incarnation: Incarnation(uuid::Uuid::nil()), entries }
    }

    /// A backup is put in its place.
    pub fn replace(&self, stored: Stored) {
        *self.entries.lock().unwrap() = stored.entries;
    }

    /// The next write of a pivot fails so.
    pub fn fail_at_the_pivot(&self, failure: Failure) {
        *self.at_the_pivot.lock().unwrap() = Some(failure);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(self.stored())
    }

    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let pivot = entries.iter().any(|entry| matches!(entry.record, Record::Committed { .. }));
        let failure = if pivot { self.at_the_pivot.lock().unwrap().take() } else { None };
        if failure.is_none_or(|failure| failure.durable) {
            self.entries.lock().unwrap().extend_from_slice(entries);
        }
        match failure {
            Some(_) => Err(StoreError::Failed { detail: "disk full".to_owned() }),
            None => Ok(()),
        }
    }
}

/// Tells the world of routes; its proxies hold at once.
pub struct WorldPublisher(pub World);

#[async_trait]
impl RoutePublisher for WorldPublisher {
    fn publish(&self, route: Route) {
        self.0.publish(&route);
    }

    async fn await_hold(&self, _: OperationId, _: Millis) -> HoldReport {
        HoldReport { acknowledged: vec!["proxy".to_owned()], missing: Vec::new() }
    }
}

/// The world's own clock.
pub struct WorldClock(pub World);

impl Clock for WorldClock {
    fn now(&self) -> Now {
        self.0.now()
    }
}
