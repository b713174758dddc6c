//! What the engine knows, for pages and tools.

use std::sync::Arc;

use crate::{
    Epoch, GtidSet, Look, NodeId, NodeState, Role, Route,
    engine::{Alarm, Refusal, routing::is_moving},
    journal::Execution,
};

/// Everything known of a cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// See [`Epoch`].
    pub epoch: Epoch,
    /// Whether the master is to replicate from the standby.
    pub mutual: bool,
    /// Whether the monitor does nothing on its own account.
    pub maintenance: bool,
    /// What an operator should know.
    pub alarms: Vec<Alarm>,
    /// The registered master.
    pub master: Option<NodeId>,
    /// The last published route; none before the first.
    pub route: Option<Route>,
    /// Every node known, by address.
    pub nodes: Vec<NodeSnapshot>,
    /// The operations known, oldest first; the last one may be running.
    pub operations: Vec<Arc<Execution>>,
}

/// Everything known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSnapshot {
    /// Its address.
    pub node: NodeId,
    /// What it is registered as.
    pub role: Role,
    /// What it is seen to be.
    pub state: NodeState,
    /// The last look; none before the first.
    pub look: Option<Look>,
    /// What it lacks of what the master was last seen to have.
    pub missing: Option<GtidSet>,
    /// What it has that the master was later seen to lack.
    pub errant: Option<GtidSet>,
    /// Whether the discovery still names it.
    pub discovered: bool,
    /// What may be asked for it, and why not.
    pub allowed: Vec<Allowed>,
}

/// Whether an operation would be let in, as far as can be told without asking the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// `register-master`, `activate`, `switch`, …
    pub operation: &'static str,
    /// Why not; none when it would be.
    pub refusal: Option<Refusal>,
}

impl super::Engine {
    /// Everything known at this moment. Made anew at each call: not for hot paths.
    pub fn snapshot(&self) -> Snapshot {
        let intent = self.intent();
        let running = self.journal.running().cloned().map(Arc::new);
        let operations = self.journal.history().cloned().chain(running).collect();
        Snapshot {
            epoch: intent.epoch,
            mutual: intent.mutual,
            maintenance: intent.maintenance,
            alarms: self.alarms(),
            master: intent.master().cloned(),
            route: self.published.clone(),
            nodes: self.view.nodes(intent).map(|node| self.node_snapshot(node)).collect(),
            operations,
        }
    }

    fn node_snapshot(&self, node: &NodeId) -> NodeSnapshot {
        let intent = self.intent();
        let moving = is_moving(self.running(), node);
        NodeSnapshot {
            node: node.clone(),
            role: intent.role(node),
            state: self.view.state(node, intent, self.settings.max_lag, moving),
            look: self.view.look(node).cloned(),
            missing: self.view.missing(node, intent),
            errant: self.view.errant(node).cloned(),
            discovered: self.view.is_discovered(node),
            allowed: self.allowed(node),
        }
    }

    fn allowed(&self, node: &NodeId) -> Vec<Allowed> {
        let situation = self.situation();
        let answers = [
            ("register-master", situation.register(node, Role::Master)),
            ("register-standby", situation.register(node, Role::Standby)),
            ("register-slave", situation.register(node, Role::Slave)),
            ("unregister", situation.unregister(node)),
            ("activate", situation.activate(node, false).map(drop)),
            ("detach", situation.detach(node)),
            ("pause", situation.pause(node)),
            ("resume", situation.resume(node)),
            ("switch", situation.switch(node).map(drop)),
            ("clone", situation.clone_from(node, None).map(drop)),
        ];
        answers
            .into_iter()
            .map(|(operation, answer)| Allowed { operation, refusal: answer.err() })
            .collect()
    }
}
