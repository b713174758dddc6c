//! Semi-synchronous replication where it is ours to manage: who plays which part, what is given
//! unasked, what goes with an operation, and what keeps a server from playing its part.

use std::collections::BTreeMap;

use super::{Alarm, AlarmId, Engine, automatic::Backoff};
use crate::{
    Action, Millis, NodeId, NodeState, Now, Role, SemiSync,
    backend::{SemiSyncPart, SemiSyncWait},
    plan::{OperationKind, Plan, Step, plan_semi_sync},
};

/// A part that could not be given is tried again after a pause that doubles up to this.
const LAST_PAUSE: Millis = Millis(3_600_000);

/// What came of giving servers their parts, in this process; forgotten of each that is seen to play
/// its part.
#[derive(Debug, Default, Clone)]
pub(super) struct Parts(BTreeMap<NodeId, Tried>);

#[derive(Debug, Default, Clone)]
struct Tried {
    backoff: Backoff,
    /// Why it was not done.
    failed: Option<String>,
}

impl Parts {
    /// A server was given its part, or was to be.
    pub(super) fn tried(&mut self, node: &NodeId, now: Now, failed: Option<String>) {
        let tried = self.0.entry(node.clone()).or_default();
        tried.backoff.failed(now, LAST_PAUSE);
        tried.failed = failed;
    }

    /// Whatever was in the way may be gone.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Why a server could not be given its part.
    pub(super) fn failure(&self, node: &NodeId) -> Option<&str> {
        self.0.get(node)?.failed.as_deref()
    }

    fn may_be_tried(&self, node: &NodeId, now: Now) -> bool {
        self.0.get(node).is_none_or(|tried| tried.backoff.is_over(now))
    }
}

impl Engine {
    /// The first member whose part is not what its role asks for; replicas first, so that the
    /// master never waits for what nobody tells it. One that could not be given its part a moment
    /// ago keeps nobody else from it.
    pub(super) fn semi_sync_due(&self, now: Now) -> Option<Plan> {
        let mut members = self.intent().replicas().chain(self.intent().master());
        members.find_map(|node| {
            let part = self.part_missing(node)?;
            let due = self.can_play(node)
                && self.is_seen_since_settled(node)
                && self.automatic.parts.may_be_tried(node, now);
            due.then(|| plan_semi_sync(node, part))
        })
    }

    /// A server is seen to play its part: that it could not be given is over.
    pub(super) fn note_part(&mut self, node: &NodeId) {
        if self.part(node).is_some() && self.part_missing(node).is_none() {
            self.automatic.parts.0.remove(node);
        }
    }

    /// The part that a server is to play and does not, where it could.
    fn part_missing(&self, node: &NodeId) -> Option<SemiSyncPart> {
        let part = self.part(node)?;
        let plays = self.view.probe(node)?.semi_sync.as_ref()?.plays(part);
        (!plays).then_some(part)
    }

    fn part(&self, node: &NodeId) -> Option<SemiSyncPart> {
        let managed = self.settings.semi_sync?;
        match self.intent().role(node) {
            Role::Master => self.source_part(node, managed),
            Role::Standby | Role::Slave => Some(SemiSyncPart::Replica),
            Role::Unregistered => None,
        }
    }

    /// The master waits for no more replicas than there are. One that is just connecting again, as
    /// all do when the master has restarted, makes no difference to the number it waits for, unless
    /// the master has given up waiting.
    fn source_part(&self, master: &NodeId, managed: SemiSync) -> Option<SemiSyncPart> {
        let probe = self.view.probe(master)?;
        let number = |soon| {
            let there = self.acknowledging(master, soon).count();
            managed.number(there, probe.flavor)
        };
        let (now, soon) = (number(false), number(true));
        let seen = probe.semi_sync.as_ref();
        let replicas = match seen.and_then(|seen| Some((seen.source?, seen.is_degraded()))) {
            None => soon,
            Some((_, true)) => now,
            Some((wait, false)) => wait.replicas.clamp(now, soon),
        };
        Some(SemiSyncPart::Source { replicas, timeout: managed.timeout })
    }

