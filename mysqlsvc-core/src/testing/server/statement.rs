//! The statements that the model understands, and those that wait on a server.

use std::fmt;

use crate::{
    NodeId, ReadOnly, Tag,
    backend::{EventName, FollowManner, SemiSyncPart},
    gtid::Coordinate,
};

/// What is sent to a model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::testing) enum Statement {
    /// KILL of every statement of ours that still waits there.
    KillTagged,
    SetReadOnly(ReadOnly),
    /// FLUSH TABLES WITH READ LOCK; gone with its connection.
    LockAllTables,
    UnlockTables,
    /// KILL of client connections; `everyone` includes those with all rights.
    KillClients {
        spare: Vec<String>,
    },
    StopReplication,
    ChangeSource {
        source: NodeId,
        manner: FollowManner,
        /// By position: from where.
        at: Option<Coordinate>,
    },
    StartReplication,
    StartReceiving,
    StopReceiving,
    ResetSource,
    SetSemiSync(SemiSyncPart),
    EnableEvents(Vec<EventName>),
    DisableEvents(Vec<EventName>),
    /// The data are dropped, and what the server says to have executed is left as it is.
    DropData,
    /// Other data take their place, and the server boots with them.
    TakeData {
        donor: NodeId,
    },
    /// Reads, which change nothing.
    ReadVariables,
    ReadPosition,
    ReadStand,
    ReadReplication,
    ReadObstacles,
}

impl Statement {
    pub(in crate::testing) fn changes_server(&self) -> bool {
        !matches!(
            self,
            Self::ReadVariables
                | Self::ReadPosition
                | Self::ReadStand
                | Self::ReadReplication
                | Self::ReadObstacles
        )
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillTagged => f.write_str("KILL tagged statements"),
            Self::SetReadOnly(ReadOnly::Off) => f.write_str("SET read_only=0"),
            Self::SetReadOnly(ReadOnly::On) => f.write_str("SET read_only=1"),
            Self::SetReadOnly(ReadOnly::Super) => f.write_str("SET PERSIST super_read_only=1"),
            Self::LockAllTables => f.write_str("FLUSH TABLES WITH READ LOCK"),
            Self::UnlockTables => f.write_str("UNLOCK TABLES"),
            Self::KillClients { .. } => f.write_str("KILL clients"),
            Self::StopReplication => f.write_str("STOP REPLICA"),
            Self::ChangeSource { source, .. } => write!(f, "CHANGE REPLICATION SOURCE TO {source}"),
            Self::StartReplication => f.write_str("START REPLICA"),
            Self::StartReceiving => f.write_str("START REPLICA IO_THREAD"),
            Self::StopReceiving => f.write_str("STOP REPLICA IO_THREAD"),
            Self::SetSemiSync(part) => write!(f, "SET semi-sync: {part}"),
            Self::EnableEvents(events) => write!(f, "ALTER EVENT ENABLE: {}", events.len()),
            Self::DisableEvents(events) => write!(f, "ALTER EVENT DISABLE: {}", events.len()),
            Self::DropData => f.write_str("CLONE INSTANCE: drop data"),
            Self::TakeData { donor } => write!(f, "CLONE INSTANCE: take data of {donor}"),
            Self::ReadObstacles => f.write_str("read locks and transactions"),
            Self::ResetSource => f.write_str("RESET REPLICA ALL"),
            Self::ReadVariables => f.write_str("read variables"),
            Self::ReadPosition => f.write_str("read position"),
            Self::ReadStand => f.write_str("SHOW REPLICA STATUS, SHOW BINARY LOG STATUS"),
            Self::ReadReplication => f.write_str("SHOW REPLICA STATUS"),
        }
    }
}

/// A statement whose client is gone, and which the server may yet carry out.
#[derive(Debug, Clone)]
pub(in crate::testing) struct Waiting {
    pub(in crate::testing) tag: Tag,
    pub(in crate::testing) statement: Statement,
    pub(in crate::testing) until: Until,
}

/// What a waiting statement waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::testing) enum Until {
    /// The LOCK TABLES to go.
    Unlocked,
    /// The server to run again.
    Resumed,
    /// The backend's call of this number.
    Call(u64),
}

/// What a server says no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::testing) struct ServerError {
    pub(in crate::testing) errno: u32,
    pub(in crate::testing) text: String,
}

impl ServerError {
    pub(in crate::testing) const LOCK_WAIT_TIMEOUT: u32 = 1205;

    pub(in crate::testing) fn new(errno: u32, text: impl Into<String>) -> Self {
        Self { errno, text: text.into() }
    }

    pub(in crate::testing) fn lock_wait_timeout() -> Self {
        Self::new(Self::LOCK_WAIT_TIMEOUT, "Lock wait timeout exceeded: a client holds LOCK TABLES")
    }
}
