//! Why a server could not be used.

use std::io;
use std::time::Duration;

/// One attempt at one server failed; another one may do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// This host has no descriptor left for one more socket: no target's fault, and no other
    /// target would do.
    #[error("no file descriptor is left for one more connection: {0}")]
    OutOfFiles(#[source] io::Error),
    /// Refused, unreachable, name unknown, reset.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// No connection in time.
    #[error("no connection within {limit:?}")]
    ConnectTimeout {
        /// The limit that passed.
        limit: Duration,
    },
    /// Connected, but no whole greeting came in time.
    #[error("connected, but it sent no greeting within {limit:?}")]
    Silent {
        /// The limit that passed.
        limit: Duration,
    },
    /// It closed the connection before its greeting.
    #[error("connected, but it closed the connection before its greeting")]
    Closed,
    /// The connection broke before the greeting.
    #[error("connected, but reading its greeting failed: {0}")]
    Read(#[source] io::Error),
    /// It said that it will not serve, or something that is no greeting.
    #[error("connected, but {reason}")]
    Refused {
        /// What it said, for the log.
        reason: String,
    },
}

impl DialError {
    /// What became of an attempt to open a socket, resolve a name or connect.
    pub(super) fn of_connecting(error: io::Error) -> Self {
        /// The process's limit and the system's, as every Unix numbers them.
        const EMFILE: i32 = 24;
        const ENFILE: i32 = 23;
        match error.raw_os_error() {
            Some(EMFILE | ENFILE) => Self::OutOfFiles(error),
            _ => Self::Connect(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_that_have_run_out_are_not_the_targets_fault() {
        for (errno, is_ours) in [(24, true), (23, true), (111, false), (113, false)] {
            let error = DialError::of_connecting(io::Error::from_raw_os_error(errno));
            assert_eq!(matches!(error, DialError::OutOfFiles(_)), is_ours, "{error}");
        }
    }
}
