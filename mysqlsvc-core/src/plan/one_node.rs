//! The plans about one node that move no master: detach, pause, resume, reopen (seed 1, 2.2.3).

use super::{Commit, OperationKind, Plan, Step, activate::place_before};
use crate::{
    Action, GtidSet, Millis, NodeId, Probe, Replication, Role, Settings, backend::FollowManner,
    gtid::PositionSet, intent::Intent,
};

/// A server is asked for so long where it stands.
const ASKED: Millis = Millis(2_000);

/// Lets a replica forget its source, or the master its standby. `seen` is what the node was before,
/// so that a failure leaves it so.
pub fn plan_detach(intent: &Intent, node: &NodeId, seen: &Probe) -> Plan {
    let forget = Action::ForgetSource { node: node.clone() };
    let still = seen.replication.as_ref().is_none_or(Replication::stands_still);
    let steps = if intent.role(node) == Role::Master {
        let commit = Commit { mutual: false, ..Commit::unchanged(intent) };
        vec![Step::Commit(commit), Step::should(forget)]
    } else if seen.place.is_some() {
        // Where it stands is written down before its source is forgotten, for nobody else knows it.
        let stop = Action::StopReplication { node: node.clone() };
        let start = Action::StartReplication { node: node.clone() };
        let position = GtidSet::Positions(PositionSet::default());
        let ask = Action::AwaitExecuted { node: node.clone(), position, limit: ASKED };
        vec![
            Step::attempt(stop, (!still).then_some(start)),
            Step::attempt(ask, None),
            Step::Commit(going_on(intent, node)),
            Step::should(forget),
        ]
    } else {
        // What stood still before is not started to take this back.
        let before = seen.replication.as_ref().filter(|seen| !seen.stands_still());
        let undo = before.map(|before| Action::Follow {
            node: node.clone(),
            source: before.source.clone(),
            manner: FollowManner::Replica,
            from: None,
        });
        let mut steps = vec![Step::attempt(forget, undo)];
        if intent.is_paused(node) {
            steps.push(Step::Commit(going_on(intent, node)));
        }
        steps
    };
    Plan::of_one_node(OperationKind::Detach, node, steps)
}

/// Makes the master read-only until it is resumed.
pub fn plan_pause_master(intent: &Intent, master: &NodeId, settings: &Settings) -> Plan {
    let steps = vec![
        Step::attempt(freeze(master, settings), Some(Action::Thaw { node: master.clone() })),
        Step::Commit(standing_still(intent, master)),
    ];
    Plan::of_one_node(OperationKind::Pause, master, steps)
}

/// Stops a replica's replication until it is resumed.
pub fn plan_pause_replica(intent: &Intent, node: &NodeId) -> Plan {
    let stop = Action::StopReplication { node: node.clone() };
    let start = Action::StartReplication { node: node.clone() };
    let steps = vec![Step::attempt(stop, Some(start)), Step::Commit(standing_still(intent, node))];
    Plan::of_one_node(OperationKind::Pause, node, steps)
}

/// Opens a paused master.
pub fn plan_resume_master(intent: &Intent, master: &NodeId, settings: &Settings) -> Plan {
    let steps = vec![
        Step::attempt(Action::Thaw { node: master.clone() }, Some(freeze(master, settings))),
        Step::Commit(going_on(intent, master)),
    ];
    Plan::of_one_node(OperationKind::Resume, master, steps)
}

/// Lets a paused replica replicate again, from today's master: it may have been another's replica
/// when it was paused.
pub fn plan_resume_replica(intent: &Intent, node: &NodeId, master: &NodeId, seen: &Probe) -> Plan {
    let before = seen.replication.as_ref();
    let told = before.is_some_and(|before| before.source == *master);
    let start = if told {
        Action::StartReplication { node: node.clone() }
    } else {
        let (node, source) = (node.clone(), master.clone());
        Action::Follow { node, source, manner: FollowManner::Replica, from: None }
    };
    // What went on before is not stopped to take this back.
    let undo = match before {
        None => Some(Action::ForgetSource { node: node.clone() }),
        Some(before) if before.stands_still() => {
            Some(Action::StopReplication { node: node.clone() })
        }
        Some(_) if told => None,
        Some(before) => Some(Action::Follow {
            node: node.clone(),
            source: before.source.clone(),
            manner: FollowManner::Replica,
            from: place_before(seen, master),
        }),
    };
    let steps = vec![Step::attempt(start, undo), Step::Commit(going_on(intent, node))];
    Plan::of_one_node(OperationKind::Resume, node, steps)
}

/// Opens a master that came back read-only from a restart, and is still the master.
///
/// It only goes forward: taken back, it would look like a server that somebody closed on purpose.
/// It may be given up: while it is tried, the master may restart again, and lose what it had.
pub fn plan_reopen(master: &NodeId) -> Plan {
    let steps = vec![Step::should(Action::Thaw { node: master.clone() })];
    Plan::of_one_node(OperationKind::Reopen, master, steps)
}

fn freeze(master: &NodeId, settings: &Settings) -> Action {
    Action::Freeze {
        node: master.clone(),
        limit: settings.freeze_timeout,
        spare: settings.kill_exclude.clone(),
    }
}

fn standing_still(intent: &Intent, node: &NodeId) -> Commit {
    let mut commit = Commit::unchanged(intent);
    commit.paused.insert(node.clone());
    commit
}

/// The node is not to stand still any more.
pub(super) fn going_on(intent: &Intent, node: &NodeId) -> Commit {
    let mut commit = Commit::unchanged(intent);
    commit.paused.remove(node);
    commit
}
