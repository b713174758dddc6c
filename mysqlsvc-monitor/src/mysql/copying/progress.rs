//! How far copies are, for whoever watches; and a way to end them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mysqlsvc_core::NodeId;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::super::failure::Failure;

/// A copy that was asked to end has killed what it runs within this.
const END_LIMIT: Duration = Duration::from_secs(10);

/// How far a copy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is being done.
    pub phase: CopyPhase,
    /// Bytes that have come over.
    pub done_bytes: u64,
    /// Bytes that will come over, as estimated by the servers; none where they do not say.
    pub total_bytes: Option<u64>,
}

/// What a copy is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CopyPhase {
    /// Nothing has come over yet; the data that were there may be going.
    #[default]
    Preparing,
    /// Data come over.
    Copying,
    /// They are there, and are made ready.
    Applying,
    /// The server is to come back with them.
    Restarting,
    /// The server has ended, and nobody supervises it: it is to be started by hand.
    AwaitingStart,
}

impl fmt::Display for CopyPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preparing => "preparing",
            Self::Copying => "copying",
            Self::Applying => "applying",
            Self::Restarting => "restarting",
            Self::AwaitingStart => "awaiting-start",
        })
    }
}

/// The copies of a cluster that are under way. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    running: Arc<Mutex<BTreeMap<NodeId, Running>>>,
}

#[derive(Debug, Clone)]
struct Running {
    progress: CopyProgress,
    /// Asks it to end.
    end: CancellationToken,
    /// It has ended.
    over: CancellationToken,
}

/// One copy, which is over when this is dropped.
#[derive(Debug)]
pub(super) struct Copying {
    copies: Copies,
    node: NodeId,
    end: CancellationToken,
    over: CancellationToken,
}

impl Copies {
    /// How far the copy to a node is; none where none is under way.
    pub fn progress(&self, node: &NodeId) -> Option<CopyProgress> {
        self.lock().get(node).map(|running| running.progress)
    }

    /// Asks the copy to a node to end, and waits until it has, for a few seconds at most.
    pub(in super::super) async fn end(&self, node: &NodeId) -> bool {
        let Some(Running { end, over, .. }) = self.lock().get(node).cloned() else { return true };
        end.cancel();
        timeout(END_LIMIT, over.cancelled()).await.is_ok()
    }

    /// Begins one, once an earlier one to the same node is over.
    pub(super) async fn begin(&self, node: &NodeId) -> Result<Copying, Failure> {
        if !self.end(node).await {
            return Err(Failure::unknown("an earlier copy to it does not come to its end"));
        }
        let (end, over) = (CancellationToken::new(), CancellationToken::new());
        let running =
            Running { progress: CopyProgress::default(), end: end.clone(), over: over.clone() };
        self.lock().insert(node.clone(), running);
        Ok(Copying { copies: self.clone(), node: node.clone(), end, over })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copying {
    /// Comes when somebody wants it to end.
    pub(super) fn ended(&self) -> CancellationToken {
        self.end.clone()
    }

    pub(super) fn node(&self) -> &NodeId {
        &self.node
    }

    pub(super) fn tell(&self, progress: CopyProgress) {
        if let Some(running) = self.copies.lock().get_mut(&self.node) {
            running.progress = progress;
        }
    }

    pub(super) fn enter(&self, phase: CopyPhase) {
        if let Some(running) = self.copies.lock().get_mut(&self.node) {
            running.progress.phase = phase;
        }
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.copies.lock().remove(&self.node);
        self.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_copy_to_a_node_begins_when_the_first_is_over() {
        let (copies, node) = (Copies::default(), "a:3306".parse().unwrap());
        let first = copies.begin(&node).await.unwrap();
        first.tell(CopyProgress { done_bytes: 7, ..CopyProgress::default() });
        assert_eq!(copies.progress(&node).map(|seen| seen.done_bytes), Some(7));
        let ended = first.ended();
        let holder = tokio::spawn(async move {
            ended.cancelled().await;
            drop(first);
        });
        let second = copies.begin(&node).await.unwrap();
        holder.await.unwrap();
        assert!(!second.ended().is_cancelled());
        assert_eq!(copies.progress(&node), Some(CopyProgress::default()));
        drop(second);
        assert_eq!(copies.progress(&node), None);
    }
}
