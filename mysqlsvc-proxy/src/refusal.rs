//! What a client is told when it cannot be served.

use std::io;
use std::time::Duration;

use crate::addr::TargetAddr;
use crate::connect::{DialError, FindError, WaitError};
use crate::gate::GateError;

/// Why a client was turned away. The text is for the log; it may name targets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// As many connections stand as may.
    #[error("{limit} connections stand already, the most that may")]
    TooManyConnections {
        /// The limit.
        limit: usize,
    },
    /// The gate is shut and as many wait as may.
    #[error("{limit} connections wait at the gate already, the most that may")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
    /// The gate stayed shut.
    #[error("the gate stayed shut for {limit:?}")]
    HeldTooLong {
        /// How long a connection waits.
        limit: Duration,
    },
    /// There was nothing to dial.
    #[error("no target was known within {limit:?}")]
    NoTarget {
        /// How long a connection waits.
        limit: Duration,
    },
    /// There is nothing to dial, and as many wait for a target as may.
    #[error("{limit} connections wait for a target already, the most that may")]
    TooManyWait {
        /// The limit.
        limit: usize,
    },
    /// Every attempt failed.
    #[error(
        "none of {attempts} attempts within {limit:?} reached a server; the last, {target}: {last}"
    )]
    Unreachable {
        /// How long a connection waits.
        limit: Duration,
        /// How many there were.
        attempts: u32,
        /// The target of the last.
        target: TargetAddr,
        /// What became of the last.
        last: DialError,
    },
    /// Nothing can be dialled for want of file descriptors.
    #[error("no file descriptor is left for one more connection: {0}")]
    OutOfFiles(#[source] io::Error),
    /// The forwarder is ending.
    #[error("the forwarder is ending")]
    ShuttingDown,
}

/// Puts a refusal into the words of the protocol that is forwarded.
pub trait RefusalMessage: Send + Sync + 'static {
    /// The bytes to send before closing; empty for a bare close.
    fn message(&self, refusal: &Refusal) -> Vec<u8>;
}

/// Says nothing and closes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BareClose;

impl RefusalMessage for BareClose {
    fn message(&self, _: &Refusal) -> Vec<u8> {
        Vec::new()
    }
}

impl From<FindError> for Refusal {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NoTarget => Self::NoTarget { limit: Duration::ZERO },
            FindError::OutOfFiles(error) => Self::OutOfFiles(error),
            FindError::Unreachable { limit, attempts, target, last } => {
                Self::Unreachable { limit, attempts, target, last }
            }
        }
    }
}

impl<E: Into<Refusal>> From<GateError<E>> for Refusal {
    fn from(error: GateError<E>) -> Self {
        match error {
            GateError::QueueFull { limit } => Self::QueueFull { limit },
            GateError::HeldTooLong { limit } => Self::HeldTooLong { limit },
            GateError::Inner(inner) => inner.into(),
        }
    }
}

impl From<WaitError> for Refusal {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::NoTarget { limit } => Self::NoTarget { limit },
            WaitError::RoomFull { limit } => Self::TooManyWait { limit },
            WaitError::Inner(inner) => inner.into(),
        }
    }
}
