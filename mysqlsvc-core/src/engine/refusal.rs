//! Why a request is not granted: a stable name and a way out.

use serde::{Deserialize, Serialize};

use super::named::named;
use crate::NodeId;

/// A request that was refused before anything was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The stable name that tools decide by.
    pub reason: Reason,
    /// For people: what was seen, and what to do.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

named! {
    /// The stable names of refusals. `docs/operations.md` says of each what to do; a test compares.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    #[non_exhaustive]
    pub enum Reason {
        /// No such node in this cluster.
        UnknownNode => "unknown-node",
        /// Another operation is under way, or another request is being checked.
        Busy => "busy",
        /// It has a role already.
        AlreadyRegistered => "already-registered",
        /// It has no role.
        NotRegistered => "not-registered",
        /// There is a master, or a standby, already.
        RoleTaken => "role-taken",
        /// The cluster has no master.
        NoMaster => "no-master",
        /// The cluster has no standby.
        NoStandby => "no-standby",
        /// It is the master already.
        AlreadyMaster => "already-master",
        /// The node is not in a state that allows it.
        WrongState => "wrong-state",
        /// The master is not OK.
        MasterNotOk => "master-not-ok",
        /// Another node lets applications write.
        WritableElsewhere => "writable-elsewhere",
        /// The node cannot be reached, or refused us.
        Unreachable => "unreachable",
        /// The node's settings or rights do not allow it.
        Unfit => "unfit",
        /// Two nodes have the same server id or UUID.
        IdentityNotDistinct => "identity-not-distinct",
        /// The node is of another flavour, or an older version, than the cluster allows.
        Incompatible => "incompatible",
        /// The node has transactions that the source lacks.
        Errant => "errant",
        /// The node lacks transactions that it wrote itself, which replication does not bring back.
        OwnLost => "own-lost",
        /// The source no longer has transactions that the node lacks.
        Purged => "purged",
        /// By position: it is not known, exactly, where in the source's binary log the node stands.
        NoPosition => "no-position",
        /// By position: the place that was given is not in the source's binary log, but beyond its
        /// end.
        BeyondSource => "beyond-source",
        /// It was not confirmed, and is dangerous.
        NotConfirmed => "not-confirmed",
        /// Applications would be kept from writing for longer than the budget allows.
        OverBudget => "over-budget",
        /// The operation is not offered for this node.
        NotApplicable => "not-applicable",
        /// What the servers say does not add up to one cluster.
        Ambiguous => "ambiguous",
        /// The journal could not be written.
        StoreFailed => "store-failed",
    }
}

/// Whether what is dangerous was asked for with open eyes: by repeating the node's address. `danger`
/// is what needs that; a confirmation that is given must name the node in any case.
pub(super) fn confirmed(
    node: &NodeId,
    confirm: Option<&NodeId>,
    danger: Option<&str>,
) -> Result<(), Refusal> {
    let detail = match (confirm, danger) {
        (Some(confirm), _) if confirm != node => {
            format!("confirmed is {confirm}, but asked for is {node}; repeat {node}")
        }
        (None, Some(danger)) => {
            format!("{danger}; look at the dry run, and confirm by repeating {node}")
        }
        _ => return Ok(()),
    };
    Err(Refusal::new(Reason::NotConfirmed, detail))
}
