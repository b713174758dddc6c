//! What the engine is told.

use super::Adoption;
use crate::{
    ActionError, Epoch, Look, LookError, NodeId, Now, OperationId, Role, StoreError,
    backend::{Finding, Inspection, Observed},
    gtid::Coordinate,
    plan::{Plan, Strategy},
};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Someone asks for something; answered by one [`super::Effect::Reply`].
    Asked {
        /// Comes back in the reply.
        ticket: RequestTicket,
        /// Who asks, for the audit.
        who: String,
        /// What is asked.
        request: Request,
    },
    /// A discovery said which servers there are. It only adds nodes or marks missing ones
    /// (invariant 7).
    Discovered {
        /// All of them.
        nodes: Vec<NodeId>,
    },
    /// A proxy said that it knows a later epoch of this store, or one of another store that is not
    /// lower than ours: it takes no route of ours until our epoch is above it.
    Heard {
        /// What it knows.
        epoch: Epoch,
    },
    /// A look ended, asked for or not.
    Looked {
        /// At which node.
        node: NodeId,
        /// What was seen, and when.
        look: Look,
    },
    /// An inspection ended.
    Inspected {
        /// Of which node.
        node: NodeId,
        /// When it began.
        begun: Now,
        /// What was found.
        result: Result<Inspection, LookError>,
    },
    /// The persist of this ticket is durable, or failed.
    Persisted {
        /// Of which effect.
        ticket: PersistTicket,
        /// How it went.
        result: Result<(), StoreError>,
    },
    /// The action of this call ended.
    ActionEnded {
        /// Of which effect.
        call: CallId,
        /// How it went.
        result: Result<Observed, ActionError>,
    },
    /// The proxies that hold have said so, or the limit passed.
    HoldEnded {
        /// Of which effect.
        call: CallId,
        /// By id.
        acknowledged: Vec<String>,
        /// By id.
        missing: Vec<String>,
    },
    /// The moment that [`super::Engine::poll_timeout`] named has come.
    TimedOut,
}

/// What an operator may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Store a role for a node; changes nothing on the server.
    Register {
        /// Which.
        node: NodeId,
        /// As what.
        role: Role,
    },
    /// Forget a node's role; changes nothing on the server.
    Unregister {
        /// Which.
        node: NodeId,
    },
    /// Let a node replicate from the master; the master from its standby.
    Activate {
        /// Which.
        node: NodeId,
        /// By position: which place in the source's binary log the node's data are at now; none
        /// leaves that to the engine, which knows it or refuses.
        at: Option<Coordinate>,
    },
    /// Let a replica forget its source; the master its standby.
    Detach {
        /// Which.
        node: NodeId,
    },
    /// Make the master read-only, or stop a replica's replication, until it is resumed.
    Pause {
        /// Which.
        node: NodeId,
    },
    /// Take a pause back.
    Resume {
        /// Which.
        node: NodeId,
    },
    /// Move the master while it lives.
    Switch {
        /// To which node.
        to: NodeId,
        /// What to put first.
        strategy: Strategy,
        /// The node once more; availability first asks for it.
        confirm: Option<NodeId>,
        /// Only show the plan.
        dry_run: bool,
    },
    /// Replace the data of a replica by a copy of another member's.
    Clone {
        /// Which; all that it holds is gone afterwards.
        node: NodeId,
        /// Whose data it gets; none leaves that to the engine.
        donor: Option<NodeId>,
        /// The node once more.
        confirm: Option<NodeId>,
        /// Only show the plan.
        dry_run: bool,
    },
    /// Suspend what the monitor does on its own account, or let it do so again.
    Maintenance {
        /// Whether to suspend it.
        on: bool,
    },
    /// Take up a cluster that this store does not know, or only in its past.
    Adopt {
        /// Only show what it would come to.
        dry_run: bool,
    },
    /// Give up an operation that cannot go on and cannot be taken back.
    Abandon {
        /// Which.
        operation: OperationId,
    },
}

impl Request {
    /// A switch that is carried out and puts reliability first.
    pub fn switch(to: NodeId) -> Self {
        Self::Switch { to, strategy: Strategy::Reliability, confirm: None, dry_run: false }
    }

    /// An activation of a node whose place the engine knows.
    pub fn activate(node: NodeId) -> Self {
        Self::Activate { node, at: None }
    }
}

/// Tells requests apart; chosen by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestTicket(pub u64);

/// Tells persists apart; chosen by the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersistTicket(pub u64);

/// Tells calls apart; chosen by the engine. An answer to an old call is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// What a granted request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was done, and is durable.
    Done {
        /// What preflight found that is no reason to refuse, but to know.
        warnings: Vec<Finding>,
    },
    /// What would be done.
    Planned {
        /// The steps.
        plan: Plan,
        /// What preflight found that is no reason to refuse, but to know.
        warnings: Vec<Finding>,
    },
    /// What the cluster would be taken to be.
    Adoptable(Adoption),
    /// An operation was begun, and is durable.
    Began(OperationId),
}
