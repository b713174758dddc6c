//! What this process knows of the operation under way, beside the journal.

use std::collections::BTreeSet;

use super::{CallId, RequestTicket};
use crate::{Action, GtidSet, Micros, Millis, NodeId, Now, backend::Stand};

/// An optional step, and an undo that opens nobody, is given up after this many attempts, and
/// reported: with the pauses between, one that refuses connections is waited for some 1.5 s.
pub(super) const ATTEMPTS: u32 = 6;
/// A copy is tried this often.
pub(super) const COPIES: u32 = 2;
/// A part in semi-sync is tried to be given this often within another operation.
pub(super) const PARTS: u32 = 2;
/// A server that is to be copied to is waited for this often, which is somewhat more than a minute.
pub(super) const RETURNS: u32 = 40;
/// The pause before another attempt doubles from the first to the last of these.
const FIRST_PAUSE: Millis = Millis(50);
const LAST_PAUSE: Millis = Millis(2_000);

/// What this process knows of the work under way, beside the journal. All of it may be lost.
#[derive(Debug, Default, Clone)]
pub(super) struct Work {
    pub(super) call: Option<Call>,
    pub(super) last_call: u64,
    pub(super) attempts: u32,
    pub(super) pause_until: Option<Now>,
    pub(super) hold_until: Option<Now>,
    pub(super) frozen_at: Option<Now>,
    pub(super) critical_section: Option<Micros>,
    pub(super) write_unavailable: Option<Micros>,
    /// Nodes that this process has seen closed for writes since the operation began, and not open
    /// again since.
    pub(super) closed: BTreeSet<NodeId>,
    /// Whether this process has seen the new master hold all that is to be held, and no attempt to
    /// open it has failed since: a server that comes back may have lost some of it.
    pub(super) caught_up: bool,
    /// Whether the old master was seen to hold what it had at its freeze, and no attempt to open it
    /// has failed since.
    pub(super) whole: bool,
    pub(super) begun: Begun,
    /// Who asked to give the operation up while a call was under way.
    pub(super) given_up: Option<(RequestTicket, String)>,
    /// By position: where the server that is let follow another next has just said that it stands.
    pub(super) stood: Option<Stand>,
    /// By position: whether the new master replicates again, since the old one's log has gone on.
    pub(super) reads_on: bool,
    /// What the old master had when it was closed again by this process.
    pub(super) regained: Option<GtidSet>,
    pub(super) now: Now,
}

/// Which process began an operation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    #[default]
    Here,
    /// An earlier one: what it did and could not write down is unknown.
    Earlier,
}

/// A call whose answer is awaited.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) purpose: Purpose,
    pub(super) sent: Now,
}

#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Step(usize),
    Undo(usize),
    /// By position: where the server of a step stands, and whether the step is taken back.
    Stand(usize, bool),
    /// What must be so before the old master is opened again.
    Whole,
    /// What must be so before a server may be opened (invariants 1 and 3).
    Guard(Action),
}

impl Work {
    /// At a start: perhaps an operation is under way already.
    pub(super) fn taking_up(operation: bool) -> Self {
        let begun = if operation { Begun::Earlier } else { Begun::Here };
        Self { begun, ..Self::default() }
    }

    pub(super) fn next_timeout(&self) -> Option<Now> {
        let hold = self.hold_until.filter(|until| *until > self.now);
        // One that is over while a write is awaited is no reason to wake: its end is.
        let pause = self.pause_until.filter(|until| *until > self.now);
        pause.into_iter().chain(hold).min()
    }

    /// Whether something was tried that did not work, and is tried again.
    pub(super) fn is_stuck(&self) -> bool {
        self.attempts > 0
    }

    /// Whether the call that ended may not have been the first of its step.
    pub(super) fn is_asked_again(&self) -> bool {
        self.attempts > 0 || self.begun == Begun::Earlier
    }

    /// A node was seen to take writes: that it was closed once is of no account any more.
    pub(super) fn seen_writable(&mut self, node: &NodeId) {
        self.closed.remove(node);
    }

    /// A node did not answer: it may come back from a restart, without what it was seen to hold.
    pub(super) fn not_seen(&mut self) {
        self.caught_up = false;
        self.whole = false;
    }

    /// A hold whose beginning this process has not seen runs out, too.
    pub(super) fn resume_hold(&mut self, until: Now) {
        self.hold_until = Some(until);
    }

    pub(super) fn is_hold_expired(&self, now: Now) -> bool {
        self.hold_until.is_some_and(|until| now >= until)
    }

    pub(super) fn begin_pause(&mut self, now: Now) {
        let doubled = FIRST_PAUSE.0 << self.attempts.min(10);
        self.attempts += 1;
        self.pause_until = Some(now + Millis(doubled.min(LAST_PAUSE.0)));
    }

    /// A step is over: the next one begins with all its attempts.
    pub(super) fn step_over(&mut self) {
        self.attempts = 0;
        self.pause_until = None;
    }
}
