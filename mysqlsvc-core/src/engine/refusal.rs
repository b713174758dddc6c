//! Why a request is not granted: a stable name and a way out.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// The stable names of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// No such node in this cluster.
    UnknownNode,
    /// Another operation is under way, or another request is being checked.
    Busy,
    /// It has a role already.
    AlreadyRegistered,
    /// It has no role.
    NotRegistered,
    /// There is a master, or a standby, already.
    RoleTaken,
    /// The cluster has no master.
    NoMaster,
    /// The cluster has no standby.
    NoStandby,
    /// It is the master already.
    AlreadyMaster,
    /// The node is not in a state that allows it.
    WrongState,
    /// The master is not OK.
    MasterNotOk,
    /// Another node lets applications write.
    WritableElsewhere,
    /// The node cannot be reached, or refused us.
    Unreachable,
    /// The node's settings or rights do not allow it.
    Unfit,
    /// Two nodes have the same server id or UUID.
    IdentityNotDistinct,
    /// The node is of another flavour, or an older version, than the cluster allows.
    Incompatible,
    /// The node has transactions that the source lacks.
    Errant,
    /// The node lacks transactions that it wrote itself, which replication does not bring back.
    OwnLost,
    /// The source no longer has transactions that the node lacks.
    Purged,
    /// By position: it is not known, exactly, where in the source's binary log the node stands.
    NoPosition,
    /// By position: the place that was given is not in the source's binary log, but beyond its end.
    BeyondSource,
    /// It was not confirmed, and is dangerous.
    NotConfirmed,
    /// Applications would be kept from writing for longer than the budget allows.
    OverBudget,
    /// The operation is not offered for this node.
    NotApplicable,
    /// What the servers say does not add up to one cluster.
    Ambiguous,
    /// The journal could not be written.
    StoreFailed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownNode => "unknown-node",
            Self::Busy => "busy",
            Self::AlreadyRegistered => "already-registered",
            Self::NotRegistered => "not-registered",
            Self::RoleTaken => "role-taken",
            Self::NoMaster => "no-master",
            Self::NoStandby => "no-standby",
            Self::AlreadyMaster => "already-master",
            Self::WrongState => "wrong-state",
            Self::MasterNotOk => "master-not-ok",
            Self::WritableElsewhere => "writable-elsewhere",
            Self::Unreachable => "unreachable",
            Self::Unfit => "unfit",
            Self::IdentityNotDistinct => "identity-not-distinct",
            Self::Incompatible => "incompatible",
            Self::Errant => "errant",
            Self::OwnLost => "own-lost",
            Self::Purged => "purged",
            Self::NoPosition => "no-position",
            Self::BeyondSource => "beyond-source",
            Self::NotConfirmed => "not-confirmed",
            Self::OverBudget => "over-budget",
            Self::NotApplicable => "not-applicable",
            Self::Ambiguous => "ambiguous",
            Self::StoreFailed => "store-failed",
        })
    }
}
