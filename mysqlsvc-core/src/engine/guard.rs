//! What must be so before a server may be opened or followed, whatever the plan says.

use super::{Engine, work::Purpose};
use crate::{
    Action, ActionError, ActionErrorKind, GtidSet, NodeId, Now, Probe, ReadOnlySet,
    backend::Observed,
    journal::Record,
    plan::{OperationKind, Strategy},
};

impl Engine {
    /// Opening the old master again is opening a server, too: it waits while another is seen
    /// writable, until every other was looked at, and until it is seen to hold what it had at its
    /// freeze: it may have restarted since, without its last transactions. One that is seen to have
    /// lost some stays closed: it is a master that restarted, and not the operation's any more.
    pub(super) fn undo(&mut self, now: Now, step: usize, action: Action) {
        let node = action.node();
        let opens = matches!(action, Action::Thaw { .. });
        if self.impostor(&action).is_some() || (opens && !self.is_alone(node)) {
            // Whatever was seen of it is old when this is over.
            self.work.whole = false;
            self.work.begin_pause(now);
        } else if let Some(error) = self.lost_in_a_restart(&action) {
            self.work.step_over();
            self.record(now, Record::Forsaken { step, error });
        } else if let Some(whole) = self.must_be_whole(&action) {
            self.run(now, Purpose::Whole, whole);
        } else if let Some(ask) = self.must_say_where(&action) {
            self.run(now, Purpose::Stand(step, true), ask);
        } else {
            match self.placed(action) {
                Ok(action) => self.run(now, Purpose::Undo(step), action),
                Err(error) => self.not_placed(now, step, true, error),
            }
        }
    }

    /// Why what an operation froze is not thawed: it came back from a restart without what another
    /// holds.
    fn lost_in_a_restart(&self, action: &Action) -> Option<ActionError> {
        let Action::Thaw { node } = action else { return None };
        let restarted = |seen: &&Probe| {
            seen.read_only_set == ReadOnlySet::AtBoot && !seen.read_only.is_writable()
        };
        self.view.probe(node).filter(restarted)?;
        self.must_not_lack(action)
    }

    /// Why a master that is closed may not be opened: another holds what it lacks.
    pub(super) fn must_not_lack(&self, action: &Action) -> Option<ActionError> {
        let Action::Thaw { node } = action else { return None };
        let (holder, lacks) = self.lacking(node)?;
        Some(unsafe_to(action, format!("{holder} holds transactions that {node} lacks: {lacks}")))
    }

    /// What a server must be seen to hold before it is opened again: what it had at its freeze; if
    /// it restarted, or nobody knows what it had then, whatever it is known to have had ever. It
    /// may have restarted once more since it was looked at.
    pub(super) fn must_be_whole(&self, action: &Action) -> Option<Action> {
        let Action::Thaw { node } = action else { return None };
        let running = self.running().filter(|_| !self.work.whole)?;
        let position = match running.plan.kind {
            OperationKind::Reopen | OperationKind::Resume => self.ever_written(node)?,
            _ => running.position().cloned().or_else(|| self.ever_written(node))?,
        };
        let (node, limit) = (node.clone(), self.settings.catch_up_timeout);
        Some(Action::AwaitExecuted { node, position, limit })
    }

    /// Everything that a server was ever seen to have executed, and all that others have from it.
    fn ever_written(&self, node: &NodeId) -> Option<GtidSet> {
        let had = self.view.ever_had(node, self.intent())?;
        let identity = &self.intent().members.get(node)?.identity;
        let others = self.intent().members.keys().filter(|other| *other != node);
        let held = others.filter_map(|other| self.view.held(other, self.intent()));
        Some(held.fold(had, |all, held| all.union(&held.written_by(identity))))
    }

    /// Why a master that restarted may not be opened now.
    pub(super) fn must_stay_closed(&self, action: &Action) -> Option<ActionError> {
        let Action::Thaw { node } = action else { return None };
        let alone = self.is_alone(node) && self.writable_stranger().is_none();
        if self.view.look(node).is_none() || !alone {
            return Some(not_alone(action));
        }
        if let Some(unseen) = self.unseen(node) {
            let detail = format!("{unseen} does not answer; it may hold what {node} lacks");
            return Some(unsafe_to(action, detail));
        }
        self.must_not_lack(action)
    }

    pub(super) fn is_alone(&self, node: &NodeId) -> bool {
        let mut others = self.intent().members.keys().filter(|other| *other != node);
        others.all(|other| self.view.look(other).is_some() && !self.is_seen_writable(other))
    }

    /// A server that is seen writable and is no member: it may have been one, and be the master by
    /// somebody else's hand. Nothing is opened beside it on our own account.
    pub(super) fn writable_stranger(&self) -> Option<&NodeId> {
        let mut known = self.view.nodes(self.intent());
        known.find(|node| !self.intent().members.contains_key(*node) && self.is_seen_writable(node))
    }

