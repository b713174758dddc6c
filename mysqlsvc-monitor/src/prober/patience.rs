//! When a look that failed is taken at its word.

use mysqlsvc_core::{Look, LookError};

/// A server that answered before is given some looks until it is said to have failed.
#[derive(Debug)]
pub(super) struct Patience {
    needed: u32,
    failed: u32,
    answered: bool,
}

impl Patience {
    /// `needed` looks in a row must fail.
    pub(super) fn new(needed: u32) -> Self {
        Self { needed, failed: 0, answered: false }
    }

    /// Whether to look again before anything is said of this look. Only silence may pass by
    /// itself; what a server says in words counts at once.
    pub(super) fn is_doubtful(&mut self, look: &Look) -> bool {
        if let Err(LookError::Unreachable { .. } | LookError::Hung { .. }) = look.seen {
            self.failed = self.failed.saturating_add(1);
            return self.answered && self.failed < self.needed;
        }
        self.failed = 0;
        self.answered = true;
        false
    }
}