    /// The replicas that acknowledge to a source: told to, receiving from it, not to stand still.
    /// `soon` counts those as well that try to connect.
    pub(super) fn acknowledging<'a>(
        &'a self,
        source: &'a NodeId,
        soon: bool,
    ) -> impl Iterator<Item = &'a NodeId> {
        self.receiving(source, soon).filter(|node| {
            let seen = self.view.probe(node).and_then(|probe| probe.semi_sync.as_ref());
            seen.is_some_and(|seen| seen.replica)
        })
    }

    /// The replicas that are seen to receive from a source, and are not to stand still.
    pub(super) fn receiving<'a>(
        &'a self,
        source: &'a NodeId,
        soon: bool,
    ) -> impl Iterator<Item = &'a NodeId> {
        self.intent().replicas().filter(move |node| {
            let seen = self.view.probe(node).and_then(|probe| probe.replication.as_ref());
            !self.intent().is_paused(node)
                && !self.intent().is_copy_due(node)
                && seen.is_some_and(|seen| seen.source == *source && seen.receives(soon))
        })
    }

    fn can_play(&self, node: &NodeId) -> bool {
        matches!(self.state(node), NodeState::Ok | NodeState::Syncing(_))
    }

    /// An operation about one node together with the parts that go with it, so that nothing waits
    /// for who is gone, and nothing is acknowledged by one server alone: during maintenance nobody
    /// would mend that.
    pub(super) fn with_parts(&self, mut plan: Plan) -> Plan {
        let (Some(managed), Some(master)) = (self.settings.semi_sync, self.intent().master())
        else {
            return plan;
        };
        let set = |node: &NodeId, part| Action::SetSemiSync { node: node.clone(), part };
        let of_master = plan.to == *master;
        match plan.kind {
            // A server forgets its part when it restarts. One that cannot wait is opened all the
            // same: that nobody can write is worse.
            OperationKind::Resume | OperationKind::Reopen if of_master => {
                let due = self.part_missing(master).map(|part| Step::should(set(master, part)));
                plan.steps.splice(0..0, due);
            }
            OperationKind::Pause | OperationKind::Detach | OperationKind::Clone if !of_master => {
                let lower = self.wait_changed(managed, master, &plan.to, false);
                plan.steps.splice(
                    0..0,
                    lower.map(|(wait, before)| {
                        let undo = set(master, before.into());
                        Step::attempt(set(master, wait.into()), Some(undo))
                    }),
                );
            }
            _ => {}
        }
        let comes = match plan.kind {
            OperationKind::Clone => true,
            OperationKind::Resume | OperationKind::Activate => !of_master,
            _ => false,
        };
        if comes {
            let (node, master) = (plan.to.clone(), master.clone());
            let copied = plan.kind == OperationKind::Clone;
            if copied || self.part_missing(&node).is_some() {
                plan.steps.push(Step::should(set(&node, SemiSyncPart::Replica)));
            }
            let raise = self.wait_changed(managed, &master, &node, true);
            let changed = plan.steps.first().and_then(Step::action);
            let lowered = matches!(changed, Some(Action::SetSemiSync { .. }));
            let back = match raise {
                Some((wait, _)) => Some(wait),
                None if lowered => self.seen_wait(&master),
                None => None,
            };
            plan.steps.extend(back.map(|wait| Step::should(set(&master, wait.into()))));
        }
        plan
    }

    /// How the master is to wait with or without one of its replicas, and how it waits: where it
    /// waits for too many without, or for fewer than it could with.
    fn wait_changed(
        &self,
        managed: SemiSync,
        master: &NodeId,
        replica: &NodeId,
        with: bool,
    ) -> Option<(SemiSyncWait, SemiSyncWait)> {
        let (probe, before) = (self.view.probe(master)?, self.seen_wait(master)?);
        let others = self.acknowledging(master, false).filter(|node| *node != replica).count();
        let replicas = managed.number(others + usize::from(with), probe.flavor);
        let changes = if with { replicas > before.replicas } else { replicas < before.replicas };
        (changes && self.can_play(master)).then_some((SemiSyncWait { replicas, ..before }, before))
    }

    fn seen_wait(&self, master: &NodeId) -> Option<SemiSyncWait> {
        self.view.probe(master)?.semi_sync.as_ref()?.source
    }

    /// What is wrong with semi-synchronous replication.
    pub(super) fn semi_sync_alarms(&self) -> Vec<Alarm> {
        if self.settings.semi_sync.is_none() {
            return Vec::new();
        }
        let members = self.intent().members.keys();
        let found = members.filter_map(|node| {
            let (id, text) = self.semi_sync_alarm(node)?;
            Some(Alarm { id, node: Some(node.clone()), text })
        });
        found.collect()
    }

    fn semi_sync_alarm(&self, node: &NodeId) -> Option<(AlarmId, String)> {
        let Some(seen) = &self.view.probe(node)?.semi_sync else {
            let text = format!(
                "{node} cannot replicate semi-synchronously: its plugin is not loaded (INSTALL \
                 PLUGIN)"
            );
            return Some((AlarmId::SemiSyncMissing, text));
        };
        if let Some(part) = self.part_missing(node).filter(|_| self.can_play(node))
            && let Some(why) = self.why_not_given(node)
        {
            let text = format!("{node} does not play its part in semi-sync ({part}): {why}");
            return Some((AlarmId::SemiSyncNotSet, text));
        }
        (self.intent().master() == Some(node) && seen.is_degraded()).then(|| {
            let text = format!(
                "{node} acknowledges commits that no replica may have: {} replicas tell it what \
                 they receive",
                seen.replicas
            );
            (AlarmId::SemiSyncDegraded, text)
        })
    }

    /// Why a part that is missing is not simply about to be given.
    fn why_not_given(&self, node: &NodeId) -> Option<String> {
        if let Some(failed) = self.automatic.parts.failure(node) {
            return Some(format!(
                "{failed}. Mend that; it is tried again after a while, and at once when \
                 maintenance is switched on or off"
            ));
        }
        let settled = !self.is_operating() && self.is_seen_since_settled(node);
        (self.intent().maintenance && settled).then(|| {
            "nothing is set unasked during maintenance. Switch it off, or set it by hand".to_owned()
        })
    }
}

impl From<SemiSyncWait> for SemiSyncPart {
    fn from(SemiSyncWait { replicas, timeout }: SemiSyncWait) -> Self {
        Self::Source { replicas, timeout }
    }
}
