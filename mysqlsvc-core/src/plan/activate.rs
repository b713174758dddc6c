//! The plan that lets a node replicate.

use super::{Commit, OperationKind, Plan, Step, one_node::going_on};
use crate::{
    Action, NodeId, Probe, Replication, Role, Settings, backend::FollowManner, intent::Intent,
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
            Action::Follow { node: node.clone(), source: before.source.clone(), manner }
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
    }
    let follow = Action::Follow { node: node.clone(), source: source.clone(), manner };
    steps.push(Step::attempt(follow, Some(undo)));
    if reverse && !intent.mutual {
        steps.push(Step::Commit(Commit { mutual: true, ..Commit::unchanged(intent) }));
    } else if intent.is_paused(node) {
        steps.push(Step::Commit(going_on(intent, node)));
    }
    Plan::of_one_node(OperationKind::Activate, node, steps)
}
