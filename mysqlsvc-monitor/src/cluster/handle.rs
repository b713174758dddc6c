//! What everybody else holds of a cluster.

use std::{sync::Arc, time::Duration};

use mysqlsvc_core::{
    NodeId,
    engine::{Answer, Refusal, Request, Snapshot},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    advice::Advice,
    words::{ProxyWord, Words},
};
use crate::{
    config::ClusterName,
    mysql::copying::{Copies, CopyProgress},
    publish::Publisher,
};

/// How long a request may wait for its answer. Registering looks at servers with their own limits,
/// well below.
pub const ASK_LIMIT: Duration = Duration::from_secs(30);

/// A cluster under watch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClusterHandle {
    pub(super) publisher: Publisher,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) advice: Advice,
    pub(super) copies: Copies,
    pub(super) words: Words,
}

/// A request on its way to the actor.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) who: String,
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// It was refused, and nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was not taken: too many wait already.
    #[error("too many requests are waiting for this cluster; try again in a moment")]
    Busy,
    /// It was not taken, or not finished: the monitor is stopping.
    #[error("the monitor is stopping; look at the cluster again once it runs")]
    Stopping,
    /// It was taken; whether it was granted is not known.
    #[error(
        "no answer within {} s; the request may still be granted: look at the cluster before \
         asking again", ASK_LIMIT.as_secs()
    )]
    NoAnswer,
}

impl ClusterHandle {
    /// What the cluster is called.
    pub fn name(&self) -> &ClusterName {
        self.publisher.cluster()
    }

    /// Everything known of it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Everything known of it, from now on; closes when the cluster is no longer watched.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// How far the copy is that is being made on a node; none where none is under way.
    pub fn copy_progress(&self, node: &NodeId) -> Option<CopyProgress> {
        self.copies.progress(node)
    }

    /// Its route, and the proxies that follow it.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Takes note of the route that a proxy says it has. What is no reason to worry is forgotten;
    /// nobody waits.
    pub fn hear(&self, word: ProxyWord) {
        self.words.hear(word);
    }

    /// The proxy that keeps our routes from being taken everywhere, if one has said so: the one with
    /// the highest epoch since the start.
    pub fn heard(&self) -> Option<ProxyWord> {
        let epoch = self.snapshot().epoch;
        self.words.highest().filter(|word| word.outranks(epoch, self.publisher.incarnation()))
    }

    /// Asks for something, and waits for the answer at most [`ASK_LIMIT`]. What is granted is in
    /// the snapshot by the time of the answer. Whoever stops waiting does not take the request back.
    pub async fn ask(&self, who: impl Into<String>, request: Request) -> Result<Answer, AskError> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask { who: who.into(), request, reply };
        self.asks.try_send(ask).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AskError::Busy,
            mpsc::error::TrySendError::Closed(_) => AskError::Stopping,
        })?;
        match timeout(ASK_LIMIT, answer).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) => Err(AskError::Stopping),
            Err(_) => Err(AskError::NoAnswer),
        }
    }
}
