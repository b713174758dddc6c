//! Why a call gave nothing.

use std::time::Duration;

use crate::client::MonitorUrl;
use crate::wire::Problem;

/// A call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The monitor refused, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The connection failed. A change may or may not have been made.
    #[error("cannot call the monitor {monitor}: {reason}; is monitord running there?")]
    Unreachable {
        /// Who was called.
        monitor: MonitorUrl,
        /// What was seen.
        reason: String,
    },
    /// No whole answer in time. A change may or may not have been made.
    #[error("the monitor {monitor} did not answer within {limit:?}")]
    TimedOut {
        /// Who was called.
        monitor: MonitorUrl,
        /// How long it had.
        limit: Duration,
    },
    /// Something answered, but not as a monitor does.
    #[error("{monitor} answered {status}, which is not understood ({reason}): {excerpt}")]
    NotUnderstood {
        /// Who was called.
        monitor: MonitorUrl,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer.
        reason: String,
        /// How it begins.
        excerpt: String,
    },
    /// The token cannot be sent: it has characters a header may not have.
    #[error("the token has characters that cannot be sent; it must be one line of ASCII")]
    BadToken,
}

impl ApiError {
    /// The problem the monitor named, if it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}
