//! What proxies are told, and what they say back.

mod holding;
mod published;
mod streams;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use mysqlsvc_core::{
    Incarnation, Millis, OperationId, Phase, Route,
    driver::{HoldReport, RoutePublisher},
};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::{
    holding::{AckError, Acknowledgement},
    published::{AckToken, Published, PublishedHold},
    streams::{LiveProxy, ProxyMode, StreamGuard},
};
use self::{
    holding::{Holding, take},
    streams::Streams,
};
use crate::config::ClusterName;

/// The route of one cluster, and who follows it. Cheap to clone: all clones are one publisher.
#[derive(Debug, Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cluster: ClusterName,
    incarnation: Incarnation,
    latest: watch::Sender<Option<Arc<Published>>>,
    streams: Arc<Mutex<Streams>>,
    /// Changes with every acknowledgement.
    holding: watch::Sender<Option<Holding>>,
}

impl Publisher {
    /// A publisher that has published nothing.
    pub fn new(cluster: ClusterName, incarnation: Incarnation) -> Self {
        let shared = Shared {
            cluster,
            incarnation,
            latest: watch::channel(None).0,
            streams: Arc::default(),
            holding: watch::channel(None).0,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Whose route it is.
    pub fn cluster(&self) -> &ClusterName {
        &self.shared.cluster
    }

    /// Which store it comes from.
    pub fn incarnation(&self) -> Incarnation {
        self.shared.incarnation
    }

    /// The route of now; none while nothing was published (CONTRACTS 2: proxies keep theirs).
    pub fn latest(&self) -> Option<Arc<Published>> {
        self.shared.latest.borrow().clone()
    }

    /// The routes from now on. Register the stream first and subscribe then, so that a hold that
    /// expects the stream is also seen by it.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.shared.latest.subscribe()
    }

    /// Counts a stream as live as long as the guard is.
    #[must_use = "the stream counts as ended once the guard is dropped"]
    pub fn register(&self, proxy: impl Into<String>, mode: ProxyMode) -> StreamGuard {
        StreamGuard::new(&self.shared.streams, LiveProxy { id: proxy.into(), mode })
    }

    /// The proxies that follow the route now, by id, one line a stream.
    pub fn live(&self) -> Vec<LiveProxy> {
        lock(&self.shared.streams).live().cloned().collect()
    }

    /// Takes a proxy's word that it holds. Saying it twice is as good as once.
    pub fn acknowledge(&self, word: &Acknowledgement) -> Result<(), AckError> {
        let follows = lock(&self.shared.streams).has_master(&word.proxy);
        let mut result = Ok(());
        self.shared.holding.send_if_modified(|holding| {
            result = take(holding.as_mut(), word, follows);
            result.is_ok()
        });
        tracing::debug!(
            cluster = %self.shared.cluster,
            proxy = %word.proxy,
            operation = %word.operation,
            held = word.held,
            active = word.active,
            ?result,
            "a proxy says that it holds"
        );
        result
    }

    /// Settles whom a hold waits for; a hold told again keeps what was said already.
    fn settle_holding(&self, hold: Option<&PublishedHold>) {
        let masters = lock(&self.shared.streams).masters();
        self.shared.holding.send_if_modified(|holding| match (hold, &*holding) {
            (Some(hold), Some(before)) if before.operation == hold.operation => false,
            (Some(hold), _) => {
                *holding = Some(Holding::begin(hold, masters));
                true
            }
            (None, _) => holding.take().is_some(),
        });
    }
}

#[async_trait]
impl RoutePublisher for Publisher {
    fn publish(&self, route: Route) {
        let before = self.latest();
        let hold = match route.phase {
            Phase::Open => None,
            Phase::Hold(hold) => Some(
                before
                    .and_then(|before| before.hold().filter(|h| h.operation == hold.operation))
                    .unwrap_or_else(|| PublishedHold::begin(hold, Instant::now())),
            ),
        };
        // Whom we wait for is settled before the route is out: an acknowledgement may be quicker
        // than the rest of this function. A stream that begins in between sees the hold, too.
        self.settle_holding(hold.as_ref());
        let published =
            Published::new(self.shared.cluster.clone(), self.shared.incarnation, route, hold);
        self.shared.latest.send_replace(Some(Arc::new(published)));
    }

    async fn await_hold(&self, operation: OperationId, limit: Millis) -> HoldReport {
        let mut holding = self.shared.holding.subscribe();
        let settled = holding.wait_for(|holding| match holding {
            Some(holding) => holding.operation != operation || holding.is_complete(),
            None => true,
        });
        // Whether it was in time shows in the report.
        let _ = tokio::time::timeout(limit.into(), settled).await;
        let holding = self.shared.holding.borrow();
        holding
            .as_ref()
            .filter(|holding| holding.operation == operation)
            .map_or_else(HoldReport::default, Holding::report)
    }
}

/// A token for a hold.
fn new_token() -> AckToken {
    AckToken(Uuid::new_v4())
}

fn lock(streams: &Mutex<Streams>) -> MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}
