//! What both strategies have in common: who is what afterwards, and how everyone is brought along.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use super::{Act, Commit, Step, SwitchFacts};
use crate::{
    Action, Flavor, NodeId, Role, Settings,
    backend::{EventName, FollowManner, SemiSyncPart},
    intent::Intent,
};

/// One master succeeding another.
pub(super) struct Succession<'a> {
    intent: &'a Intent,
    from: &'a NodeId,
    to: &'a NodeId,
    flavor: Flavor,
    events: &'a [EventName],
    receiving: &'a BTreeSet<&'a NodeId>,
    acknowledging: usize,
    settings: &'a Settings,
    roles: BTreeMap<NodeId, Role>,
}

/// The lag is brought down while everybody still writes, so that the freeze is short.
pub(super) fn caught_up_first(facts: &SwitchFacts<'_>, settings: &Settings) -> Step {
    let (node, position) = (facts.to.clone(), facts.executed.clone());
    Step::attempt(Action::AwaitExecuted { node, position, limit: settings.max_lag }, None)
}

impl<'a> Succession<'a> {
    pub(super) fn of(
        intent: &'a Intent,
        facts: &'a SwitchFacts<'a>,
        settings: &'a Settings,
    ) -> Self {
        let (from, to) = (facts.from, facts.to);
        let roles = roles_after(intent, from, to);
        let (flavor, events) = (facts.executed.flavor(), facts.events);
        let (receiving, acknowledging) = (&facts.receiving, facts.acknowledging);
        Self { intent, from, to, flavor, events, receiving, acknowledging, settings, roles }
    }

    /// Whoever takes over stands still no longer, whatever was asked of it as a replica.
    pub(super) fn commit(&self) -> Commit {
        let mut commit = Commit {
            epoch: self.intent.epoch.next(),
            roles: self.roles.clone(),
            ..Commit::unchanged(self.intent)
        };
        commit.paused.remove(self.to);
        commit
    }

    /// The replicas that are brought along, but for the one that takes over.
    pub(super) fn others(intent: &'a Intent, to: &'a NodeId) -> impl Iterator<Item = &'a NodeId> {
        intent.replicas().filter(move |node| *node != to && !intent.is_paused(node))
    }

    pub(super) fn is_mutual(&self) -> bool {
        self.reverse_source().is_some()
    }

    fn reverse_source(&self) -> Option<&NodeId> {
        let mut standby = self.roles.iter().filter(|(_, role)| **role == Role::Standby);
        if self.intent.mutual { standby.next().map(|(node, _)| node) } else { None }
    }

    pub(super) fn kill(&self) -> Step {
        Step::should(Action::KillClients {
            node: self.from.clone(),
            spare: self.settings.kill_exclude.clone(),
        })
    }

    /// The new master waits for replicas from its first commit on: for those that acknowledged to
    /// the old one, and for the old one, which will.
    pub(super) fn new_master_waits(&self) -> Option<Step> {
        let managed = self.settings.semi_sync.as_ref()?;
        let part = managed.source(self.acknowledging + 1, self.flavor);
        Some(Step::should(Action::SetSemiSync { node: self.to.clone(), part }))
    }

    /// Those first that were seen to receive: commits on the new master may wait for them, and the
    /// old master may be gone by now.
    pub(super) fn the_well_follow(&self) -> impl Iterator<Item = Step> {
        let (well, _) = self.going_on();
        well.into_iter().map(|node| follow(node, self.to, FollowManner::Replica))
    }

    /// The old master, then whoever was not seen well. Those that are paused stay where they are:
    /// they are brought along when they are resumed.
    pub(super) fn all_others_follow(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.settings.semi_sync.is_some() {
            let (node, part) = (self.from.clone(), SemiSyncPart::Replica);
            steps.push(Step::should(Action::SetSemiSync { node, part }));
        }
        let (_, others) = self.going_on();
        let others = iter::once(self.from).chain(others);
        steps.extend(others.map(|node| follow(node, self.to, FollowManner::Replica)));
        if let Some(standby) = self.reverse_source() {
            // MariaDB refuses to go on from a position that its source has not come to yet, and
            // the receiving thread stops for good.
            let act = Act::CatchUp { node: standby.clone(), limit: self.settings.catch_up_timeout };
            steps.push(Step::Must { act, optional: true });
            steps.push(follow(self.to, standby, FollowManner::Mutual));
        }
        steps
    }

    /// The members that neither lead nor led, and are not to stand still: those that were seen to
    /// receive, and the others.
    fn going_on(&self) -> (Vec<&NodeId>, Vec<&NodeId>) {
        self.roles
            .keys()
            .filter(|node| *node != self.from && *node != self.to && !self.intent.is_paused(node))
            .partition(|node| self.receiving.contains(node))
    }

    /// Before the old master is frozen: none of its scheduled events begins any more. On MariaDB one
    /// whose definer may write through `read_only` would go on there, and what it wrote be errant.
    pub(super) fn events_rest(&self) -> Option<Step> {
        let resume = self.enable_events(self.from)?;
        Some(Step::attempt(self.disable_events()?, Some(resume)))
    }

    /// They run where writes are taken from now on.
    pub(super) fn events_resume(&self) -> Option<Step> {
        self.enable_events(self.to).map(Step::should)
    }

    /// Scheduled events run where writes are taken, and nowhere else.
    pub(super) fn events_move(&self) -> Vec<Step> {
        self.disable_events().map(Step::should).into_iter().chain(self.events_resume()).collect()
    }

    fn disable_events(&self) -> Option<Action> {
        let (node, events) = (self.from.clone(), self.events.to_vec());
        (!events.is_empty()).then_some(Action::DisableEvents { node, events })
    }

    fn enable_events(&self, node: &NodeId) -> Option<Action> {
        let (node, events) = (node.clone(), self.events.to_vec());
        (!events.is_empty()).then_some(Action::EnableEvents { node, events })
    }
}

fn follow(node: &NodeId, source: &NodeId, manner: FollowManner) -> Step {
    let (node, source) = (node.clone(), source.clone());
    Step::should(Action::Follow { node, source, manner, from: None })
}

/// The master and the node that takes over swap their roles; everyone else keeps theirs.
fn roles_after(intent: &Intent, from: &NodeId, to: &NodeId) -> BTreeMap<NodeId, Role> {
    let taken = intent.role(to);
    intent
        .members
        .iter()
        .map(|(node, member)| {
            let role = match node {
                node if node == to => Role::Master,
                node if node == from => taken,
                _ => member.role,
            };
            (node.clone(), role)
        })
        .collect()
}
