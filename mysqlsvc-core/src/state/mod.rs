//! What a node's state is: derived from intent and look by one pure function, never stored.

mod classify;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::classify::{Expectation, classify};
use crate::{GtidSet, Identity, Millis, NodeId, ReplicationError};

/// The state of a node (seed 1, section 2.2.3; DESIGN 4 has the table).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Does what its role says.
    Ok,
    /// Replicates, but does not have everything.
    Syncing(Syncing),
    /// Registered, and replicates from nobody.
    Detached,
    /// A master that is read-only, or a replica whose threads were both stopped.
    Paused(Pause),
    /// Replicates from a server that is not the master.
    Lost {
        /// Whom it follows.
        source: NodeId,
    },
    /// Cannot do what its role says.
    Error(Trouble),
    /// Not ours to manage.
    Unregistered,
    /// Not looked at yet, since the monitor started.
    Unknown,
}

/// Who stopped a node that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The operator, by `pause`.
    Intended,
    /// Nobody that we know of: it was found so.
    Found,
    /// A master that came back read-only from a restart.
    Restarted,
}

/// Why a replica does not have everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Syncing {
    /// The receiving thread cannot reach the source.
    SourceUnreachable {
        /// Why, in the server's words.
        error: Option<ReplicationError>,
    },
    /// It has not executed what the master had a while ago.
    Behind {
        /// Seconds_Behind_Source.
        lag: Option<Millis>,
        /// What it lacks of the master's set.
        missing: GtidSet,
    },
}

/// Why a node is in ERROR. Only some of these mean that it is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No connection.
    Unreachable {
        /// What was tried and seen.
        detail: String,
    },
    /// No answer in time.
    Hung {
        /// The limit.
        limit: Millis,
    },
    /// The account or its rights were refused; never counts as dead.
    Login {
        /// The server's words.
        detail: String,
    },
    /// Not a server we support.
    Unsupported {
        /// What was seen.
        detail: String,
    },
    /// A different server at an old address.
    Identity {
        /// Who was registered.
        expected: Identity,
        /// Who answered.
        found: Identity,
    },
    /// The same server with fewer transactions than it had: restored, or its data replaced.
    WentBack {
        /// What is gone.
        gone: GtidSet,
    },
    /// Its data were given up for a copy of another server's, and that is not whole.
    CopyDue,
    /// A replica that lets ordinary accounts write.
    Writable,
    /// A replication thread stopped with an error, or one stopped without the other.
    ReplicationBroken {
        /// `I/O thread` or `SQL thread`.
        thread: ReplicationThread,
        /// The server's error; none when it just stopped.
        error: Option<ReplicationError>,
    },
}

/// Which of the two threads of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicationThread {
    /// Receives.
    Io,
    /// Applies.
    Sql,
}

impl NodeState {
    /// The one word that CONTRACTS 3 shows.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Syncing(_) => "SYNCING",
            Self::Detached => "DETACHED",
            Self::Paused(_) => "PAUSED",
            Self::Lost { .. } => "LOST",
            Self::Error(_) => "ERROR",
            Self::Unregistered => "UNREGISTERED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The reason beside the word, where there is one.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Syncing(syncing) => Some(syncing.to_string()),
            Self::Error(trouble) => Some(trouble.to_string()),
            Self::Lost { source } => {
                Some(format!("replicates from {source}, which is not the registered master"))
            }
            Self::Paused(pause) => Some(pause.to_string()),
            Self::Ok | Self::Detached | Self::Unregistered | Self::Unknown => None,
        }
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => write!(f, "{} ({cause})", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intended => "paused by the operator",
            Self::Found => "found so; nobody paused it here",
            Self::Restarted => "read-only since it started",
        })
    }
}

impl fmt::Display for Syncing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceUnreachable { error: Some(error) } => {
                write!(f, "source unreachable: {} {}", error.errno, error.text)
            }
            Self::SourceUnreachable { error: None } => f.write_str("source unreachable"),
            Self::Behind { lag, missing } => {
                f.write_str("behind")?;
                if let Some(lag) = lag {
                    write!(f, " by {lag}")?;
                }
                if !missing.is_empty() {
                    write!(f, ", missing {missing}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { detail } => write!(f, "unreachable: {detail}"),
            Self::Hung { limit } => write!(f, "hung: no answer within {limit}"),
            Self::Login { detail } => write!(f, "login: {detail}"),
            Self::Unsupported { detail } => write!(f, "not supported: {detail}"),
            Self::Identity { expected, found } => {
                write!(f, "identity: another server answers here, {found} instead of {expected}")
            }
            Self::WentBack { gone } => {
                write!(f, "identity: the server has lost transactions it had: {gone}")
            }
            Self::CopyDue => f.write_str(
                "copy due: its data were given up for a copy that is not whole; `clone` it",
            ),
            Self::Writable => f.write_str("writable: a replica that is not read-only"),
            Self::ReplicationBroken { thread, error } => {
                let thread = match thread {
                    ReplicationThread::Io => "I/O thread",
                    ReplicationThread::Sql => "SQL thread",
                };
                match error {
                    Some(error) => {
                        write!(f, "replication broken: {thread}: {} {}", error.errno, error.text)
                    }
                    None => write!(f, "replication broken: {thread} stopped"),
                }
            }
        }
    }
}
