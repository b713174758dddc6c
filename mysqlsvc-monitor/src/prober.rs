//! Watching: a task per server, each with its own time limit, so that a server that hangs delays
//! only its own row.

mod patience;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use mysqlsvc_core::{Look, LookError, NodeId, Now};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, debug_span};

use self::patience::Patience;
use crate::config::ProbeConfig;

/// From one look to the next while an operation runs, or while it is not yet clear whether a
/// server has failed.
const FAST: Duration = Duration::from_millis(200);

/// Whoever looks keeps to the configured limit and knows best what went wrong. This much later we
/// no longer wait for its word.
const GRACE: Duration = Duration::from_millis(100);

/// Whoever can look at servers.
#[async_trait]
pub(crate) trait Looker: Send + Sync + 'static {
    /// One look; may be dropped before it ends.
    async fn look(&self, node: &NodeId) -> Look;

    /// The time that looks are dated by.
    fn now(&self) -> Now;
}

/// How often servers are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As configured.
    Calm,
    /// More often: an operation is under way.
    Fast,
}

/// The watching of a cluster's servers. It ends when this is dropped.
pub(crate) struct Prober<L> {
    looker: Arc<L>,
    config: ProbeConfig,
    pace: watch::Sender<Pace>,
    looks: mpsc::Sender<(NodeId, Look)>,
    watched: BTreeMap<NodeId, AbortOnDropHandle<()>>,
}

impl<L: Looker> Prober<L> {
    /// A prober that watches nothing yet; looks go to `looks`.
    pub(crate) fn new(
        looker: Arc<L>,
        config: ProbeConfig,
        looks: mpsc::Sender<(NodeId, Look)>,
    ) -> Self {
        let pace = watch::channel(Pace::Calm).0;
        Self { looker, config, pace, looks, watched: BTreeMap::new() }
    }

    /// Watches these servers and no others from now on.
    pub(crate) fn watch(&mut self, nodes: &BTreeSet<NodeId>) {
        self.watched.retain(|node, _| nodes.contains(node));
        for node in nodes {
            if !self.watched.contains_key(node) {
                let task = self.task(node.clone());
                self.watched.insert(node.clone(), task);
            }
        }
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        self.pace.send_if_modified(|now| std::mem::replace(now, pace) != pace);
    }

    /// Ends all watching, and waits until it has ended.
    pub(crate) async fn stop(self) {
        for (_, task) in self.watched {
            task.abort();
            // It was cancelled, which is what is wanted.
            let _ = task.await;
        }
    }

    fn task(&self, node: NodeId) -> AbortOnDropHandle<()> {
        let span = debug_span!("probe", %node);
        let task = Task {
            node,
            looker: Arc::clone(&self.looker),
            config: self.config,
            pace: self.pace.subscribe(),
            looks: self.looks.clone(),
        };
        AbortOnDropHandle::new(tokio::spawn(task.run().instrument(span)))
    }
}

/// The watching of one server.
struct Task<L> {
    node: NodeId,
    looker: Arc<L>,
    config: ProbeConfig,
    pace: watch::Receiver<Pace>,
    looks: mpsc::Sender<(NodeId, Look)>,
}

impl<L: Looker> Task<L> {
    async fn run(mut self) {
        let mut patience = Patience::new(self.config.failures);
        loop {
            let look = self.look().await;
            let ended = Instant::now();
            let doubtful = patience.is_doubtful(&look);
            // Whoever is to hear of it has gone: so may we.
            if !doubtful && self.looks.send((self.node.clone(), look)).await.is_err() {
                return;
            }
            if self.rest(ended, doubtful).await.is_err() {
                return;
            }
        }
    }

    /// A look that ends by itself, whatever the server, the network or a name server does.
    async fn look(&self) -> Look {
        let begun = self.looker.now();
        let limit = self.config.timeout;
        match timeout(Duration::from(limit) + GRACE, self.looker.look(&self.node)).await {
            Ok(look) => look,
            Err(_) => {
                Look { begun, ended: self.looker.now(), seen: Err(LookError::Hung { limit }) }
            }
        }
    }

    /// Waits until the next look is due. That is at once when an operation has ended, even if it
    /// did so during the last look: everything may have changed, and someone may wait to see it.
    async fn rest(
        &mut self,
        since: Instant,
        doubtful: bool,
    ) -> Result<(), watch::error::RecvError> {
        loop {
            let calm = Duration::from(self.config.interval);
            let fast = doubtful || *self.pace.borrow() == Pace::Fast;
            let due = since + if fast { calm.min(FAST) } else { calm };
            tokio::select! {
                () = sleep_until(due) => return Ok(()),
                changed = self.pace.changed() => changed?,
            }
            if *self.pace.borrow() == Pace::Calm {
                return Ok(());
            }
        }
    }
}
