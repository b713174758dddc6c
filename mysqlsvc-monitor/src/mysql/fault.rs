//! What can go wrong between a text sent and its answer, and what may be concluded from it.

use std::time::Duration;

use mysql_async::{DriverError, Error, IoError};
use mysqlsvc_core::{ActionErrorKind, LookError};

/// A text that was not answered as hoped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// No session came about; nothing was sent.
    #[error("cannot connect: {detail}")]
    Unreachable { detail: String },
    /// No session came about within the limit; nothing was sent.
    #[error("no session within {limit:?}")]
    SlowConnect { limit: Duration },
    /// The session ended after the text was sent.
    #[error("connection lost: {detail}")]
    Lost { detail: String },
    /// The text was sent; no answer came within the limit.
    #[error("no answer within {limit:?}")]
    Late { limit: Duration },
    /// The server said no to one statement; `done` statements before it were carried out.
    #[error("{message} (error {code})")]
    Server { code: u16, message: String, done: usize },
    /// It answered, but is no server that we know how to work.
    #[error("{detail}")]
    Unsupported { detail: String },
    /// It answered something that we cannot read.
    #[error("answer not understood: {detail}")]
    Unreadable { detail: String },
}

/// Server error numbers, by the names that both manuals give them.
pub(super) mod code {
    pub(in super::super) const SERVER_SHUTDOWN: u16 = 1053;
    /// What a missing right is told by; the last one is MySQL's answer to XA RECOVER.
    pub(in super::super) const OF_MISSING_RIGHTS: [u16; 4] =
        [1044, TABLE_ACCESS_DENIED, 1227, 1401];
    pub(in super::super) const EVENT_DOES_NOT_EXIST: u16 = 1539;
    pub(in super::super) const EVENT_CANNOT_ALTER_IN_THE_PAST: u16 = 1589;
    pub(in super::super) const NO_SUCH_THREAD: u16 = 1094;
    pub(in super::super) const KILL_DENIED: u16 = 1095;
    pub(in super::super) const TABLE_ACCESS_DENIED: u16 = 1142;
    pub(in super::super) const UNKNOWN_VARIABLE: u16 = 1193;
    pub(in super::super) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    /// "Subquery returns more than 1 row": no text of ours has such but a fence.
    pub(in super::super) const FENCED: u16 = 1242;
    pub(in super::super) const QUERY_INTERRUPTED: u16 = 1317;
    /// MySQL: "mysqld is not managed by supervisor process", when it has cloned and shuts down.
    pub(in super::super) const RESTART_UNSUPERVISED: u16 = 3707;
    /// MySQL, of a change of source: a replica with several appliers was killed, and has not told
    /// yet where it is.
    pub(in super::super) const GAPS: u16 = 1802;
    /// SHOW BINLOG EVENTS: no event begins there, or there is no such file.
    pub(in super::super) const NO_SUCH_PLACE: u16 = 1220;
    pub(in super::super) const CONNECTION_KILLED: u16 = 1927;
    pub(in super::super) const GTID_POSITION_CONFLICTS: u16 = 1947;
    pub(in super::super) const CLIENT_INTERACTION_TIMEOUT: u16 = 4031;
}

impl Fault {
    pub(super) fn unreadable(detail: impl Into<String>) -> Self {
        Self::Unreadable { detail: detail.into() }
    }

    /// From the driver, while a session was being made.
    pub(super) fn connecting(error: Error) -> Self {
        match error {
            Error::Server(said) => Self::Server { code: said.code, message: said.message, done: 0 },
            Error::Driver(
                error @ (DriverError::CantParseServerVersion { .. }
                | DriverError::UnknownAuthPlugin { .. }
                | DriverError::MysqlOldPasswordDisabled
                | DriverError::CleartextPluginDisabled),
            ) => Self::Unsupported { detail: error.to_string() },
            Error::Driver(
                error @ (DriverError::UnexpectedPacket { .. } | DriverError::PacketOutOfOrder),
            ) => {
                Self::Unsupported { detail: format!("it does not speak MySQL's protocol: {error}") }
            }
            // How the driver wraps packets that are none: the system has no errors of this kind.
            Error::Io(IoError::Io(error)) if error.kind() == std::io::ErrorKind::Other => {
                Self::Unsupported { detail: format!("it does not speak MySQL's protocol: {error}") }
            }
            Error::Io(IoError::Io(error)) => Self::Unreachable { detail: error.to_string() },
            other => Self::Unreachable { detail: other.to_string() },
        }
    }

