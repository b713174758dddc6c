//! Waiting for a snapshot that shows something.

use std::{sync::Arc, time::Duration};

use mysqlsvc_core::{
    OperationId,
    engine::{NodeSnapshot, Snapshot},
    journal::{Execution, Progress},
};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

/// How long after the answer its effect may take to be seen in a snapshot.
const VISIBLE: Duration = Duration::from_secs(2);

/// Snapshots to wait on, for as long as the service runs.
pub(super) struct Watched {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    shutdown: CancellationToken,
}

impl Watched {
    pub(super) fn new(
        snapshots: watch::Receiver<Arc<Snapshot>>,
        shutdown: CancellationToken,
    ) -> Self {
        Self { snapshots, shutdown }
    }

    /// The newest snapshot.
    pub(super) fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// The first snapshot that `shows` what is waited for, or the newest one when the time is over
    /// or the service ends.
    pub(super) async fn until(
        &mut self,
        limit: Duration,
        mut shows: impl FnMut(&Snapshot) -> bool + Send,
    ) -> Arc<Snapshot> {
        let waiting = timeout(limit, self.snapshots.wait_for(|now| shows(now)));
        let seen = tokio::select! {
            ended = waiting => ended.ok().and_then(Result::ok).map(|now| Arc::clone(&now)),
            () = self.shutdown.cancelled() => None,
        };
        seen.unwrap_or_else(|| self.now())
    }

    /// The same for what was just granted, which any moment now will be seen.
    pub(super) async fn until_visible(
        &mut self,
        shows: impl FnMut(&Snapshot) -> bool + Send,
    ) -> Arc<Snapshot> {
        self.until(VISIBLE, shows).await
    }

    /// The operation, at its end or as it stands when the time is over; none if it never showed.
    pub(super) async fn operation(
        &mut self,
        id: OperationId,
        limit: Duration,
    ) -> Option<Execution> {
        self.until_visible(|now| operation(now, id).is_some()).await;
        let is_over = |now: &Snapshot| {
            operation(now, id)
                .is_some_and(|execution| matches!(execution.progress, Progress::Ended(_)))
        };
        let snapshot = self.until(limit, is_over).await;
        operation(&snapshot, id).cloned()
    }
}

/// An operation by its number.
pub(super) fn operation(snapshot: &Snapshot, id: OperationId) -> Option<&Execution> {
    snapshot
        .operations
        .iter()
        .map(AsRef::as_ref)
        .find(|execution: &&Execution| execution.operation == id)
}

/// A node by its address.
pub(super) fn node<'a>(
    snapshot: &'a Snapshot,
    id: &mysqlsvc_core::NodeId,
) -> Option<&'a NodeSnapshot> {
    snapshot.nodes.iter().find(|node| node.node == *id)
}
