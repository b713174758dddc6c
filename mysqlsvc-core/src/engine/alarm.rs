//! What an operator should know without having asked.

use super::{Engine, named::named};
use crate::{NodeId, NodeState, journal::Execution, state::Pause};

/// Something that is wrong with the cluster, or soon may be, and that the monitor does not mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its kind.
    pub id: AlarmId,
    /// The node it is about; none where it is the cluster.
    pub node: Option<NodeId>,
    /// What was seen, and what to do.
    pub text: String,
}

named! {
    /// The stable names of alarms. `docs/operations.md` says of each what to do; a test compares.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    pub enum AlarmId {
        /// The master takes no writes, and is not opened by the monitor.
        MasterReadOnly => "master-read-only",
        /// An operation does not get on.
        OperationStuck => "operation-stuck",
        /// A proxy knows a route that this store cannot follow.
        EpochBehind => "epoch-behind",
        /// The master does not replicate from its standby, though it is to.
        MutualBroken => "mutual-broken",
        /// The master replicates, and is not to.
        MasterReplicates => "master-replicates",
        /// A node has half a copy.
        CopyDue => "copy-due",
        /// A paused node works again.
        PauseLifted => "pause-lifted",
        /// The plugin is not loaded.
        SemiSyncMissing => "semi-sync-missing",
        /// A node does not play its part, and it cannot be given it.
        SemiSyncNotSet => "semi-sync-not-set",
        /// Commits are acknowledged that no replica may have.
        SemiSyncDegraded => "semi-sync-degraded",
    }
}

impl Engine {
    /// Everything that is wrong at this moment.
    pub(super) fn alarms(&self) -> Vec<Alarm> {
        let mut alarms: Vec<_> = self.master_alarm().into_iter().collect();
        alarms.extend(self.epoch_alarm());
        alarms.extend(self.mutual_alarm());
        alarms.extend(self.channel_alarm());
        alarms.extend(self.semi_sync_alarms());
        alarms.extend(self.copy_alarms());
        alarms.extend(self.intent().paused().filter_map(|node| self.pause_lifted(node)));
        if self.work.is_stuck()
            && let Some(running) = self.running()
        {
            let text = format!(
                "the {} of {} does not get on; see operation {}: it is tried again until it is \
                 done, or abandoned",
                running.plan.kind, running.plan.to, running.operation
            );
            alarms.push(Alarm {
                id: AlarmId::OperationStuck,
                node: Some(running.plan.to.clone()),
                text,
            });
        }
        alarms
    }

    fn master_alarm(&self) -> Option<Alarm> {
        if self.is_operating() {
            return None;
        }
        let master = self.intent().master()?;
        let text = match self.state(master) {
            NodeState::Paused(Pause::Found) => format!(
                "the master {master} is read-only, and nobody paused it here: find out who set \
                 read_only, then `resume {master}`"
            ),
            NodeState::Paused(Pause::Restarted) => match self.lacking(master) {
                Some((node, lacks)) => format!(
                    "the master {master} came back from a restart without transactions that {node} \
                     holds: {lacks}. It stays read-only: make {node} the master, or, if these are \
                     errant, bring {node} to a copy of {master}"
                ),
                None if self.is_copying() => format!(
                    "the master {master} came back read-only from a restart, and is not opened \
                     while a node is being cloned: give that operation up (`mysqlsvc abandon`), \
                     and it is opened at once"
                ),
                None if self.intent().maintenance => format!(
                    "the master {master} came back read-only from a restart, and is not opened \
                     during maintenance: `resume {master}` opens it"
                ),
                None if self.intent().opened != Some(self.intent().epoch) => format!(
                    "the master {master} is read-only and was never seen open: `resume {master}` \
                     opens it"
                ),
                None if let Some(stranger) = self.writable_stranger() => format!(
                    "the master {master} came back read-only from a restart, and {stranger}, which \
                     is not registered, lets applications write: one of the two is the master. \
                     Make {stranger} read-only, or unregister {master} and register {stranger}"
                ),
                None => {
                    let unseen = self.unseen(master)?;
                    format!(
                        "the master {master} came back from a restart, and {unseen}, which may \
                         hold what {master} lacks, does not answer: bring it back, or unregister \
                         it, or `resume {master}`"
                    )
                }
            },
            _ => return None,
        };
        Some(Alarm { id: AlarmId::MasterReadOnly, node: Some(master.clone()), text })
    }

