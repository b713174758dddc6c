//! What proxies may know: who takes writes, who serves reads, and whether to hold.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Millis, NodeId, NodeState, OperationId};

/// Grows by one at each committed change of master; an older route is never used (invariant 6).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Orders the routes of one epoch; grows with every published change, over restarts too.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RouteVersion(pub u64);

/// Which store a route comes from. Made once, with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub Uuid);

/// A full snapshot of where connections belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// See [`Epoch`].
    pub epoch: Epoch,
    /// See [`RouteVersion`].
    pub version: RouteVersion,
    /// Whether master connections are admitted or wait.
    pub phase: Phase,
    /// The server that takes writes; none while no master is registered or it cannot be routed.
    pub master: Option<RouteNode>,
    /// The servers that may serve reads.
    pub slaves: Vec<RouteNode>,
}

impl Route {
    /// The operation for which proxies hold, if they do.
    pub fn held_by(&self) -> Option<OperationId> {
        match self.phase {
            Phase::Open => None,
            Phase::Hold(hold) => Some(hold.operation),
        }
    }
}

/// Whether master connections are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They are.
    Open,
    /// New ones wait at the proxy while this operation moves the master.
    Hold(Hold),
}

/// A hold under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The operation that asked for it.
    pub operation: OperationId,
    /// After this long a proxy reopens by itself on its last open route, which is safe: the
    /// server is the fence.
    pub limit: Millis,
}

/// A server in a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteNode {
    /// Its address.
    pub node: NodeId,
    /// Its state when the route was made.
    pub state: NodeState,
}
