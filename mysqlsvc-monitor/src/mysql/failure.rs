//! Why an action did not end well, before it is known which action on which node it was.

use mysqlsvc_core::ActionErrorKind;

use super::fault::Fault;

/// What an action hands to the backend, which adds who and what to make it an `ActionError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ActionErrorKind,
    pub(super) detail: String,
}

#[expect(clippy::needless_pass_by_value, reason = "made to be handed to map_err")]
impl Failure {
    pub(super) fn new(kind: ActionErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Of an action that has sent, or was about to send, what changes the server.
    pub(super) fn of_change(fault: Fault) -> Self {
        Self::new(fault.kind_of_change(), fault.to_string())
    }

    /// Of an action that has changed nothing so far.
    pub(super) fn of_question(fault: Fault) -> Self {
        Self::new(fault.kind_of_question(), fault.to_string())
    }

    /// Of an action that has changed something already, whatever went wrong then.
    pub(super) fn half_way(fault: Fault) -> Self {
        Self::new(ActionErrorKind::Unknown, fault.to_string())
    }

    pub(super) fn unknown(detail: impl Into<String>) -> Self {
        Self::new(ActionErrorKind::Unknown, detail)
    }

    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self::new(ActionErrorKind::Refused, detail)
    }
}
