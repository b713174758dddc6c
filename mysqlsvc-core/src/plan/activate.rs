//! The plan that lets a node replicate.

use super::{Commit, OperationKind, Plan, Step, one_node::going_on};
use crate::{
    Action, NodeId, Probe, Replication, Role, Settings,
    backend::{FollowManner, Start},
    intent::Intent,
};

/// Lets `node` replicate from `source`: a standby or slave from the master, or (mutual) the master
/// from its standby. `seen` is what the node was before, so that a failure leaves it so.
pub fn plan_activate(
    intent: &Intent,
    node: &NodeId,
    source: &NodeId,
    seen: &Probe,
    settings: &Settings,
) -> Plan {
    let reverse = intent.role(node) == Role::Master;
    let manner = if reverse { FollowManner::Mutual } else { FollowManner::Replica };
    let undo = match &seen.replication {
        None => Action::ForgetSource { node: node.clone() },
        Some(before) => {
            let (node, from) = (node.clone(), place_before(seen, source));
            Action::Follow { node, source: before.source.clone(), manner, from }
        }
    };
    let mut steps = Vec::new();
    if reverse {
        // MariaDB refuses to go on from a position that its source has not come to yet.
        let (node, position) = (source.clone(), seen.executed.clone());
        let limit = settings.catch_up_timeout;
        steps.push(Step::attempt(Action::AwaitExecuted { node, position, limit }, None));
    } else {
        // Following its source again would start what stood still: it is stopped after that.
        let stood_still = seen.replication.as_ref().is_some_and(Replication::stands_still);
        let stop = stood_still.then(|| Action::StopReplication { node: node.clone() });
        steps.push(Step::attempt(Action::Close { node: node.clone() }, stop));
        // By position it must stand still while it is judged where.
        if seen.place.is_some() && seen.replication.is_some() && !stood_still {
            let start = Action::StartReplication { node: node.clone() };
            let stop = Action::StopReplication { node: node.clone() };
            steps.push(Step::attempt(stop, Some(start)));
        }
    }
    let (at, source) = (node.clone(), source.clone());
    let follow = Action::Follow { node: at, source, manner, from: None };
    steps.push(Step::attempt(follow, Some(undo)));
    if reverse && !intent.mutual {
        steps.push(Step::Commit(Commit { mutual: true, ..Commit::unchanged(intent) }));
    } else if intent.is_paused(node) {
        steps.push(Step::Commit(going_on(intent, node)));
    }
    Plan::of_one_node(OperationKind::Activate, node, steps)
}

/// By position: where a node goes back to if it cannot follow `source`. None where it has followed
/// that all along, and goes on.
pub(super) fn place_before(seen: &Probe, source: &NodeId) -> Option<Start> {
    let before = seen.replication.as_ref().filter(|before| before.source != *source)?;
    let uuid = before.source_identity?.server_uuid?;
    let at = seen.executed.positions()?.entry(uuid)?;
    Some(Start { at, judged: seen.place.clone()? })
}
