//! Checkers of the invariants that a cluster must keep whatever goes wrong, one file each. Each
//! reads a [`super::History`] or a [`super::Snapshot`] and knows nothing of how they came about.

mod acknowledged;
mod as_found;
mod converged;
mod epochs;
mod last_copy;
mod one_writable;
#[cfg(test)]
mod planted;
mod routed_writable;
mod watch;

use std::fmt;

pub use self::{
    acknowledged::acknowledged_rows_are_on,
    as_found::as_found,
    converged::{Goal, converged},
    epochs::epochs_grow,
    last_copy::no_last_copy_erased,
    one_writable::at_most_one_writable,
    routed_writable::only_the_routed_master_is_writable,
    watch::Watch,
};
use super::History;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invariant {invariant} is broken: {seen}")]
pub struct Violation {
    /// Its number in DESIGN, section 4.
    pub invariant: u8,
    /// What was seen.
    pub seen: String,
}

impl Violation {
    fn new(invariant: u8, seen: impl fmt::Display) -> Self {
        Self { invariant, seen: seen.to_string() }
    }
}

/// Everything that must hold at every moment of every history, whatever failed.
pub fn always(history: &History) -> Result<(), Violation> {
    at_most_one_writable(history)?;
    only_the_routed_master_is_writable(history)?;
    no_last_copy_erased(history)?;
    epochs_grow(history)
}
