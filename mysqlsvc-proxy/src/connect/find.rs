//! Trying targets, one after the other and round after round, until one serves or time is up.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tower::{Layer, Service, ServiceExt};

use super::{Connected, DialError, Greeted};
use crate::addr::TargetAddr;
use crate::choice::Choose;
use crate::io::ConnectionInfo;
use crate::stats::Stats;
use crate::target::{TargetSet, Targets};

/// The bounds of one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindLimits {
    /// The whole search. Default 10 s.
    pub total: Duration,
    /// How long a connection waits for a target, before its search, where there is none. Default
    /// 10 s.
    pub wait: Duration,
    /// How many may wait for a target at once; one more is refused. Default 4096.
    pub queue: usize,
    /// Pause after the first round in which every target failed; doubled after each further one.
    /// Default 50 ms.
    pub first_pause: Duration,
    /// The longest pause. Default 500 ms.
    pub longest_pause: Duration,
}

/// Why no server was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// There is nothing to dial; said at once. To wait is [`super::Wait`]'s.
    #[error("no target is known")]
    NoTarget,
    /// Nothing can be dialled for want of file descriptors; told at once, since a wait would only
    /// keep the client's own from others.
    #[error("no file descriptor is left for one more connection: {0}")]
    OutOfFiles(#[source] io::Error),
    /// Every attempt failed.
    #[error(
        "none of {attempts} attempts within {limit:?} reached a server; the last, {target}: {last}"
    )]
    Unreachable {
        /// [`FindLimits::total`].
        limit: Duration,
        /// How many there were.
        attempts: u32,
        /// The target of the last.
        target: TargetAddr,
        /// What became of the last.
        last: DialError,
    },
}

/// Adds target choice and retries to a dialling service.
#[derive(Clone)]
pub struct FindLayer {
    targets: Targets,
    choice: Arc<dyn Choose>,
    limits: FindLimits,
    stats: Stats,
}

/// A service that returns a connection to one of the present targets.
#[derive(Clone, Debug)]
pub struct Find<D> {
    layer: FindLayer,
    dial: D,
}

/// One search under way.
struct Search<D> {
    find: Find<D>,
    sets: watch::Receiver<TargetSet>,
    set: TargetSet,
    deadline: Instant,
    tried: Vec<TargetAddr>,
    pause: Duration,
    attempts: u32,
    last: Option<(TargetAddr, DialError)>,
}

/// How one attempt went.
enum Attempt<Io> {
    Done(Connected<Io>),
    Failed(TargetAddr, DialError),
    /// Its target left the set meanwhile.
    Outdated,
}

// === impl FindLimits, FindLayer ===

impl Default for FindLimits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(10),
            wait: Duration::from_secs(10),
            queue: 4096,
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_millis(500),
        }
    }
}

impl FindLayer {
    /// Chooses among `targets` by `choice`.
    pub fn new(targets: Targets, choice: Arc<dyn Choose>, limits: FindLimits) -> Self {
        Self { targets, choice, limits, stats: Stats::default() }
    }

    /// Counts failed dials in `stats`.
    #[must_use]
    pub fn with_stats(mut self, stats: Stats) -> Self {
        self.stats = stats;
        self
    }
}

impl<D> Layer<D> for FindLayer {
    type Service = Find<D>;

    fn layer(&self, dial: D) -> Find<D> {
        Find { layer: self.clone(), dial }
    }
}

impl fmt::Debug for FindLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindLayer")
            .field("targets", &self.targets)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

// === impl Find ===

impl<D, Io> Service<ConnectionInfo> for Find<D>
where
    D: Service<TargetAddr, Response = Greeted<Io>, Error = DialError> + Clone + Send + 'static,
    D::Future: Send,
    Io: Send + 'static,
{
    type Response = Connected<Io>;
    type Error = FindError;
    type Future = BoxFuture<'static, Result<Connected<Io>, FindError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FindError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: ConnectionInfo) -> Self::Future {
        Box::pin(Search::new(self.clone()).run())
    }
}

// === impl Search ===

impl<D, Io> Search<D>
where
    D: Service<TargetAddr, Response = Greeted<Io>, Error = DialError> + Clone,
{
    fn new(find: Find<D>) -> Self {
        let limits = find.layer.limits;
        Self {
            sets: find.layer.targets.subscribe(),
            set: find.layer.targets.current(),
            deadline: Instant::now() + limits.total,
            tried: Vec::new(),
            pause: limits.first_pause,
            attempts: 0,
            last: None,
            find,
        }
    }

    async fn run(mut self) -> Result<Connected<Io>, FindError> {
        loop {
            if Instant::now() >= self.deadline {
                return Err(self.give_up());
            }
            let set = self.current_set();
            match self.find.layer.choice.choose(set.targets(), &self.tried) {
                Some(index) => match self.attempt(&set, &set.targets()[index]).await {
                    Attempt::Done(connected) => return Ok(connected),
                    Attempt::Failed(_, DialError::OutOfFiles(error)) => {
                        return Err(FindError::OutOfFiles(error));
                    }
                    Attempt::Failed(target, error) => self.note_failure(target, error),
                    Attempt::Outdated => {}
                },
                None if set.targets().is_empty() => return Err(FindError::NoTarget),
                None => self.pause_between_rounds().await,
            }
        }
    }

    /// A changed set is a new chance: what failed before is forgotten.
    fn current_set(&mut self) -> TargetSet {
        let current = self.sets.borrow_and_update().clone();
        if current != self.set {
            self.tried.clear();
            self.pause = self.find.layer.limits.first_pause;
            self.set = current;
        }
        self.set.clone()
    }

    async fn attempt(&mut self, set: &TargetSet, target: &TargetAddr) -> Attempt<Io> {
        let dial = timeout_at(self.deadline, self.find.dial.clone().oneshot(target.clone()));
        let result = tokio::select! {
            biased;
            result = dial => result,
            _ = self.sets.wait_for(|set| !set.contains(target)) => return Attempt::Outdated,
        };
        match result {
            // The set may have changed in the very poll in which the dial was done.
            Ok(Ok(_)) if !self.find.layer.targets.current().contains(target) => Attempt::Outdated,
            Ok(Ok(greeted)) => Attempt::Done(Connected::new(greeted, target.clone(), set.epoch())),
            Ok(Err(error)) => Attempt::Failed(target.clone(), error),
            Err(_) => Attempt::Failed(
                target.clone(),
                DialError::Silent { limit: self.find.layer.limits.total },
            ),
        }
    }

    fn note_failure(&mut self, target: TargetAddr, error: DialError) {
        tracing::debug!(%target, %error, "a target did not serve");
        self.find.layer.stats.dial_failed();
        self.attempts = self.attempts.saturating_add(1);
        self.tried.push(target.clone());
        self.last = Some((target, error));
    }

    async fn wait_for_change(&mut self, until: Instant) {
        tokio::select! {
            // The sender lives in our own `Targets`, so this cannot fail.
            _ = self.sets.changed() => {}
            () = sleep_until(until) => {}
        }
    }

    async fn pause_between_rounds(&mut self) {
        let until = (Instant::now() + self.pause).min(self.deadline);
        self.pause = (self.pause * 2).min(self.find.layer.limits.longest_pause);
        self.tried.clear();
        self.wait_for_change(until).await;
    }

    fn give_up(self) -> FindError {
        let limit = self.find.layer.limits.total;
        match self.last {
            None => FindError::NoTarget,
            Some((target, last)) => {
                FindError::Unreachable { limit, attempts: self.attempts, target, last }
            }
        }
    }
}
