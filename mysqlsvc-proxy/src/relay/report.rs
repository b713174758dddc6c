//! How a relay ended.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use super::direction::End;

/// One of the two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who connected to us.
    Client,
    /// Whom we connected to.
    Server,
}

/// Why a relay ended: what was seen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side ended its bytes, and the other followed.
    Closed(Side),
    /// The connection to this side broke.
    Failed(Side, ErrorKind),
    /// This side ended its bytes, and the other did not follow in time.
    HalfClosed(Side),
    /// [`Link::cut`](super::Link::cut) was cancelled.
    Cut,
}

/// What there is to say of one relayed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayReport {
    /// Why it ended.
    pub reason: CloseReason,
    /// Bytes delivered to the server.
    pub to_server: u64,
    /// Bytes delivered to the client, those read with the greeting included.
    pub to_client: u64,
    /// How long it was relayed.
    pub lasted: Duration,
}

impl CloseReason {
    /// The reason when the other side did not follow.
    pub(super) fn lingered(self) -> Self {
        match self {
            Self::Closed(side) => Self::HalfClosed(side),
            other => other,
        }
    }
}

/// The reason told by whichever direction has ended; the server's, where both have.
pub(super) fn first_end(up: Option<End>, down: Option<End>) -> Option<CloseReason> {
    match (up, down) {
        (_, Some(End::ReaderEnded)) => Some(CloseReason::Closed(Side::Server)),
        (_, Some(End::ReaderBroke(kind))) | (Some(End::WriterBroke(kind)), _) => {
            Some(CloseReason::Failed(Side::Server, kind))
        }
        (Some(End::ReaderEnded), _) => Some(CloseReason::Closed(Side::Client)),
        (Some(End::ReaderBroke(kind)), _) | (_, Some(End::WriterBroke(kind))) => {
            Some(CloseReason::Failed(Side::Client, kind))
        }
        (None, None) => None,
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(side) => write!(f, "closed by the {side}"),
            Self::Failed(side, kind) => write!(f, "the {side}'s connection broke: {kind}"),
            Self::HalfClosed(side) => write!(f, "closed by the {side}, the other did not follow"),
            Self::Cut => f.write_str("cut by the end of the forwarder"),
        }
    }
}
