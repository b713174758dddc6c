//! What was seen of the servers, and what it amounts to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    Epoch, GtidSet, Look, Millis, NodeId, NodeState, Now, Probe, ReadOnly, Role,
    intent::Intent,
    state::{Expectation, Trouble, classify},
};

/// No more of the master's past positions are kept than this, however often it is looked at.
const PAST: usize = 256;

/// The looks at every known node.
#[derive(Debug, Default, Clone)]
pub(super) struct View {
    discovered: BTreeSet<NodeId>,
    looks: BTreeMap<NodeId, Look>,
    /// What the master had at looks of the last while, oldest first.
    master_had: VecDeque<(Now, GtidSet)>,
    /// What a node had that the master lacked at a look begun after the node's look had ended.
    errant: BTreeMap<NodeId, GtidSet>,
    /// What replicas had at a look that was replaced before it could be held against the master's.
    unjudged: BTreeMap<NodeId, (Now, GtidSet)>,
    /// Everything that a node was last seen to hold, applied or only received.
    held: BTreeMap<NodeId, GtidSet>,
    /// When a replica was last seen to be OK.
    confirmed: BTreeMap<NodeId, Now>,
    /// What each node was ever seen to have executed, by looks that were over before its last one
    /// began: one that has less now has lost it.
    had: BTreeMap<NodeId, Past>,
    /// Nodes that were last seen to be another server than the registered one, or to have lost
    /// transactions. They stay so until a look shows otherwise: one that fails does not.
    others: BTreeSet<NodeId>,
    /// The highest epoch that a proxy spoke of.
    heard: Option<Epoch>,
    /// What our own actions made true since; a look that began before knows nothing of it.
    known: BTreeMap<NodeId, Known>,
    /// What was written down of a node, and when the look ended that saw it: a look that overlapped
    /// that one may know less, and nothing is lost by that.
    written: BTreeMap<NodeId, (Now, GtidSet)>,
    /// When a node was last given other data: looks that began before saw the old ones.
    renewed: BTreeMap<NodeId, Now>,
}

/// What a node was seen to have executed.
#[derive(Debug, Clone, Default)]
struct Past {
    executed: Option<GtidSet>,
    /// Looks that may overlap with the next one, and when they ended.
    recent: Vec<(Now, GtidSet)>,
}

impl Past {
    /// Everything that it had at the latest when a look began.
    fn before(&mut self, begun: Now) -> Option<&GtidSet> {
        let (over, recent) = self.recent.drain(..).partition(|(ended, _)| *ended <= begun);
        self.recent = recent;
        let over: Vec<_> = over;
        for (_, executed) in over {
            self.executed = Some(match &self.executed {
                Some(had) => had.union(&executed),
                None => executed,
            });
        }
        self.executed.as_ref()
    }
}

/// What is known of a node without having looked.
#[derive(Debug, Clone)]
struct Known {
    since: Now,
    executed: Option<GtidSet>,
    read_only: Option<ReadOnly>,
}

impl Known {
    fn amend(&self, look: &mut Look) {
        let Ok(probe) = &mut look.seen else { return };
        if look.begun >= self.since {
            return;
        }
        if let Some(executed) = &self.executed {
            probe.executed = probe.executed.union(executed);
        }
        probe.read_only = self.read_only.unwrap_or(probe.read_only);
    }
}

impl View {
    pub(super) fn hear(&mut self, epoch: Epoch) {
        self.heard = self.heard.max(Some(epoch));
    }

    pub(super) fn heard(&self) -> Option<Epoch> {
        self.heard
    }

