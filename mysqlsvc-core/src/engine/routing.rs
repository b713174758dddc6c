//! The route that follows from intent, looks and the operation under way.

use super::view::View;
use crate::{
    Action, Epoch, Hold, NodeId, NodeState, Now, OperationId, Phase, Role, Route, RouteNode,
    RouteVersion, Settings,
    intent::Intent,
    journal::{Execution, Progress},
    plan::{Act, OperationKind, Step},
    state::{Syncing, Trouble},
};

/// Whether proxies are to hold, by where the operation stands.
///
/// They are from the hold step on, until the new master is open, or until nothing of what came
/// after the hold is left to take back.
pub(super) fn held_by(running: Option<&Execution>) -> Option<OperationId> {
    let execution = running?;
    let hold = execution
        .plan
        .steps
        .iter()
        .position(|s| matches!(s, Step::Try { act: Act::Hold { .. }, .. }))?;
    let holding = match execution.progress {
        Progress::Forward { next, .. } => next >= hold && !is_opened(execution),
        Progress::Unwinding { next } => next.is_some_and(|step| step > hold),
        Progress::Ended(_) => false,
    };
    holding.then_some(execution.operation)
}

/// Whether the step that opens the new master is done.
pub(super) fn is_opened(execution: &Execution) -> bool {
    let opening = |step: &Step| {
        matches!(step, Step::Must { .. })
            && matches!(step.action(), Some(Action::Open { .. } | Action::OpenBeside { .. }))
    };
    let place = execution.plan.steps.iter().position(opening);
    match (place, execution.progress) {
        (Some(place), Progress::Forward { next, .. }) => next > place,
        (_, Progress::Ended(_)) => true,
        _ => false,
    }
}

/// Between the pivot and the opening nothing new is said: the proxies hold, and the route that
/// names an open master follows at once.
pub(super) fn is_pending(running: Option<&Execution>) -> bool {
    running.is_some_and(|execution| {
        execution.plan.kind == OperationKind::Switch
            && execution.is_committed()
            && !is_opened(execution)
    })
}

/// Whether an operation is moving a node from one source to another.
pub(super) fn is_moving(running: Option<&Execution>, node: &NodeId) -> bool {
    running.is_some_and(|execution| match execution.plan.kind {
        OperationKind::Switch => execution.is_committed(),
        OperationKind::Activate | OperationKind::Resume | OperationKind::Clone => {
            execution.plan.to == *node
        }
        OperationKind::Detach
        | OperationKind::Pause
        | OperationKind::Reopen
        | OperationKind::SemiSync => false,
    })
}

/// What a route is made of.
pub(super) struct Routing<'a> {
    pub(super) intent: &'a Intent,
    pub(super) view: &'a View,
    pub(super) running: Option<&'a Execution>,
    pub(super) settings: &'a Settings,
    /// Whether the hold under way has outlived its limit, so that proxies are open again.
    pub(super) hold_expired: bool,
    pub(super) now: Now,
}

impl Routing<'_> {
    /// The route of this moment, under a version.
    pub(super) fn route(&self, version: RouteVersion) -> Route {
        let phase = match held_by(self.running) {
            Some(operation) if !self.hold_expired || is_pending(self.running) => {
                Phase::Hold(Hold { operation, limit: self.settings.hold_timeout })
            }
            _ => Phase::Open,
        };
        Route {
            epoch: self.intent.epoch,
            version,
            phase,
            master: self.master(),
            slaves: self.slaves(),
        }
    }

    fn state(&self, node: &NodeId) -> NodeState {
        let moving = is_moving(self.running, node);
        self.view.state(node, self.intent, self.settings.max_lag, moving)
    }

    /// The master, whatever its state, unless another server answers at its address: proxies keep
    /// trying one that is away, and the server itself refuses writes when it must.
    fn master(&self) -> Option<RouteNode> {
        let node = self.intent.master()?;
        let state = self.state(node);
        (!self.view.is_another(node)).then(|| RouteNode { node: node.clone(), state })
    }

    fn slaves(&self) -> Vec<RouteNode> {
        self.intent
            .members
            .iter()
            .filter(|(_, member)| match member.role {
                Role::Slave => true,
                Role::Standby => self.settings.standby_serves_reads,
                Role::Master | Role::Unregistered => false,
            })
            .filter(|(node, _)| !self.view.is_another(node))
            .map(|(node, _)| RouteNode { node: node.clone(), state: self.state(node) })
            .filter(|slave| self.is_young_enough(&slave.node, &slave.state))
            .collect()
    }

    /// Whether a replica's data is younger than `max_read_lag` (CONTRACTS 2).
    fn is_young_enough(&self, node: &NodeId, state: &NodeState) -> bool {
        let limit = self.settings.max_read_lag;
        let confirmed = || self.view.age(node, self.now).is_some_and(|age| age <= limit);
        match state {
            NodeState::Ok => true,
            NodeState::Syncing(Syncing::Behind { lag: Some(lag), .. }) => *lag <= limit,
            NodeState::Syncing(Syncing::Behind { lag: None, .. }) => confirmed(),
            NodeState::Syncing(Syncing::SourceUnreachable { .. }) => {
                (self.settings.reads_without_master && self.is_master_away()) || confirmed()
            }
            // On its way from one source to another it stands still, detached or half started.
            NodeState::Detached
            | NodeState::Paused(_)
            | NodeState::Error(Trouble::ReplicationBroken { error: None, .. }) => {
                is_moving(self.running, node) && confirmed()
            }
            NodeState::Lost { .. }
            | NodeState::Error(_)
            | NodeState::Unregistered
            | NodeState::Unknown => false,
        }
    }

    fn is_master_away(&self) -> bool {
        self.intent.master().is_some_and(|master| {
            matches!(
                self.state(master),
                NodeState::Error(Trouble::Unreachable { .. } | Trouble::Hung { .. })
            )
        })
    }
}

/// Whether two routes tell proxies the same.
pub(super) fn say_the_same(one: &Route, other: &Route) -> bool {
    fn essence(route: &Route) -> (Epoch, Option<OperationId>, Vec<(&NodeId, &'static str)>) {
        let nodes = route.master.iter().chain(&route.slaves);
        (route.epoch, route.held_by(), nodes.map(|n| (&n.node, n.state.word())).collect())
    }
    let masters = one.master.is_some() == other.master.is_some();
    masters && essence(one) == essence(other)
}
