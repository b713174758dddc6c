//! Holding new connections while their server is being changed.
//!
//! While the [`Gate`] is shut, new connections wait before anything is dialled, in a queue with a
//! bound and for a bounded time. A dial begun earlier gets [`GateLimits::dial_grace`] to end; then
//! it is given up and its connection waits as well, which is safe as no byte of the client's was
//! forwarded. [`ShutHandle::settled`] tells when no dial is left. A hold that runs out opens the
//! gate by itself, with the targets as they are then.

mod layer;
mod slot;
mod state;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use layer::{GateLayer, Gated};
pub use slot::{ActiveSlot, DialSlot};
pub use state::GateCounts;
use state::{Arrival, Generation, Settlement, State};

/// Open, or shut with new connections waiting. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: watch::Sender<State>,
    limits: GateLimits,
}

/// Longest hold by default, 5 min. A monitor takes no longer `hold_timeout` in its configuration.
pub const LONGEST_HOLD: Duration = Duration::from_mins(5);

/// The bounds of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateLimits {
    /// Connections that may wait at once; one more is refused. Default 4096.
    pub queue: usize,
    /// Longest time one connection waits at the gate, all holds taken together. Default 5 min, as
    /// long as the longest hold: who waits does so for as long as the hold has left.
    pub wait: Duration,
    /// Longest hold; a longer one is cut to this. Default [`LONGEST_HOLD`].
    pub hold: Duration,
    /// How long a dial in flight may go on once the gate is shut. Default 100 ms.
    pub dial_grace: Duration,
}

/// One hold, as begun by [`Gate::shut`]. Dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct ShutHandle {
    gate: Gate,
    generation: Generation,
}

/// What a settled hold amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldCounts {
    /// Connections that wait at the gate.
    pub held: usize,
    /// Connections to servers from before the hold.
    pub active: usize,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldEnded {
    /// [`Gate::open`] was called.
    #[error("the gate was opened")]
    Reopened,
    /// Its time ran out.
    #[error("the time of the hold ran out and the gate opened by itself")]
    Expired,
    /// [`Gate::shut`] was called again; that hold goes on.
    #[error("a newer hold has taken this one's place")]
    Superseded,
}

/// Why a connection was not let through, or what the service behind the gate said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError<E> {
    /// The gate is shut and its queue has no room.
    #[error("{limit} connections wait at the gate already, the most that may")]
    QueueFull {
        /// [`GateLimits::queue`].
        limit: usize,
    },
    /// The gate stayed shut.
    #[error("the gate stayed shut for the {limit:?} a connection may wait")]
    HeldTooLong {
        /// [`GateLimits::wait`].
        limit: Duration,
    },
    /// The error of the service behind the gate.
    #[error(transparent)]
    Inner(E),
}

// === impl GateLimits ===

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            queue: 4096,
            wait: LONGEST_HOLD,
            hold: LONGEST_HOLD,
            dial_grace: Duration::from_millis(100),
        }
    }
}

// === impl Gate ===

impl Default for Gate {
    fn default() -> Self {
        Self::new(GateLimits::default())
    }
}

