//! What happened in a world, in order: what the checkers read.

use std::{collections::BTreeSet, fmt};

use super::{
    faults::CallKind,
    transaction::{Row, TransactionId},
    world::Disturbance,
};
use crate::{NodeId, Route};

/// Everything that happened, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// In order.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A call of the backend began.
    Called {
        /// Its number.
        number: u64,
        /// The method.
        kind: CallKind,
        /// The server it is about.
        node: NodeId,
    },
    /// A server was sent a statement, or carried out one that had waited.
    Statement {
        /// The server.
        node: NodeId,
        /// The statement, and what came of it.
        text: String,
    },
    /// From here on these servers, and no others, can have a write acknowledged.
    Writable(BTreeSet<NodeId>),
    /// A route was published.
    Published(Route),
    /// A client was told that its row is there.
    Acknowledged {
        /// By which server.
        node: NodeId,
        /// Which row.
        row: Row,
    },
    /// A commit waited for replicas for as long as it may (semi-sync); none does from here on.
    CommitWaitedInVain {
        /// On which server.
        node: NodeId,
    },
    /// Received and unapplied transactions were thrown away.
    Erased(Erasure),
    /// Something was done to the world from outside.
    Disturbed(Disturbance),
}

/// A relay log thrown away with transactions in it that had not been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Where.
    pub node: NodeId,
    /// The statement that did it; none where a restart did.
    pub statement: Option<String>,
    /// What was in it.
    pub transactions: Vec<ErasedTransaction>,
}

/// A transaction thrown away with a relay log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedTransaction {
    /// Which.
    pub id: TransactionId,
    /// The servers that run and have it, applied or received. None: this was the last copy.
    pub held_by: BTreeSet<NodeId>,
}

/// One call of the backend and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Counted from 1.
    pub number: u64,
    /// The method.
    pub kind: CallKind,
    /// The server it is about.
    pub node: NodeId,
    /// How many statements the server carried out.
    pub statements: usize,
    /// The error, if it ended in one.
    pub error: Option<String>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called { number, kind, node } => write!(f, "call {number}: {kind:?} {node}"),
            Self::Statement { node, text } => write!(f, "  {node}: {text}"),
            Self::Writable(nodes) => write!(f, "  writable: {nodes:?}"),
            Self::Published(route) => write!(
                f,
                "route {}.{}: {}, master {:?}",
                route.epoch,
                route.version.0,
                if route.phase == crate::Phase::Open { "open" } else { "hold" },
                route.master.as_ref().map(|master| &master.node),
            ),
            Self::Acknowledged { node, row } => write!(f, "    {node} acknowledged {row}"),
            Self::CommitWaitedInVain { node } => {
                write!(f, "  {node}: a commit waited in vain for replicas")
            }
            Self::Erased(erasure) => write!(f, "  {}: erased {:?}", erasure.node, erasure),
            Self::Disturbed(disturbance) => write!(f, "disturbed: {disturbance:?}"),
        }
    }
}