    /// From the driver, after `done` statements of a text.
    pub(super) fn running(error: Error, done: usize) -> Self {
        match error {
            Error::Server(said) if said.code == code::FENCED => Self::Server {
                code: said.code,
                message: "the server got it after its time, by the server's clock, and did not \
                          carry it out"
                    .to_owned(),
                done,
            },
            Error::Server(said) => Self::Server { code: said.code, message: said.message, done },
            other => Self::Lost { detail: other.to_string() },
        }
    }

    /// Whether the session is gone, or was ended under us, so that a new one may do better.
    pub(super) fn ended_session(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Server { code, .. } => matches!(
                *code,
                code::SERVER_SHUTDOWN | code::CONNECTION_KILLED | code::CLIENT_INTERACTION_TIMEOUT
            ),
            _ => false,
        }
    }

    pub(super) fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Server { code, .. } if *code == wanted)
    }

    /// The same with the server's words changed by `edit`.
    pub(super) fn map_text(self, edit: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Server { code, message, done } => {
                Self::Server { code, message: edit(&message), done }
            }
            other => other,
        }
    }

    /// What a look concludes.
    pub(super) fn into_look_error(self) -> LookError {
        match self {
            Self::Unreachable { detail } | Self::Lost { detail } => {
                LookError::Unreachable { detail }
            }
            Self::SlowConnect { limit } | Self::Late { limit } => {
                LookError::Hung { limit: limit.into() }
            }
            Self::Server {
                code: code::SERVER_SHUTDOWN | code::CONNECTION_KILLED, message, ..
            } => LookError::Unreachable { detail: message },
            // The server lives and says why it will not have us: never a dead server.
            said @ Self::Server { .. } => LookError::Refused { detail: said.to_string() },
            Self::Unsupported { detail } | Self::Unreadable { detail } => {
                LookError::Unsupported { detail }
            }
        }
    }

    /// What an action concludes that sent statements which change the server.
    pub(super) fn kind_of_change(&self) -> ActionErrorKind {
        match self {
            Self::Unreachable { .. }
            | Self::SlowConnect { .. }
            | Self::Server { code: code::FENCED, done: 0, .. } => ActionErrorKind::Unreachable,
            Self::Server {
                code:
                    code::SERVER_SHUTDOWN
                    | code::CONNECTION_KILLED
                    | code::QUERY_INTERRUPTED
                    | code::FENCED
                    | code::CLIENT_INTERACTION_TIMEOUT,
                ..
            }
            | Self::Lost { .. }
            | Self::Late { .. }
            | Self::Unreadable { .. } => ActionErrorKind::Unknown,
            Self::Server { .. } | Self::Unsupported { .. } => ActionErrorKind::Refused,
        }
    }

    /// What an action concludes that only asked: whatever came of it, nothing was changed.
    pub(super) fn kind_of_question(&self) -> ActionErrorKind {
        match self {
            _ if self.ended_session() => ActionErrorKind::Unreachable,
            Self::Server { .. } | Self::Unsupported { .. } | Self::Unreadable { .. } => {
                ActionErrorKind::Refused
            }
            _ => ActionErrorKind::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u16) -> Fault {
        Fault::Server { code, message: String::new(), done: 0 }
    }

    #[test]
    fn a_server_that_shuts_down_has_refused_nothing() {
        assert_eq!(said(code::SERVER_SHUTDOWN).kind_of_question(), ActionErrorKind::Unreachable);
        assert_eq!(said(code::SERVER_SHUTDOWN).kind_of_change(), ActionErrorKind::Unknown);
        let denied = said(code::TABLE_ACCESS_DENIED);
        assert_eq!(denied.kind_of_question(), ActionErrorKind::Refused);
    }
}