    pub(super) fn is_seen_writable(&self, node: &NodeId) -> bool {
        self.view.probe(node).is_some_and(|probe| probe.read_only.is_writable())
    }

    /// The refusal to touch a server that is not the one that was registered.
    pub(super) fn impostor(&self, action: &Action) -> Option<ActionError> {
        let node = action.node();
        self.view.is_another(node).then(|| ActionError {
            node: node.clone(),
            action: action.to_string(),
            kind: ActionErrorKind::Unsafe,
            detail: format!(
                "another server answers there, or one that lost transactions: it is {}",
                self.view.state(node, self.intent(), self.settings.max_lag, true)
            ),
        })
    }

    /// What must be done before this action may open a server: whoever was master, or was last
    /// seen writable, is closed by this very process (invariant 1), and the new master holds all
    /// that the old one had, whatever has happened to either since (invariant 3).
    pub(super) fn guard(&self, action: &Action) -> Option<Action> {
        let (Action::Open { node: opened } | Action::OpenBeside { node: opened }) = action else {
            return None;
        };
        let execution = self.running()?;
        let closed = &self.work.closed;
        let from = execution.plan.from.as_ref();
        let beside = execution.plan.strategy == Strategy::Availability;
        if let Some(from) =
            from.filter(|_| !beside).filter(|from| *from != opened && !closed.contains(*from))
        {
            return Some(Action::Freeze {
                node: from.clone(),
                limit: self.settings.freeze_timeout,
                spare: self.settings.kill_exclude.clone(),
            });
        }
        let writable = |node: &&NodeId| {
            *node != opened
                && !(beside && Some(*node) == from)
                && !closed.contains(*node)
                && self.is_seen_writable(node)
        };
        if let Some(node) = self.intent().members.keys().find(writable) {
            return Some(Action::Close { node: node.clone() });
        }
        let held = execution.position().filter(|_| !self.work.caught_up)?;
        if let Some(start) = self.must_read_on(opened, held) {
            return Some(start);
        }
        let position =
            self.work.regained.as_ref().map_or_else(|| held.clone(), |more| held.union(more));
        let limit = self.settings.catch_up_timeout;
        Some(Action::AwaitExecuted { node: opened.clone(), position, limit })
    }

    /// Whether proxies have to be told first: availability first, the old master is frozen only
    /// after this process has published the route to the new one, else nobody could write until it
    /// has looked at everybody.
    pub(super) fn must_be_told_first(&self, action: &Action) -> bool {
        let beside = self.running().is_some_and(|it| it.plan.strategy == Strategy::Availability);
        let told = self.published.as_ref().is_some_and(|it| it.epoch == self.intent().epoch);
        beside && matches!(action, Action::Freeze { .. }) && !told
    }

    /// What a guard found to be so.
    pub(super) fn guarded(&mut self, guard: &Action, observed: Observed) {
        self.work.step_over();
        match (guard, observed) {
            (Action::Freeze { node, .. }, Observed::Position(position)) => {
                self.work.closed.insert(node.clone());
                // Whoever wrote there meanwhile was told that it is done.
                self.work.caught_up = false;
                self.work.regained = Some(position);
            }
            (Action::AwaitExecuted { .. }, _) => self.work.caught_up = true,
            (Action::StartReplication { .. }, _) => self.work.reads_on = true,
            (guard, _) => {
                self.work.closed.insert(guard.node().clone());
            }
        }
    }

    /// The refusal to let one of two masters follow the other while they contradict each other:
    /// availability first let both be written, and the new one could not take over all of it.
    pub(super) fn would_mix(&self, action: &Action) -> Option<ActionError> {
        let execution = self.running()?;
        let why = execution.diverged()?;
        let plan = &execution.plan;
        let (from, to) = (plan.from.as_ref()?, &plan.to);
        let Action::Follow { node, source, .. } = action else {
            return None;
        };
        let both = (node == from && source == to) || (node == to && source == from);
        both.then(|| ActionError {
            node: node.clone(),
            action: action.to_string(),
            kind: ActionErrorKind::Unsafe,
            detail: format!(
                "{to} could not take over all that was written on {from} ({why}); compare the two, \
                 then bring {from} to a copy of {to}"
            ),
        })
    }
}

/// The refusal to open a server while another may be open.
pub(super) fn not_alone(action: &Action) -> ActionError {
    let detail = "another server of the cluster lets applications write, or was not looked at yet";
    unsafe_to(action, detail.to_owned())
}

fn unsafe_to(action: &Action, detail: String) -> ActionError {
    let (node, action) = (action.node().clone(), action.to_string());
    ActionError { node, action, kind: ActionErrorKind::Unsafe, detail }
}
