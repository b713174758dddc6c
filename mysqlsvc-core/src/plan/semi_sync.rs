//! The plan that brings semi-synchronous replication in line with the roles.

use super::{OperationKind, Plan, Step};
use crate::{Action, NodeId, backend::SemiSyncPart};

/// Gives one node the part that its role asks for. Should it not be done, the next look shows that,
/// but for the receiving thread of a replica, which is stopped for a moment to take it up.
pub fn plan_semi_sync(node: &NodeId, part: SemiSyncPart) -> Plan {
    let action = Action::SetSemiSync { node: node.clone(), part };
    let start = Action::StartReplication { node: node.clone() };
    let undo = (part == SemiSyncPart::Replica).then_some(start);
    Plan::of_one_node(OperationKind::SemiSync, node, vec![Step::attempt(action, undo)])
}
