//! The plan that makes a replica a copy of another member.

use super::{Commit, OperationKind, Plan, Rebuilt, Step};
use crate::{Action, Identity, NodeId, backend::FollowManner, intent::Intent};

/// Replaces the data of `node`, where `identity` answers, by those of `donor`, and lets it follow
/// the master.
///
/// The pivot stands before the copy: a copy that is begun cannot be taken back, and until it is
/// whole the server may say to have what it has not. What fails after it leaves the node marked
/// ([`crate::intent::Member::copy_due`]), and another clone mends that.
pub fn plan_clone(
    intent: &Intent,
    node: &NodeId,
    identity: Identity,
    donor: &NodeId,
    master: &NodeId,
) -> Plan {
    let rebuilt = Some(Rebuilt { node: node.clone(), identity });
    let mut commit = Commit { rebuilt, ..Commit::unchanged(intent) };
    commit.paused.remove(node);
    let copy = Action::CopyFrom { node: node.clone(), donor: donor.clone() };
    let follow = |node: &NodeId, source: &NodeId, manner| {
        let (node, source) = (node.clone(), source.clone());
        Step::should(Action::Follow { node, source, manner, from: None })
    };
    let mut steps = vec![
        Step::attempt(Action::Close { node: node.clone() }, None),
        Step::Commit(commit),
        Step::should(copy),
        follow(node, master, FollowManner::Replica),
    ];
    if intent.mutual && intent.standby() == Some(node) {
        // The master's receiving thread may have stopped for good when its source lost its data.
        steps.push(follow(master, node, FollowManner::Mutual));
    }
    Plan::of_one_node(OperationKind::Clone, node, steps)
}