    /// Proxies that know a later epoch take none of our routes, nor do those that know the same one
    /// of another store.
    fn epoch_alarm(&self) -> Option<Alarm> {
        let (heard, ours) = (self.view.heard()?, self.intent().epoch);
        (heard >= ours).then(|| Alarm {
            id: AlarmId::EpochBehind,
            node: None,
            text: format!(
                "a proxy knows epoch {heard}, and this store is at {ours}: it is another store than \
                 that of its route, or an old copy. Such proxies take no route of it; `mysqlsvc \
                 adopt` shows what the servers are, and takes the cluster up above {heard}"
            ),
        })
    }

    fn mutual_alarm(&self) -> Option<Alarm> {
        let (master, standby) = (self.intent().master()?, self.intent().standby()?);
        if !self.intent().mutual || self.is_operating() {
            return None;
        }
        let channel = self.view.probe(master)?.replication.as_ref();
        let sound = channel.is_some_and(|it| it.source == *standby && it.is_running());
        let away = self.view.probe(standby).is_none();
        (!sound && !away).then(|| Alarm {
            id: AlarmId::MutualBroken,
            node: Some(master.clone()),
            text: format!(
                "{master} is to replicate from its standby {standby}, and does not: `activate \
                 {master}` lets it, `detach {master}` gives it up"
            ),
        })
    }

    /// What is written on whom the master replicates from flows into it, and with a replica of the
    /// master's it is a ring.
    fn channel_alarm(&self) -> Option<Alarm> {
        let master = self.intent().master()?;
        let settled = !self.is_operating() && self.is_seen_since_settled(master);
        let channel = self.view.probe(master)?.replication.as_ref();
        let channel = channel.filter(|_| settled && !self.intent().mutual)?;
        Some(Alarm {
            id: AlarmId::MasterReplicates,
            node: Some(master.clone()),
            text: format!(
                "{master} is the master and still replicates from {}, and the cluster is not \
                 mutual: `detach {master}` lets it forget that",
                channel.source
            ),
        })
    }

    /// A server may look whole whose data a copy has half replaced.
    fn copy_alarms(&self) -> Vec<Alarm> {
        let copying = self.running().and_then(Execution::copying).map(|(node, _)| node);
        let due = |node: &&NodeId| self.intent().is_copy_due(node) && copying != Some(*node);
        let alarm = |node: &NodeId| Alarm {
            id: AlarmId::CopyDue,
            node: Some(node.clone()),
            text: format!(
                "the data of {node} were given up for a copy that did not become whole: it serves \
                 and replicates nothing until `mysqlsvc clone {node}` has succeeded"
            ),
        };
        self.intent().members.keys().filter(due).map(alarm).collect()
    }

    /// A server does not remember a pause: a replica that starts replicates.
    fn pause_lifted(&self, node: &NodeId) -> Option<Alarm> {
        let state = self.state(node);
        // A look from before the pause shows it at work.
        let judged = !self.is_operating() && self.is_seen_since_settled(node);
        let lifted = judged && matches!(state, NodeState::Ok | NodeState::Syncing(_));
        lifted.then(|| Alarm {
            id: AlarmId::PauseLifted,
            node: Some(node.clone()),
            text: format!(
                "{node} was paused, but is {state}: it restarted, or somebody started it; pause it \
                 again, or resume it"
            ),
        })
    }
}
