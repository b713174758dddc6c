//! What the monitor does without being asked: a master that restarted is opened again, and
//! semi-synchronous replication follows the roles.

use super::{Engine, semi_sync::Parts};
use crate::{
    GtidSet, Millis, NodeId, NodeState, Now,
    journal::{Execution, Record},
    plan::{OperationKind, Plan, plan_reopen},
    state::Pause,
};

/// Who asked for an operation that nobody asked for.
pub const MONITOR: &str = "monitor";

/// The pause after an act that failed doubles from this on.
const FIRST_PAUSE: Millis = Millis(1_000);
/// The pause before a master is opened again doubles up to this.
const LAST_PAUSE: Millis = Millis(60_000);

/// What is known of acts of our own, in this process.
#[derive(Debug, Default, Clone)]
pub(super) struct Automatic {
    /// Looks that began before this know nothing of the last operation.
    settled: Option<Now>,
    opening: Backoff,
    /// Since when the master is seen to have come back read-only from a restart.
    restarted: Option<Now>,
    pub(super) parts: Parts,
}

/// What failed is not begun again for a while, which doubles each time.
#[derive(Debug, Default, Clone)]
pub(super) struct Backoff {
    failures: u32,
    not_before: Option<Now>,
}

impl Backoff {
    pub(super) fn failed(&mut self, now: Now, most: Millis) {
        let pause = FIRST_PAUSE.0 << self.failures.min(20);
        self.failures += 1;
        self.not_before = Some(now + Millis(pause.min(most.0)));
    }

    pub(super) fn is_over(&self, now: Now) -> bool {
        self.not_before.is_none_or(|until| now >= until)
    }
}

impl Automatic {
    /// An operation ended; one of our own that did not do all it was to do is not begun again for a
    /// while.
    pub(super) fn ended(&mut self, now: Now, running: Option<&Execution>, done: bool) {
        self.settled = Some(now);
        let Some(ours) = running.filter(|running| running.who == MONITOR) else {
            return;
        };
        if ours.plan.kind == OperationKind::SemiSync {
            let why = ours.failure().map_or_else(|| "given up".to_owned(), ToString::to_string);
            self.parts.tried(&ours.plan.to, now, (!done).then_some(why));
        } else if done {
            self.opening = Backoff::default();
        } else {
            self.opening.failed(now, LAST_PAUSE);
        }
    }
}

impl Engine {
    /// Begins what is due, unless something is under way or the operator wants peace.
    pub(super) fn act_unasked(&mut self, now: Now) {
        let busy = self.halted
            || self.is_operating()
            || self.preparing.is_some()
            || !self.deferred.is_empty()
            || !self.writer.is_idle()
            || self.intent().maintenance;
        if busy {
            return;
        }
        if let Some(plan) = self.reopening(now).or_else(|| self.semi_sync_due(now)) {
            let operation = self.journal.next_operation();
            self.record(now, Record::Began { operation, plan, who: MONITOR.to_owned() });
            self.flush();
        }
    }

    /// Keeps in mind since when the master is seen to have restarted.
    pub(super) fn note_restart(&mut self, node: &NodeId) {
        if self.intent().master() != Some(node) {
            return;
        }
        let restarted = matches!(self.state(node), NodeState::Paused(Pause::Restarted));
        let ended = self.view.look(node).map(|look| look.ended);
        self.automatic.restarted =
            if restarted { self.automatic.restarted.or(ended) } else { None };
    }

    /// A master that restarted is opened if it was open before and is whole: every other was looked
    /// at since, nobody is writable, and nobody holds anything that it lacks (DESIGN 4). One that was
    /// registered closed is the operator's to open: registering changes nothing on a server.
    fn reopening(&self, now: Now) -> Option<Plan> {
        let since = self.automatic.restarted?;
        let master = self.intent().master()?;
        let whole = self.automatic.opening.is_over(now)
            && self.intent().opened == Some(self.intent().epoch)
            && matches!(self.state(master), NodeState::Paused(Pause::Restarted))
            && self.is_seen_since_settled(master)
            && self.others_looked_at_since(master, since)
            && self.unseen(master).is_none()
            && self.is_alone(master)
            && self.writable_stranger().is_none()
            && self.lacking(master).is_none();
        whole.then(|| self.with_parts(plan_reopen(master)))
    }

    fn others_looked_at_since(&self, master: &NodeId, since: Now) -> bool {
        let mut others = self.view.nodes(self.intent()).filter(|node| *node != master);
        others.all(|node| self.view.look(node).is_some_and(|look| look.begun >= since))
    }

    /// A replica that did not answer when it was last looked at, so that nobody knows what it holds.
    pub(super) fn unseen(&self, master: &NodeId) -> Option<&NodeId> {
        let mut others = self.intent().members.keys().filter(|node| *node != master);
        others.find(|node| self.view.probe(node).is_none())
    }

    /// What the master lacks of what another server holds, and which.
    pub(super) fn lacking(&self, master: &NodeId) -> Option<(&NodeId, GtidSet)> {
        self.view.lacking(master, self.intent())
    }

    /// Whether a node was looked at after the last operation had ended.
    pub(super) fn is_seen_since_settled(&self, node: &NodeId) -> bool {
        let settled = self.automatic.settled;
        self.view.look(node).is_some_and(|look| settled.is_none_or(|then| look.begun >= then))
    }

    pub(super) fn state(&self, node: &NodeId) -> NodeState {
        self.view.state(node, self.intent(), self.settings.max_lag, false)
    }
}
