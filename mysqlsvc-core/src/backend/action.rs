//! Actions as values: what plans are made of and journals hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EventName, Obstacle, SemiSyncPart, Stand, Start};
use crate::{GtidSet, Millis, NodeId};

/// One thing done to one server; the methods of [`super::ReplicationBackend`] say what each means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the arguments of the method of the same name")]
pub enum Action {
    /// [`super::ReplicationBackend::freeze`].
    Freeze { node: NodeId, limit: Millis, spare: Vec<String> },
    /// [`super::ReplicationBackend::thaw`].
    Thaw { node: NodeId },
    /// [`super::ReplicationBackend::close`].
    Close { node: NodeId },
    /// [`super::ReplicationBackend::await_executed`].
    AwaitExecuted { node: NodeId, position: GtidSet, limit: Millis },
    /// [`super::ReplicationBackend::open`].
    Open { node: NodeId },
    /// [`super::ReplicationBackend::follow`].
    ///
    /// By position, `from` is put in when the step is done, save where it is taken back: then it is
    /// in the plan.
    Follow {
        node: NodeId,
        source: NodeId,
        manner: FollowManner,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Start>,
    },
    /// [`super::ReplicationBackend::forget_source`].
    ForgetSource { node: NodeId },
    /// [`super::ReplicationBackend::kill_clients`].
    KillClients { node: NodeId, spare: Vec<String> },
    /// [`super::ReplicationBackend::await_quiet`].
    AwaitQuiet { node: NodeId, limit: Millis },
    /// [`super::ReplicationBackend::open_beside`].
    OpenBeside { node: NodeId },
    /// [`super::ReplicationBackend::stop_replication`].
    StopReplication { node: NodeId },
    /// [`super::ReplicationBackend::start_replication`].
    StartReplication { node: NodeId },
    /// [`super::ReplicationBackend::set_semi_sync`].
    SetSemiSync { node: NodeId, part: SemiSyncPart },
    /// [`super::ReplicationBackend::enable_events`].
    EnableEvents { node: NodeId, events: Vec<EventName> },
    /// [`super::ReplicationBackend::disable_events`].
    DisableEvents { node: NodeId, events: Vec<EventName> },
    /// [`super::ReplicationBackend::copy_from`].
    CopyFrom { node: NodeId, donor: NodeId },
}

impl Action {
    /// The server it is done to.
    pub fn node(&self) -> &NodeId {
        match self {
            Self::Freeze { node, .. }
            | Self::Thaw { node }
            | Self::Close { node }
            | Self::AwaitExecuted { node, .. }
            | Self::Open { node }
            | Self::Follow { node, .. }
            | Self::ForgetSource { node }
            | Self::KillClients { node, .. }
            | Self::AwaitQuiet { node, .. }
            | Self::OpenBeside { node }
            | Self::StopReplication { node }
            | Self::StartReplication { node }
            | Self::SetSemiSync { node, .. }
            | Self::EnableEvents { node, .. }
            | Self::DisableEvents { node, .. }
            | Self::CopyFrom { node, .. } => node,
        }
    }

    /// Whether it changes the server, so that a record must be durable before it leaves.
    pub fn changes_server(&self) -> bool {
        !matches!(self, Self::AwaitExecuted { .. } | Self::AwaitQuiet { .. })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Freeze { node, limit, .. } => {
                write!(f, "freeze {node}: read-only, end its clients (at most {limit})")
            }
            Self::Thaw { node } => write!(f, "thaw {node}: let it be written again"),
            Self::Close { node } => write!(f, "make {node} read-only"),
            Self::AwaitExecuted { node, limit, .. } => {
                write!(f, "wait until {node} has executed everything (at most {limit})")
            }
            Self::Open { node } => {
                write!(f, "open {node}: stop its replication, let it be written")
            }
            Self::Follow { node, source, from, .. } => {
                write!(f, "let {node} replicate from {source}")?;
                from.as_ref().map_or(Ok(()), |from| write!(f, " at {}", from.at))
            }
            Self::ForgetSource { node } => write!(f, "let {node} forget its source"),
            Self::KillClients { node, .. } => write!(f, "end client sessions left on {node}"),
            Self::AwaitQuiet { node, limit } => {
                write!(f, "wait for what a freeze of {node} would break (at most {limit})")
            }
            Self::OpenBeside { node } => {
                write!(f, "open {node} while it goes on replicating")
            }
            Self::StopReplication { node } => write!(f, "stop the replication of {node}"),
            Self::StartReplication { node } => write!(f, "start the replication of {node}"),
            Self::SetSemiSync { node, part } => write!(f, "semi-sync on {node}: {part}"),
            Self::EnableEvents { node, events } => {
                write!(f, "enable {} scheduled events on {node}", events.len())
            }
            Self::DisableEvents { node, events } => {
                write!(f, "disable {} scheduled events on {node}", events.len())
            }
            Self::CopyFrom { node, donor } => {
                write!(f, "replace the data of {node} by a copy of {donor}")
            }
        }
    }
}

/// What an action that was done has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Nothing worth a record.
    Nothing,
    /// The frozen server's executed set (the G of DESIGN 4).
    Position(GtidSet),
    /// Where a server stands that has executed what was waited for, by position.
    Stands(Stand),
    /// What a server has executed whose data were replaced by a copy.
    Copied(GtidSet),
    /// How many client sessions were ended.
    Killed(u32),
    /// What is left open, and is rolled back by the freeze that follows.
    Interrupts(Vec<Obstacle>),
    /// Which proxies said that they hold, and which were waited for in vain.
    Held {
        /// By their id.
        acknowledged: Vec<String>,
        /// By their id.
        missing: Vec<String>,
    },
}

/// What a server is while it follows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowManner {
    /// A replica: it is made read-only first, and a former master's own position is taken over.
    Replica,
    /// The master of a mutual pair, which goes on taking writes: `read_only` is left as it is.
    Mutual,
}

/// The mark that our statements carry as a comment: which operation sent them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// What every tag of ours begins with, whichever operation and monitor made it.
    pub const PREFIX: &'static str = "mysqlsvc:";

    /// The tag of an operation.
    pub fn new(operation: crate::OperationId) -> Self {
        Self(format!("{}{operation}", Self::PREFIX))
    }

    /// The text between the comment marks; no quoting is needed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
