//! Why an action was not done, or may not have been.

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// An action that did not end well. It is journalled, hence plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{node}: {action}: {kind}: {detail}")]
pub struct ActionError {
    /// The server.
    pub node: NodeId,
    /// What was tried, for people.
    pub action: String,
    /// What the engine decides by.
    pub kind: ActionErrorKind,
    /// The server's own words, and what to do.
    pub detail: String,
}

/// What may be concluded from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionErrorKind {
    /// No connection could be made: nothing was sent.
    #[error("unreachable")]
    Unreachable,
    /// The server said no, and nothing was changed.
    #[error("refused by the server")]
    Refused,
    /// What was waited for did not come within the limit; nothing was changed.
    #[error("behind")]
    Behind,
    /// Something under way there did not end within the limit; nothing was changed.
    #[error("obstructed")]
    Obstructed,
    /// We did not send it: it would have erased the last copy of a transaction.
    #[error("not sent, for safety")]
    Unsafe,
    /// It may have taken effect, may yet, or not at all.
    #[error("outcome unknown")]
    Unknown,
}