    pub(super) fn discover(&mut self, nodes: Vec<NodeId>, intent: &Intent) {
        self.discovered = nodes.into_iter().collect();
        let known: BTreeSet<_> = self.nodes(intent).cloned().collect();
        self.looks.retain(|node, _| known.contains(node));
        self.errant.retain(|node, _| known.contains(node));
        self.held.retain(|node, _| known.contains(node));
        self.unjudged.retain(|node, _| known.contains(node));
        self.had.retain(|node, _| known.contains(node));
        self.written.retain(|node, _| known.contains(node));
        self.others.retain(|node| known.contains(node));
        self.renewed.retain(|node, _| known.contains(node));
    }

    /// Every node that is registered or discovered.
    pub(super) fn nodes<'a>(&'a self, intent: &'a Intent) -> impl Iterator<Item = &'a NodeId> {
        let all: BTreeSet<_> = self.discovered.iter().chain(intent.members.keys()).collect();
        all.into_iter()
    }

    pub(super) fn is_known(&self, node: &NodeId, intent: &Intent) -> bool {
        self.is_discovered(node) || intent.members.contains_key(node)
    }

    pub(super) fn is_discovered(&self, node: &NodeId) -> bool {
        self.discovered.contains(node)
    }

    pub(super) fn look(&self, node: &NodeId) -> Option<&Look> {
        self.looks.get(node)
    }

    /// What the last look saw, if it saw anything.
    pub(super) fn probe(&self, node: &NodeId) -> Option<&Probe> {
        self.look(node).and_then(|look| look.seen.as_ref().ok())
    }

    /// Takes a look over, unless one that began later is there already.
    pub(super) fn take(&mut self, node: &NodeId, mut look: Look, intent: &Intent, max_lag: Millis) {
        let newer = self.looks.get(node).is_some_and(|known| known.begun > look.begun);
        let of_old_data = self.renewed.get(node).is_some_and(|then| look.begun < *then);
        if newer || of_old_data || !self.is_known(node, intent) {
            return;
        }
        let copy_due = intent.is_copy_due(node);
        if let Some(known) = self.known.get(node) {
            known.amend(&mut look);
        }
        if let (Some((ended, executed)), Ok(probe)) = (self.written.get(node), &mut look.seen)
            && look.begun < *ended
        {
            probe.executed = probe.executed.union(executed);
        }
        if let (Ok(probe), Some(master)) = (&look.seen, intent.master())
            && node == master
        {
            self.take_master_position(look.begun, probe, master, max_lag);
        }
        if let (Ok(probe), false) = (&look.seen, copy_due) {
            let received = probe.replication.as_ref().map(|replication| &replication.received);
            let held = received.map_or_else(|| probe.executed.clone(), |r| probe.executed.union(r));
            self.held.insert(node.clone(), held);
        }
        let (begun, ended) = (look.begun, look.ended);
        let executed = look.seen.as_ref().ok().map(|probe| probe.executed.clone());
        if let Some(Look { ended, seen: Ok(before), .. }) = self.looks.insert(node.clone(), look) {
            self.unjudged.entry(node.clone()).or_insert((ended, before.executed));
        }
        if let Some(executed) = executed {
            let past = self.had.entry(node.clone()).or_default();
            past.before(begun);
            if !copy_due {
                // What was judged by the past is part of the next look's past.
                past.recent.push((ended, executed));
            }
            let state = self.state(node, intent, max_lag, true);
            if matches!(
                state,
                NodeState::Error(Trouble::Identity { .. } | Trouble::WentBack { .. })
            ) {
                self.others.insert(node.clone());
            } else {
                self.others.remove(node);
            }
        }
        if matches!(intent.role(node), Role::Slave | Role::Standby)
            && self.state(node, intent, max_lag, false) == NodeState::Ok
        {
            self.confirmed.insert(node.clone(), ended);
        }
    }

