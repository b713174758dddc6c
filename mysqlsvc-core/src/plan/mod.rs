//! Plans: the ordered steps of one operation, shown before it runs and journalled before it starts.
//!
//! A plan is a line with a pivot. [`Step::Try`] steps before it are unwound in reverse when one
//! fails; [`Step::Commit`] is one durable record; [`Step::Must`] steps after it only go forward.

mod activate;
mod availability;
mod clone;
mod forecast;
mod one_node;
mod semi_sync;
mod succession;
mod switch;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

pub use self::{
    activate::plan_activate,
    availability::plan_availability_first,
    clone::plan_clone,
    forecast::{Cause, Forecast},
    one_node::{
        plan_detach, plan_pause_master, plan_pause_replica, plan_reopen, plan_resume_master,
        plan_resume_replica,
    },
    semi_sync::plan_semi_sync,
    switch::{SwitchPlanner, plan_switch},
};
use crate::{Action, Epoch, Identity, Millis, NodeId, Role, backend::EventName, intent::Intent};

/// The steps of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What the operation is.
    pub kind: OperationKind,
    /// The master it begins with, where it moves one.
    pub from: Option<NodeId>,
    /// The node it is about: the new master, the node to activate.
    pub to: NodeId,
    /// What it puts first, where it moves the master.
    #[serde(default)]
    pub strategy: Strategy,
    /// How long applications are expected not to be able to write; none where nothing is frozen.
    #[serde(default)]
    pub forecast: Option<Forecast>,
    /// In order.
    pub steps: Vec<Step>,
}

/// The operations that have a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Move the master while it lives.
    Switch,
    /// Let a node replicate from the master, or the master from its standby.
    Activate,
    /// Let a node forget its source.
    Detach,
    /// Stop a replica's replication, or make the master read-only.
    Pause,
    /// Take a pause back.
    Resume,
    /// Open a master that came back read-only from a restart.
    Reopen,
    /// Bring the settings of semi-synchronous replication in line with the roles.
    SemiSync,
    /// Replace the data of a replica by a copy of another member's.
    Clone,
}

/// What a switch puts first (seed 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The old master is frozen before the new one is opened: nothing is lost, nothing diverges,
    /// and for a moment nobody can write.
    #[default]
    Reliability,
    /// The new master is opened before the old one is frozen: somebody can always write, and for a
    /// moment two can. What both wrote may contradict.
    Availability,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reliability => "reliability",
            Self::Availability => "availability",
        })
    }
}

/// A text that names no strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a strategy; write reliability or availability")]
pub struct InvalidStrategy(String);

impl std::str::FromStr for Strategy {
    type Err = InvalidStrategy;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given {
            "reliability" => Ok(Self::Reliability),
            "availability" => Ok(Self::Availability),
            _ => Err(InvalidStrategy(given.to_owned())),
        }
    }
}

/// What a switch is planned by, besides intent and settings: what was just seen.
#[derive(Debug, Clone)]
pub struct SwitchFacts<'a> {
    /// The master it moves.
    pub from: &'a NodeId,
    /// Where to.
    pub to: &'a NodeId,
    /// What the master had executed when it was looked at.
    pub executed: &'a crate::GtidSet,
    /// The scheduled events that are enabled on the master.
    pub events: &'a [EventName],
    /// The other replicas that were seen to receive from it, and are not to stand still.
    pub receiving: BTreeSet<&'a NodeId>,
    /// How many of these tell it so (semi-synchronous replication).
    pub acknowledging: usize,
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Switch => "switch",
            Self::Activate => "activate",
            Self::Detach => "detach",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Reopen => "reopen",
            Self::SemiSync => "semi-sync",
            Self::Clone => "clone",
        })
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Before the pivot.
    Try {
        /// What is done.
        act: Act,
        /// What takes it back, whether or not it is known to have been done.
        undo: Option<Action>,
    },
    /// The pivot.
    Commit(Commit),
    /// After the pivot.
    Must {
        /// What is done; never a hold.
        act: Act,
        /// Whether it may be given up after some attempts, and reported.
        optional: bool,
    },
}

