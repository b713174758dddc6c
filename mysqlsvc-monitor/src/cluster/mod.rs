//! The actor of a cluster: one task that owns the engine and does what it wants done.

mod actor;
mod advice;
mod clock;
mod handle;
mod log;
mod snapshots;
mod stop;
mod words;

use std::{future::Future, sync::Arc, time::Duration};

use mysqlsvc_core::{
    ReplicationBackend, Settings, Store, StoreError,
    driver::{Clock as _, Outside},
    engine::Engine,
    journal::IllegalRecord,
};
use tokio::{sync::mpsc, task::JoinError};
use tokio_util::sync::CancellationToken;

use self::{
    actor::{Actor, Work},
    advice::Advice,
    log::{AlarmLog, StateLog},
    snapshots::Snapshots,
    stop::Stop,
    words::Words,
};
pub use self::{
    clock::SystemClock,
    handle::{ASK_LIMIT, AskError, ClusterHandle},
    words::ProxyWord,
};
use crate::{
    config::{ClusterName, ProbeConfig},
    discovery::Discovery,
    mysql::{advice::Advisor, copying::Copies},
    prober::Prober,
    publish::Publisher,
};

/// How many requests may wait for the actor.
const ASKS: usize = 64;

/// How many looks may wait for the actor. Whoever looks waits with them; nothing is lost.
const LOOKS: usize = 64;

/// Everything a cluster is made of.
pub struct Parts<B, S> {
    /// What it is called.
    pub name: ClusterName,
    /// The limits of its operations.
    pub settings: Settings,
    /// How its servers are watched.
    pub probe: ProbeConfig,
    /// How its servers are found.
    pub discovery: Box<dyn Discovery>,
    /// Its servers.
    pub backend: B,
    /// Where copies of servers say how far they are.
    pub copies: Copies,
    /// Who reads their settings when somebody asks for advice.
    pub advisor: Arc<dyn Advisor>,
    /// Its journal.
    pub store: S,
}

/// Why a cluster could not be taken up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its journal could not be read.
    #[error("cluster {cluster}: {error}")]
    Store {
        /// Which.
        cluster: ClusterName,
        /// What the store said.
        error: StoreError,
    },
    /// Its journal makes no sense.
    #[error("cluster {cluster}: {error}; nothing was done: restore the store from a copy")]
    Journal {
        /// Which.
        cluster: ClusterName,
        /// What may not follow what.
        error: IllegalRecord,
    },
}

/// Why a cluster is no longer watched. Starting again replays its journal and goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The engine said that going on would not be safe.
    #[error("stopped for safety: {reason}; the next start goes on from the journal")]
    Halted {
        /// Why.
        reason: String,
    },
    /// Something that was under way has panicked.
    #[error("stopped by a defect: {0}; the next start goes on from the journal")]
    Panicked(#[from] JoinError),
}

/// Takes a cluster up: replays its journal, and gives a handle and the task to be spawned.
///
/// The task ends when `stop` is cancelled: at once, or when the operation under way is over or
/// `patience` has passed. It may be dropped at any time; starting again goes on from the journal.
pub async fn start<B, S>(
    parts: Parts<B, S>,
    stop: CancellationToken,
    patience: Duration,
) -> Result<(ClusterHandle, impl Future<Output = Result<(), ClusterError>> + Send), StartError>
where
    B: ReplicationBackend + 'static,
    S: Store + 'static,
{
    let Parts { name, settings, probe, discovery, backend, copies, advisor, store } = parts;
    let clock = SystemClock::start();
    let stored =
        store.load().await.map_err(|error| StartError::Store { cluster: name.clone(), error })?;
    let engine = Engine::new(settings, &stored, clock.now())
        .map_err(|error| StartError::Journal { cluster: name.clone(), error })?;
    if engine.is_operating() {
        tracing::warn!(cluster = %name, "an operation was under way: taking it up where it stood");
    }
    let publisher = Publisher::new(name, stored.incarnation);
    let (words, heard) = Words::new(stored.incarnation);
    let world = Arc::new(Outside { backend, store, publisher: publisher.clone(), clock });
    let (asks, asked) = mpsc::channel(ASKS);
    let (looked, looks) = mpsc::channel(LOOKS);
    let (snapshots, shown) = Snapshots::new(&engine);
    let actor = Actor {
        prober: Prober::new(Arc::clone(&world), probe, looked),
        engine,
        world,
        discovery,
        looks,
        asks: asked,
        heard,
        snapshots,
        states: StateLog::default(),
        alarms: AlarmLog::default(),
        stop: Stop::new(stop, patience),
        work: Work::default(),
    };
    let advice = Advice::of(advisor);
    Ok((ClusterHandle { publisher, snapshots: shown, asks, advice, copies, words }, actor.run()))
}
