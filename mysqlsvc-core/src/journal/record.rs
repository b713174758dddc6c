//! What the journal is made of.

use serde::{Deserialize, Serialize};

use crate::{
    ActionError, GtidSet, Micros, OperationId, WallTime,
    backend::Observed,
    intent::{Change, Waypoint},
    plan::{Commit, Plan},
};

/// A record and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// For people; nothing is decided by it.
    pub at: WallTime,
    /// What happened.
    pub record: Record,
}

/// One durable fact. Which may follow which is said in [`super::Execution`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Intent changed outside of an operation.
    Changed {
        /// What.
        change: Change,
        /// Who asked for it; none where nobody did.
        who: Option<String>,
    },
    /// An operation begins.
    Began {
        /// Its number.
        operation: OperationId,
        /// What it is going to do.
        plan: Plan,
        /// Who asked for it.
        who: String,
    },
    /// A step that changes a server before the pivot is about to be tried.
    Started {
        /// Its place in the plan.
        step: usize,
    },
    /// A step was done.
    Done {
        /// Its place in the plan.
        step: usize,
        /// From sending it to knowing it done.
        took: Micros,
        /// What was seen.
        observed: Observed,
    },
    /// A step before the pivot failed, or may have: unwinding begins.
    Failed {
        /// Its place in the plan.
        step: usize,
        /// Why.
        error: StepError,
    },
    /// The pivot.
    Committed {
        /// Its place in the plan.
        step: usize,
        /// What is true from now on.
        commit: Commit,
        /// What the new master was seen to hold, where the operation moved the master.
        position: Option<GtidSet>,
        /// By position: which places in binary logs are the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waypoints: Vec<Waypoint>,
    },
    /// An optional step after the pivot was given up.
    Skipped {
        /// Its place in the plan.
        step: usize,
        /// Why.
        error: ActionError,
    },
    /// A step was taken back.
    Undone {
        /// Its place in the plan.
        step: usize,
    },
    /// Taking a step back was given up: what it touched is not as it was found, and is named.
    Forsaken {
        /// Its place in the plan.
        step: usize,
        /// Why it could not be taken back.
        error: ActionError,
    },
    /// The operator gave the operation up where it stood; nothing more is done for it.
    Abandoned {
        /// Who.
        who: String,
    },
    /// The operation is over.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// From sending the freeze to knowing the new master open; none where nothing was frozen
        /// or the monitor was restarted between.
        critical_section: Option<Micros>,
        /// From sending the freeze to knowing that some master takes writes again.
        write_unavailable: Option<Micros>,
    },
}

/// Why a step before the pivot failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum StepError {
    /// A server did not do it.
    #[error(transparent)]
    Action(ActionError),
    /// The monitor was restarted while it ran.
    #[error("the monitor was restarted before the operation was committed")]
    Interrupted,
    /// The proxies have stopped holding by themselves: it took too long to be committed.
    #[error("the hold of the proxies ran out before the operation could be committed")]
    HoldExpired,
    /// The journal could not be written, so it was not begun.
    #[error("the journal could not be written: {detail}")]
    Journal {
        /// What the store said.
        detail: String,
    },
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that must be done was done; skipped steps are in the record.
    Succeeded,
    /// The cluster is as it was found, save what is said to be forsaken.
    RolledBack,
    /// The operator gave it up; the cluster is as it was then.
    Abandoned,
}
