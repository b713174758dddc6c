//! A store in memory, and a publisher that tells the world.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mysqlsvc_core::{
    Incarnation, Millis, Now, OperationId, Route, Store, StoreError, Stored,
    driver::{Clock, HoldReport, RoutePublisher},
    journal::Entry,
    testing::World,
};

/// Entries that outlive the engine.
#[derive(Clone, Default)]
pub struct MemoryStore {
    durable: Arc<Mutex<Vec<Entry>>>,
    /// A planted bug: entries become durable only when the next call of the backend has ended.
    late: Option<Arc<Mutex<Vec<Entry>>>>,
}

impl MemoryStore {
    pub fn late() -> Self {
        Self { durable: Arc::default(), late: Some(Arc::default()) }
    }

    pub fn stored(&self) -> Stored {
        let entries = self.durable.lock().unwrap().clone();
        Stored { incarnation: Incarnation(uuid::Uuid::nil()), entries }
    }

    /// What was acknowledged too early becomes durable now.
    pub fn catch_up(&self) {
        if let Some(late) = &self.late {
            self.durable.lock().unwrap().append(&mut late.lock().unwrap());
        }
    }

    /// What was acknowledged too early is gone.
    pub fn crash(&self) {
        if let Some(late) = &self.late {
            late.lock().unwrap().clear();
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(self.stored())
    }

    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let place = self.late.as_ref().unwrap_or(&self.durable);
        place.lock().unwrap().extend_from_slice(entries);
        Ok(())
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