impl Gate {
    /// A gate that is open.
    pub fn new(limits: GateLimits) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: watch::Sender::new(State::new(limits.queue)),
                limits,
            }),
        }
    }

    /// Shuts the gate for `remaining`, counted on this host's monotonic clock and cut to
    /// [`GateLimits::hold`]. A hold under way is replaced by this one, its time too.
    pub fn shut(&self, remaining: Duration) -> ShutHandle {
        let remaining = remaining.min(self.shared.limits.hold);
        let generation = self.change(|state, now| state.shut(now, remaining));
        ShutHandle { gate: self.clone(), generation }
    }

    /// Opens the gate. Set the new targets first: whoever waits looks at them the moment the gate
    /// is open.
    pub fn open(&self) {
        self.change(|state, _| state.open());
    }

    /// Whether new connections wait.
    pub fn is_shut(&self) -> bool {
        self.remaining().is_some()
    }

    /// Waits until the gate is shut. A hold that has just run out may count as one.
    pub(crate) async fn shuts(&self) {
        let mut states = self.shared.state.subscribe();
        // The sender lives in this gate, so this cannot fail.
        let _ = states.wait_for(|state| state.shut_until().is_some()).await;
    }

    /// How much of the hold is left; `None` while the gate is open.
    pub fn remaining(&self) -> Option<Duration> {
        let until = self.shared.state.borrow().shut_until()?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// How many connections wait, dial and are connected.
    pub fn counts(&self) -> GateCounts {
        self.shared.state.borrow().counts()
    }

    /// The bounds this gate was made with.
    pub fn limits(&self) -> GateLimits {
        self.shared.limits
    }

    /// Waits until the gate is open and takes a place among those who dial.
    ///
    /// # Errors
    /// [`GateError::QueueFull`] and [`GateError::HeldTooLong`].
    pub async fn enter<E>(&self) -> Result<DialSlot, GateError<E>> {
        self.enter_within(&mut self.shared.limits.wait.clone()).await
    }

    /// As [`Gate::enter`], with the time spent waiting taken off `budget`.
    async fn enter_within<E>(&self, budget: &mut Duration) -> Result<DialSlot, GateError<E>> {
        match self.change(State::arrive) {
            Arrival::Dials => Ok(DialSlot::new(self.clone())),
            Arrival::Parks => slot::ParkedSlot::new(self.clone()).released(budget).await,
            Arrival::QueueFull => Err(GateError::QueueFull { limit: self.shared.limits.queue }),
        }
    }

    /// Changes the state in one step and wakes those who wait for what changed, if it did. Most
    /// changes are of counts only, and wake nobody.
    fn change<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = Instant::now();
        let mut result = None;
        let mut act = Some(act);
        self.shared.state.send_if_modified(|state| {
            let before = state.signal();
            result = act.take().map(|act| act(state, now));
            state.signal() != before
        });
        match result {
            Some(result) => result,
            None => unreachable!("send_if_modified calls its closure once"),
        }
    }
}

// === impl ShutHandle ===

impl ShutHandle {
    /// Waits until the gate is shut and every dial begun before is either given up, failed or
    /// counted as active. This takes [`GateLimits::dial_grace`] at most, and never longer than
    /// the hold.
    ///
    /// # Errors
    /// The hold ended first; nothing can be acknowledged then.
    pub async fn settled(&self) -> Result<HoldCounts, HoldEnded> {
        let mut states = self.gate.shared.state.subscribe();
        loop {
            match self.look(&mut states) {
                Settlement::Settled { counts, .. } => return Ok(counts),
                Settlement::Ended(how) => return Err(how),
                Settlement::Waiting { until } => next_change(&mut states, until).await,
            }
        }
    }

    /// Waits until this hold is over.
    pub async fn ended(&self) -> HoldEnded {
        let mut states = self.gate.shared.state.subscribe();
        loop {
            match self.look(&mut states) {
                Settlement::Ended(how) => return how,
                Settlement::Settled { until, .. } | Settlement::Waiting { until } => {
                    next_change(&mut states, until).await;
                }
            }
        }
    }

    /// Marks the present state as seen before judging it, so that no change falls in between.
    fn look(&self, states: &mut watch::Receiver<State>) -> Settlement {
        states.mark_unchanged();
        self.gate.change(|state, now| {
            state.expire(now);
            state.settlement(self.generation)
        })
    }
}

/// Returns at the next change worth a look, or at `until`.
async fn next_change(states: &mut watch::Receiver<State>, until: Instant) {
    tokio::select! {
        // The sender lives in the gate that the waiter holds, so this cannot fail.
        _ = states.changed() => {}
        () = sleep_until(until) => {}
    }
}
