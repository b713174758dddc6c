//! What must be so before a server may be opened or followed, whatever the plan says.

use super::{Engine, work::Purpose};
use crate::{
    Action, ActionError, ActionErrorKind, NodeId, Now,
    backend::Observed,
    plan::{OperationKind, Strategy},
};

impl Engine {
    /// Opening the old master again is opening a server, too: it waits while another is seen
    /// writable, until every other was looked at, and until it is seen to hold what it had at its
    /// freeze: it may have restarted since, without its last transactions.
    pub(super) fn undo(&mut self, now: Now, step: usize, action: Action) {
        let node = action.node();
        let opens = matches!(action, Action::Thaw { .. });
        if self.impostor(&action).is_some() || (opens && !self.is_alone(node)) {
            self.work.begin_pause(now);
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

    /// What a server must be seen to hold before it is opened again: what it had at its freeze, or,
    /// if it restarted, ever. It may have restarted once more since it was looked at.
    pub(super) fn must_be_whole(&self, action: &Action) -> Option<Action> {
        let Action::Thaw { node } = action else { return None };
        let running = self.running().filter(|_| !self.work.whole)?;
        let position = match running.plan.kind {
            OperationKind::Reopen => self.view.ever_had(node, self.intent())?,
            _ => running.position()?.clone(),
        };
        let (node, limit) = (node.clone(), self.settings.catch_up_timeout);
        Some(Action::AwaitExecuted { node, position, limit })
    }

    /// Why a master that restarted may not be opened now.
    pub(super) fn must_stay_closed(&self, action: &Action) -> Option<ActionError> {
        let Action::Thaw { node } = action else { return None };
        if self.view.look(node).is_none() || !self.is_alone(node) {
            return Some(not_alone(action));
        }
        let detail = if let Some(unseen) = self.unseen(node) {
            format!("{unseen} does not answer; it may hold what {node} lacks")
        } else {
            let (holder, lacks) = self.lacking(node)?;
            format!("{holder} holds transactions that {node} lacks: {lacks}")
        };
        let (node, action) = (node.clone(), action.to_string());
        Some(ActionError { node, action, kind: ActionErrorKind::Unsafe, detail })
    }

    pub(super) fn is_alone(&self, node: &NodeId) -> bool {
        let mut others = self.intent().members.keys().filter(|other| *other != node);
        others.all(|other| self.view.look(other).is_some() && !self.is_seen_writable(other))
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
    ActionError {
        node: action.node().clone(),
        action: action.to_string(),
        kind: ActionErrorKind::Unsafe,
        detail: "another server of the cluster lets applications write, or was not looked at yet"
            .to_owned(),
    }
}
