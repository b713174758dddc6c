//! The place of one connection in the gate's counts; leaving is by drop, so none can be leaked.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Gate, GateError, next_change};

/// Counted as held.
pub(super) struct ParkedSlot {
    gate: Option<Gate>,
}

/// Counted as dialling.
#[derive(Debug)]
#[must_use = "dropping it says that the dial has ended"]
pub struct DialSlot {
    gate: Option<Gate>,
}

/// Counted as active until dropped.
#[derive(Debug)]
#[must_use = "dropping it says that the connection has ended"]
pub struct ActiveSlot {
    gate: Gate,
}

// === impl ParkedSlot ===

impl ParkedSlot {
    pub(super) fn new(gate: Gate) -> Self {
        Self { gate: Some(gate) }
    }

    /// Waits until the gate opens, for `budget` at most, and takes the time from it.
    pub(super) async fn released<E>(
        mut self,
        budget: &mut Duration,
    ) -> Result<DialSlot, GateError<E>> {
        let since = Instant::now();
        let give_up = since + *budget;
        let Some(gate) = self.gate.clone() else {
            unreachable!("a parked slot has its gate until it is released");
        };
        let mut states = gate.shared.state.subscribe();
        loop {
            states.mark_unchanged();
            if gate.change(super::State::release) {
                *budget = budget.saturating_sub(since.elapsed());
                self.gate = None;
                return Ok(DialSlot::new(gate));
            }
            if give_up <= Instant::now() {
                return Err(GateError::HeldTooLong { limit: gate.shared.limits.wait });
            }
            let until = gate.shared.state.borrow().shut_until();
            next_change(&mut states, until.map_or(give_up, |until| until.min(give_up))).await;
        }
    }
}

impl Drop for ParkedSlot {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.change(|state, _| state.leave_queue());
        }
    }
}

// === impl DialSlot ===

impl DialSlot {
    pub(super) fn new(gate: Gate) -> Self {
        Self { gate: Some(gate) }
    }

    /// The dial succeeded.
    pub fn activate(mut self) -> ActiveSlot {
        let Some(gate) = self.gate.take() else {
            unreachable!("a dial slot has its gate until it is given up");
        };
        gate.change(|state, _| state.activate());
        ActiveSlot { gate }
    }

    /// Ends once the gate has been shut for `grace`: the dial is to be given up.
    pub(super) async fn outstays(&self, grace: Duration) {
        let Some(gate) = &self.gate else {
            unreachable!("a dial slot has its gate until it is given up");
        };
        let mut states = gate.shared.state.subscribe();
        loop {
            // The sender lives in our own gate, so this cannot fail.
            let _ = states.wait_for(|state| state.shut_until().is_some()).await;
            sleep(grace).await;
            if gate.is_shut() {
                return;
            }
            // Shut by name, but its time has run out: let the state say so.
            gate.change(super::State::expire);
        }
    }

    /// Gives the dial up and waits for the gate to open again.
    pub(super) async fn park<E>(mut self, budget: &mut Duration) -> Result<DialSlot, GateError<E>> {
        let Some(gate) = self.gate.take() else {
            unreachable!("a dial slot has its gate until it is given up");
        };
        gate.change(|state, _| state.park_again());
        ParkedSlot::new(gate).released(budget).await
    }
}

impl Drop for DialSlot {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.change(|state, _| state.end_dial());
        }
    }
}

// === impl ActiveSlot ===

impl Drop for ActiveSlot {
    fn drop(&mut self) {
        self.gate.change(|state, _| state.end_active());
    }
}