    fn take_master_position(
        &mut self,
        begun: Now,
        master_probe: &Probe,
        master: &NodeId,
        max_lag: Millis,
    ) {
        let handed_out = master_probe.handed_out();
        for (node, look) in self.looks.iter().filter(|(node, _)| *node != master) {
            let Ok(probe) = &look.seen else { continue };
            // The newest look that was over when the master's began: where looks take as long as
            // the time between them, that is not the newest one.
            let (newest, older) = ((look.ended, &probe.executed), self.unjudged.get(node));
            let over = |(ended, _): &(Now, &GtidSet)| *ended <= begun;
            let older = older.map(|(ended, executed)| (*ended, executed));
            if let Some((_, had)) = Some(newest).filter(over).or(older.filter(over)) {
                self.errant.insert(node.clone(), had.minus(&handed_out));
                self.unjudged.remove(node);
            }
        }
        self.master_had.push_back((begun, master_probe.executed.clone()));
        // The newest position that is old enough to be held against the oldest look stays; older
        // ones go. By the newest look, a replica would be forgiven what it lacks for a moment.
        let oldest = self.looks.values().map(|look| look.begun).fold(begun, Now::min);
        while self.master_had.len() > PAST
            || self.master_had.get(1).is_some_and(|(at, _)| *at + max_lag <= oldest)
        {
            self.master_had.pop_front();
        }
    }

    /// Another server is master now: what the old one had is no measure any more, except what the
    /// new one was seen to have.
    pub(super) fn change_master(&mut self, now: Now, position: Option<&GtidSet>) {
        self.master_had = position.map(|set| (now, set.clone())).into_iter().collect();
        self.errant.clear();
        self.unjudged.clear();
    }

    /// What a node was last seen to have goes into the journal.
    pub(super) fn write_down(&mut self, node: &NodeId) {
        if let Some(Look { ended, seen: Ok(probe), .. }) = self.looks.get(node) {
            self.written.insert(node.clone(), (*ended, probe.executed.clone()));
        }
    }

    /// An action of ours was done to a node: it holds this much at least, or is writable or not.
    pub(super) fn learn(
        &mut self,
        now: Now,
        node: &NodeId,
        executed: Option<&GtidSet>,
        read_only: Option<ReadOnly>,
    ) {
        let before = self.known.remove(node);
        let (had, was) = before.map_or((None, None), |known| (known.executed, known.read_only));
        let executed = match (had, executed) {
            (Some(had), Some(executed)) => Some(had.union(executed)),
            (had, executed) => executed.cloned().or(had),
        };
        if let Some(executed) = &executed {
            self.had.entry(node.clone()).or_default().recent.push((now, executed.clone()));
        }
        let known = Known { since: now, executed, read_only: read_only.or(was) };
        if let Some(look) = self.looks.get_mut(node) {
            known.amend(look);
        }
        self.known.insert(node.clone(), known);
    }

    pub(super) fn state(
        &self,
        node: &NodeId,
        intent: &Intent,
        max_lag: Millis,
        moving: bool,
    ) -> NodeState {
        let Some(look) = self.look(node) else {
            return match intent.role(node) {
                Role::Unregistered => NodeState::Unregistered,
                _ => NodeState::Unknown,
            };
        };
        let master = intent.master();
        let master_had = self
            .master_had
            .iter()
            .rev()
            .find(|(begun, _)| *begun + max_lag <= look.begun)
            .map(|(_, had)| had);
        let expected = Expectation {
            member: intent.members.get(node),
            had: self.had.get(node).and_then(|past| past.executed.as_ref()),
            master: master.and_then(|node| Some((node, intent.members.get(node)?))),
            master_had,
            max_lag,
            moving,
        };
        classify(expected, &look.seen)
    }

    /// Everything that a member was ever seen to have executed.
    pub(super) fn ever_had(&self, node: &NodeId, intent: &Intent) -> Option<GtidSet> {
        let stored = intent.members.get(node)?.executed.clone();
        let Some(past) = self.had.get(node) else { return Some(stored) };
        let recent = past.recent.iter().map(|(_, executed)| executed);
        Some(past.executed.iter().chain(recent).fold(stored, |all, more| all.union(more)))
    }

