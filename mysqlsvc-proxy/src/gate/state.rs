//! The gate as a pure state machine: no clock, no tasks, no wake-ups; time is an argument.
//!
//! Each connection is in one of three counts: *held* (parked before dialling), *dialling*, or
//! *active* (dialled, until its relay ends). While the gate is shut no dial begins; so it is
//! settled as soon as `dialling` is nought.

use std::time::Duration;

use tokio::time::Instant;

use super::{HoldCounts, HoldEnded};

/// Which hold is meant; grows by one at each [`State::shut`].
pub(super) type Generation = u64;

#[derive(Clone, Debug)]
pub(super) struct State {
    generation: Generation,
    phase: Phase,
    queue_limit: usize,
    held: usize,
    dialling: usize,
    active: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open { since: HoldEnded },
    Shut { until: Instant },
}

/// What becomes of a connection that has just come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Dials,
    Parks,
    QueueFull,
}

/// What can be said of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    Waiting { until: Instant },
    Settled { counts: HoldCounts, until: Instant },
    Ended(HoldEnded),
}

/// The part of the state that somebody may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    generation: Generation,
    phase: Phase,
    settled: bool,
}

impl State {
    pub(super) fn new(queue_limit: usize) -> Self {
        Self {
            generation: 0,
            phase: Phase::Open { since: HoldEnded::Reopened },
            queue_limit,
            held: 0,
            dialling: 0,
            active: 0,
        }
    }

    /// Shuts the gate, or begins a new hold in the place of the present one.
    pub(super) fn shut(&mut self, now: Instant, remaining: Duration) -> Generation {
        self.generation += 1;
        self.phase = Phase::Shut { until: now + remaining };
        self.expire(now);
        self.generation
    }

    /// Opens the gate; nothing happens where it is open.
    pub(super) fn open(&mut self) {
        if matches!(self.phase, Phase::Shut { .. }) {
            self.phase = Phase::Open { since: HoldEnded::Reopened };
        }
    }

    /// Opens the gate where its time has run out. Every question below asks this first, so that
    /// no timer has to fire for the gate to be open.
    pub(super) fn expire(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Shut { until } if until <= now) {
            self.phase = Phase::Open { since: HoldEnded::Expired };
        }
    }

    /// Until when the gate is shut; `None` while it is open.
    pub(super) fn shut_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { .. } => None,
            Phase::Shut { until } => Some(until),
        }
    }

    pub(super) fn arrive(&mut self, now: Instant) -> Arrival {
        self.expire(now);
        match self.phase {
            Phase::Open { .. } => {
                self.dialling += 1;
                Arrival::Dials
            }
            Phase::Shut { .. } if self.held < self.queue_limit => {
                self.held += 1;
                Arrival::Parks
            }
            Phase::Shut { .. } => Arrival::QueueFull,
        }
    }

    /// Lets one held connection go on to dial, in one step with the look at the gate.
    pub(super) fn release(&mut self, now: Instant) -> bool {
        self.expire(now);
        let open = self.shut_until().is_none();
        if open {
            self.held -= 1;
            self.dialling += 1;
        }
        open
    }

    /// A dial given up because the gate shut; it was let in once, so the queue's limit does not
    /// turn it away.
    pub(super) fn park_again(&mut self) {
        self.dialling -= 1;
        self.held += 1;
    }

    pub(super) fn leave_queue(&mut self) {
        self.held -= 1;
    }

    pub(super) fn end_dial(&mut self) {
        self.dialling -= 1;
    }

    pub(super) fn activate(&mut self) {
        self.dialling -= 1;
        self.active += 1;
    }

    pub(super) fn end_active(&mut self) {
        self.active -= 1;
    }

    pub(super) fn counts(&self) -> GateCounts {
        GateCounts { held: self.held, dialling: self.dialling, active: self.active }
    }

    pub(super) fn settlement(&self, hold: Generation) -> Settlement {
        if self.generation != hold {
            return Settlement::Ended(HoldEnded::Superseded);
        }
        match self.phase {
            Phase::Open { since } => Settlement::Ended(since),
            Phase::Shut { until } if self.dialling == 0 => Settlement::Settled {
                counts: HoldCounts { held: self.held, active: self.active },
                until,
            },
            Phase::Shut { until } => Settlement::Waiting { until },
        }
    }

    pub(super) fn signal(&self) -> Signal {
        Signal {
            generation: self.generation,
            phase: self.phase,
            settled: self.dialling == 0 && self.shut_until().is_some(),
        }
    }
}

/// How many connections are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateCounts {
    /// Parked, not dialling.
    pub held: usize,
    /// Past the gate and looking for a server.
    pub dialling: usize,
    /// Connected to a server.
    pub active: usize,
}

#[cfg(test)]
mod tests;