/// What a step before the pivot does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Ask the proxies to hold new connections, and wait for their word.
    Hold {
        /// For the word, at most.
        acknowledge: Millis,
        /// How long they hold at most.
        limit: Millis,
    },
    /// Wait until the node has executed what the freeze saw.
    CatchUp {
        /// Which node.
        node: NodeId,
        /// At most.
        limit: Millis,
    },
    /// Something done to a server.
    Server(Action),
}

/// What the pivot makes true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The new epoch; higher than the old one wherever the master changes.
    pub epoch: Epoch,
    /// Every member's role from now on.
    pub roles: BTreeMap<NodeId, Role>,
    /// Whether the master replicates from the standby from now on.
    pub mutual: bool,
    /// The members that are to stand still from now on.
    #[serde(default)]
    pub paused: BTreeSet<NodeId>,
    /// The member whose data count as gone from now on.
    #[serde(default)]
    pub rebuilt: Option<Rebuilt>,
}

/// A member that is going to be a copy of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Its address.
    pub node: NodeId,
    /// Who answers there: a copy takes the data over, and leaves the server who it is.
    pub identity: Identity,
}

impl Commit {
    /// Makes true what is so already: what a plan's own commit differs from.
    pub fn unchanged(intent: &Intent) -> Self {
        Self {
            epoch: intent.epoch,
            roles: intent
                .members
                .iter()
                .map(|(node, member)| (node.clone(), member.role))
                .collect(),
            mutual: intent.mutual,
            paused: intent.paused().cloned().collect(),
            rebuilt: None,
        }
    }

    /// The master from now on.
    pub fn master(&self) -> Option<&NodeId> {
        self.roles.iter().find(|(_, role)| **role == Role::Master).map(|(node, _)| node)
    }
}

impl Plan {
    /// A plan that moves no master.
    fn of_one_node(kind: OperationKind, node: &NodeId, steps: Vec<Step>) -> Self {
        let strategy = Strategy::default();
        Self { kind, from: None, to: node.clone(), strategy, forecast: None, steps }
    }
}

impl Step {
    /// Before the pivot, something done to a server.
    pub(crate) fn attempt(action: Action, undo: Option<Action>) -> Self {
        Self::Try { act: Act::Server(action), undo }
    }

    /// After the pivot, something done to a server until it is done.
    fn must(action: Action) -> Self {
        Self::Must { act: Act::Server(action), optional: false }
    }

    /// After the pivot, something done to a server that may be given up.
    pub(crate) fn should(action: Action) -> Self {
        Self::Must { act: Act::Server(action), optional: true }
    }

    /// The action on a server that it is, if it is one.
    pub fn action(&self) -> Option<&Action> {
        match self {
            Self::Try { act: Act::Server(action), .. }
            | Self::Must { act: Act::Server(action), .. } => Some(action),
            _ => None,
        }
    }
}

impl Act {
    /// Whether it changes a server.
    pub fn changes_server(&self) -> bool {
        match self {
            Self::Hold { .. } | Self::CatchUp { .. } => false,
            Self::Server(action) => action.changes_server(),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold { acknowledge, .. } => {
                write!(f, "ask the proxies to hold new connections (wait at most {acknowledge})")
            }
            Self::CatchUp { node, limit } => {
                write!(f, "wait until {node} has executed all of it (at most {limit})")
            }
            Self::Server(action) => action.fmt(f),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Try { act, .. } | Self::Must { act, .. } => act.fmt(f),
            Self::Commit(commit) => {
                write!(f, "commit: ")?;
                match commit.master() {
                    Some(master) => write!(f, "{master} is the master"),
                    None => f.write_str("there is no master"),
                }?;
                write!(f, " of epoch {}", commit.epoch)?;
                for node in &commit.paused {
                    write!(f, ", {node} stands still")?;
                }
                match &commit.rebuilt {
                    Some(Rebuilt { node, .. }) => write!(f, ", the data of {node} are given up"),
                    None => Ok(()),
                }
            }
        }
    }
}
