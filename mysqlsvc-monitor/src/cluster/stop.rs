//! How a cluster's task is told to stop.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Told to stop, a task finishes what it is in the middle of, but not for ever.
#[derive(Debug)]
pub(super) struct Stop {
    wanted: CancellationToken,
    patience: Duration,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops when `wanted` is cancelled, `patience` later at the latest.
    pub(super) fn new(wanted: CancellationToken, patience: Duration) -> Self {
        Self { wanted, patience, deadline: None }
    }

    /// Comes when stopping is wanted.
    pub(super) async fn drain(&self) {
        self.wanted.cancelled().await;
    }

    pub(super) fn begin_drain(&mut self) {
        self.deadline = Some(Instant::now() + self.patience);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.deadline.is_some()
    }

    /// Comes when draining has taken long enough.
    pub(super) async fn at_once(&self) {
        match self.deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}
