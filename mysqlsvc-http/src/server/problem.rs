//! Errors as problem documents: one table from reasons to kinds, one from kinds to status codes.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mysqlsvc_core::engine::{Reason, Refusal};
use mysqlsvc_monitor::{cluster::AskError, publish::AckError};

use crate::wire::{PROBLEM_CONTENT_TYPE, Problem};

/// The kinds of problems. Their `type` is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Malformed,
    ForeignOrigin,
    ForeignHost,
    NoSuchPath,
    UnknownCluster,
    UnknownNode,
    UnknownOperation,
    UnknownProxy,
    MethodNotAllowed,
    NotAllowed,
    OperationFailed,
    NoSuchHold,
    TooLarge,
    NotJson,
    Preflight,
    Unreachable,
    Unavailable,
}

impl Kind {
    /// Status, last part of `type`, title.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "Malformed request"),
            Self::ForeignOrigin => {
                (StatusCode::FORBIDDEN, "foreign-origin", "Request of another site")
            }
            Self::ForeignHost => {
                (StatusCode::FORBIDDEN, "foreign-host", "Not a name of this service")
            }
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no-such-path", "No such path"),
            Self::UnknownCluster => (StatusCode::NOT_FOUND, "unknown-cluster", "Unknown cluster"),
            Self::UnknownNode => (StatusCode::NOT_FOUND, "unknown-node", "Unknown node"),
            Self::UnknownOperation => {
                (StatusCode::NOT_FOUND, "unknown-operation", "Unknown operation")
            }
            Self::UnknownProxy => (StatusCode::NOT_FOUND, "unknown-proxy", "Unknown proxy"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::NotAllowed => (StatusCode::CONFLICT, "not-allowed", "Not allowed now"),
            Self::OperationFailed => (StatusCode::CONFLICT, "operation-failed", "Operation failed"),
            Self::NoSuchHold => (StatusCode::CONFLICT, "no-such-hold", "No such hold"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Request too large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "Not JSON"),
            Self::Preflight => {
                (StatusCode::UNPROCESSABLE_ENTITY, "preflight", "Refused by preflight")
            }
            Self::Unreachable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unreachable", "Server not reachable")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Cannot answer now")
            }
        }
    }

    /// What kind a refusal of the engine is: not allowed in this state (409), refused by preflight
    /// (422), unknown (404), or nobody there to ask (503).
    fn of(reason: Reason) -> Self {
        match reason {
            Reason::UnknownNode => Self::UnknownNode,
            Reason::Unfit
            | Reason::IdentityNotDistinct
            | Reason::Incompatible
            | Reason::Errant
            | Reason::Purged
            | Reason::NoPosition
            | Reason::BeyondSource => Self::Preflight,
            Reason::Unreachable => Self::Unreachable,
            Reason::StoreFailed => Self::Unavailable,
            // Busy, the states, what was not confirmed or would take too long, and reasons of the
            // future: nothing was changed, look again.
            _ => Self::NotAllowed,
        }
    }
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure(Box<Problem>);

impl Failure {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, name, title) = kind.row();
        Self(Box::new(Problem {
            kind: format!("/problems/{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            reason: None,
        }))
    }

    /// Bad input: names the field, and what would be right.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(Kind::of(refusal.reason), refusal.detail).because(refusal.reason.to_string())
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            // Nobody can answer now; the error says whether it may yet be done.
            other => Self::new(Kind::Unavailable, other.to_string()),
        }
    }
}

impl From<AckError> for Failure {
    fn from(error: AckError) -> Self {
        let kind = match error {
            AckError::UnknownProxy => Kind::UnknownProxy,
            _ => Kind::NoSuchHold,
        };
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // A document of texts and one number always has a JSON form.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, PROBLEM_CONTENT_TYPE)], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_contracts_status() {
        let table = [
            (Reason::UnknownNode, 404),
            (Reason::Busy, 409),
            (Reason::AlreadyRegistered, 409),
            (Reason::NotRegistered, 409),
            (Reason::RoleTaken, 409),
            (Reason::NoMaster, 409),
            (Reason::NoStandby, 409),
            (Reason::AlreadyMaster, 409),
            (Reason::WrongState, 409),
            (Reason::MasterNotOk, 409),
            (Reason::WritableElsewhere, 409),
            (Reason::NotConfirmed, 409),
            (Reason::OverBudget, 409),
            (Reason::NotApplicable, 409),
            (Reason::Ambiguous, 409),
            (Reason::Unreachable, 503),
            (Reason::Unfit, 422),
            (Reason::IdentityNotDistinct, 422),
            (Reason::Incompatible, 422),
            (Reason::Errant, 422),
            (Reason::Purged, 422),
            (Reason::NoPosition, 422),
            (Reason::BeyondSource, 422),
            (Reason::StoreFailed, 503),
        ];
        for (reason, status) in table {
            let failure = Failure::from(Refusal::new(reason, "detail"));
            assert_eq!(failure.0.status, status, "{reason}");
            assert_eq!(failure.0.reason, Some(reason.to_string()));
        }
    }
}
