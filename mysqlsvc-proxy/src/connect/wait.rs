//! Waiting for a target where there is none, in a queue of its own.
//!
//! Whoever waits here has passed no gate and dials nothing, so a hold is settled without it. When
//! a target appears, or the gate shuts, it goes on to the gate like one that has just come.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt};

use super::{Connected, FindError};
use crate::gate::{Gate, GateError};
use crate::io::ConnectionInfo;
use crate::target::{TargetSet, Targets};

/// The places of those who wait for a target. Clones are the same places.
#[derive(Clone, Debug)]
pub struct WaitingRoom {
    places: Arc<Semaphore>,
    limit: usize,
}

/// Lets callers of a gated [`super::Find`] wait where there is no target.
#[derive(Clone, Debug)]
pub struct WaitLayer {
    targets: Targets,
    gate: Gate,
    room: WaitingRoom,
    limit: Duration,
}

/// A connecting service that is called again once there is a target.
#[derive(Clone, Debug)]
pub struct Wait<S> {
    layer: WaitLayer,
    inner: S,
}

/// Why no server was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// No target appeared.
    #[error("no target was known within {limit:?}")]
    NoTarget {
        /// How long a connection waits.
        limit: Duration,
    },
    /// There is no target, and no room to wait for one.
    #[error("{limit} connections wait for a target already, the most that may")]
    RoomFull {
        /// How many may.
        limit: usize,
    },
    /// The error of the service that is called.
    #[error(transparent)]
    Inner(GateError<FindError>),
}

impl WaitingRoom {
    /// Room for `limit` at once.
    pub fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(limit)), limit }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, WaitError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| WaitError::RoomFull { limit: self.limit })
    }
}

impl WaitLayer {
    /// Waits in `room` for `targets` to have some, or for `gate` to shut; `limit` at most, all
    /// waits of one connection taken together.
    pub fn new(targets: Targets, gate: Gate, room: WaitingRoom, limit: Duration) -> Self {
        Self { targets, gate, room, limit }
    }

    /// Waits once, and takes the time from `budget`.
    async fn wait(
        &self,
        sets: &mut watch::Receiver<TargetSet>,
        budget: &mut Duration,
    ) -> Result<(), WaitError> {
        let _place = self.room.enter()?;
        let since = Instant::now();
        tokio::select! {
            biased;
            // The sender lives in our own `Targets`, so this cannot fail.
            _ = sets.wait_for(|set| !set.targets().is_empty()) => {}
            () = self.gate.shuts() => {}
            () = sleep(*budget) => return Err(WaitError::NoTarget { limit: self.limit }),
        }
        *budget = budget.saturating_sub(since.elapsed());
        Ok(())
    }
}

impl<S> Layer<S> for WaitLayer {
    type Service = Wait<S>;

    fn layer(&self, inner: S) -> Wait<S> {
        Wait { layer: self.clone(), inner }
    }
}

impl<S, Io> Service<ConnectionInfo> for Wait<S>
where
    S: Service<ConnectionInfo, Response = Connected<Io>, Error = GateError<FindError>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    Io: Send + 'static,
{
    type Response = Connected<Io>;
    type Error = WaitError;
    type Future = BoxFuture<'static, Result<Connected<Io>, WaitError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: ConnectionInfo) -> Self::Future {
        let Self { layer, inner } = self.clone();
        Box::pin(async move {
            let mut sets = layer.targets.subscribe();
            let mut budget = layer.limit;
            loop {
                match inner.clone().oneshot(request).await {
                    Err(GateError::Inner(FindError::NoTarget)) => {}
                    result => return result.map_err(WaitError::Inner),
                }
                layer.wait(&mut sets, &mut budget).await?;
            }
        })
    }
}
