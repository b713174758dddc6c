//! Who is to hold, and whose word there is.

use std::collections::BTreeSet;

use mysqlsvc_core::{OperationId, driver::HoldReport};

use super::{AckToken, PublishedHold};

/// Who is to hold, and who does, for the hold that was published last.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub(super) operation: OperationId,
    token: AckToken,
    expected: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
}

/// A proxy's word that it holds.
#[derive(Debug, Clone)]
pub struct Acknowledgement {
    /// Who says it.
    pub proxy: String,
    /// The operation whose hold it is, as the proxy was told.
    pub operation: OperationId,
    /// The token of the hold, as the proxy was told.
    pub ack_token: AckToken,
    /// Connections that wait at its gate.
    pub held: u64,
    /// Connections made before the gate shut and still alive; they never block a switch.
    pub active: u64,
}

/// Why an acknowledgement does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// No operation asks for a hold now.
    #[error("no hold is under way: it is over, or the route has moved on")]
    NoHold,
    /// Another one does.
    #[error("the hold under way is that of operation {current}")]
    OtherOperation {
        /// Whose hold it is.
        current: OperationId,
    },
    /// It is not what the route said.
    #[error("the ack_token is not that of this hold: hand back the one of the route")]
    WrongToken,
    /// It was not asked, and has no stream.
    #[error("no proxy of this id follows the route of this cluster as a master proxy")]
    UnknownProxy,
}

/// Checks a word, and takes it.
pub(super) fn take(
    holding: Option<&mut Holding>,
    word: &Acknowledgement,
    follows: bool,
) -> Result<(), AckError> {
    let holding = holding.ok_or(AckError::NoHold)?;
    if holding.operation != word.operation {
        return Err(AckError::OtherOperation { current: holding.operation });
    }
    if holding.token != word.ack_token {
        return Err(AckError::WrongToken);
    }
    if !follows && !holding.expected.contains(&word.proxy) {
        return Err(AckError::UnknownProxy);
    }
    holding.acknowledged.insert(word.proxy.clone());
    Ok(())
}

impl Holding {
    pub(super) fn begin(hold: &PublishedHold, expected: BTreeSet<String>) -> Self {
        Self {
            operation: hold.operation,
            token: hold.ack_token,
            expected,
            acknowledged: BTreeSet::new(),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.expected.is_subset(&self.acknowledged)
    }

    pub(super) fn report(&self) -> HoldReport {
        HoldReport {
            acknowledged: self.acknowledged.iter().cloned().collect(),
            missing: self.expected.difference(&self.acknowledged).cloned().collect(),
        }
    }
}