    /// Whether another server answers at a node's address, or one that lost transactions, as far as
    /// the last look that saw anything told.
    pub(super) fn is_another(&self, node: &NodeId) -> bool {
        self.others.contains(node)
    }

    /// Everybody begins anew.
    pub(super) fn forget_all_past(&mut self) {
        self.had.clear();
        self.others.clear();
        self.known.clear();
        self.written.clear();
    }

    /// The node begins anew: who it is and what it has is what was just written down of it.
    pub(super) fn forget_past(&mut self, node: &NodeId) {
        self.had.remove(node);
        self.others.remove(node);
        self.known.remove(node);
        self.written.remove(node);
    }

    /// What a node was seen to have executed is known to be this, in other words.
    pub(super) fn reword(&mut self, node: &NodeId, executed: &GtidSet) {
        self.forget_past(node);
        self.errant.remove(node);
        self.unjudged.remove(node);
        self.held.insert(node.clone(), executed.clone());
        if let Some(Ok(probe)) = self.looks.get_mut(node).map(|look| &mut look.seen) {
            probe.executed.clone_from(executed);
        }
    }

    /// The node has other data from now on; it is to be looked at again.
    pub(super) fn renew(&mut self, now: Now, node: &NodeId) {
        self.forget_past(node);
        self.looks.remove(node);
        self.errant.remove(node);
        self.unjudged.remove(node);
        self.held.remove(node);
        self.confirmed.remove(node);
        self.renewed.insert(node.clone(), now);
    }

    /// How long ago a replica was last seen to have what the master had.
    pub(super) fn age(&self, node: &NodeId, now: Now) -> Option<Millis> {
        self.confirmed.get(node).map(|then| Millis(now.since(*then).0 / 1000))
    }

    /// Everything that a node holds, applied or only received, by its last look that saw anything,
    /// else by what is stored of it.
    pub(super) fn held<'a>(&'a self, node: &NodeId, intent: &'a Intent) -> Option<&'a GtidSet> {
        let stored = || intent.members.get(node).map(|member| &member.executed);
        self.held.get(node).or_else(stored)
    }

    /// What the master lacks of what another server holds, and which. Of a server that is not
    /// registered only what the master itself wrote counts.
    pub(super) fn lacking<'a>(
        &'a self,
        master: &NodeId,
        intent: &'a Intent,
    ) -> Option<(&'a NodeId, GtidSet)> {
        let seen = self.probe(master)?;
        let mut others = self.nodes(intent).filter(|node| *node != master);
        others.find_map(|node| {
            let held = self.held(node, intent)?;
            let lacks = if intent.members.contains_key(node) {
                held.minus(&seen.executed)
            } else {
                held.written_by(&seen.identity).minus(&seen.executed)
            };
            (!lacks.is_empty()).then_some((node, lacks))
        })
    }

    /// How far a replica was behind the master at its last look: the age of the oldest position of
    /// the master that it had not executed then. As fine as the looks are frequent.
    pub(super) fn behind(&self, node: &NodeId) -> Option<Millis> {
        let look = self.look(node)?;
        let executed = &look.seen.as_ref().ok()?.executed;
        let lacking = |(_, had): &&(Now, GtidSet)| !executed.contains(had);
        let mut before = self.master_had.iter().filter(|(begun, _)| *begun <= look.begun);
        let since = before.find(lacking).map_or(look.begun, |(begun, _)| *begun);
        Some(Millis(look.begun.since(since).0 / 1000))
    }

    pub(super) fn errant(&self, node: &NodeId) -> Option<&GtidSet> {
        self.errant.get(node)
    }

    /// What a node lacks of what the master was last seen to have.
    pub(super) fn missing(&self, node: &NodeId, intent: &Intent) -> Option<GtidSet> {
        let master = self.probe(intent.master()?)?;
        Some(master.executed.minus(&self.probe(node)?.executed))
    }
}
