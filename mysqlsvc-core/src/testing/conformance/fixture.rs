//! What the suite needs of the servers besides the backend under test.

use async_trait::async_trait;

use crate::{Millis, NodeId};

/// Two servers, a writable master and a replica that follows it, and a way to them that is not the
/// backend's own.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The server that is writable when the suite begins, and again when it ends.
    fn master(&self) -> &NodeId;

    /// The server that follows it when the suite begins, and again when it ends.
    fn replica(&self) -> &NodeId;

    /// An address where nothing listens.
    fn nowhere(&self) -> NodeId;

    /// The user that [`Self::write`] and [`Self::connect`] log in as; an ordinary one.
    fn application(&self) -> &str;

    /// Writes one row over a new connection; the error is the server's own words.
    async fn write(&self, node: &NodeId) -> Result<(), String>;

    /// How many rows [`Self::write`] has left on a server.
    async fn count_rows(&self, node: &NodeId) -> Result<u64, String>;

    /// Opens a connection of the application and keeps it.
    async fn connect(&self, node: &NodeId) -> Result<Box<dyn Client>, String>;

    /// Opens a connection of the application that holds LOCK TABLES on a table which
    /// [`Self::write`] does not use; none where that cannot be had.
    async fn lock(&self, node: &NodeId) -> Option<Box<dyn Client>>;

    /// Stops the replica's applying thread, as an administrator would.
    async fn stop_applier(&self, node: &NodeId) -> Result<(), String>;

    /// Starts it again.
    async fn start_applier(&self, node: &NodeId) -> Result<(), String>;

    /// How replication is set on a server; what cannot be seen is none, and not checked.
    async fn channel_settings(&self, _node: &NodeId) -> ChannelSettings {
        ChannelSettings::default()
    }

    /// Lets a moment pass between two looks: 20 ms or so of real time; a model moves its data.
    async fn moment(&self);
}

/// A client's connection.
#[async_trait]
pub trait Client: Send {
    /// Whether the server still answers on it.
    async fn is_alive(&mut self) -> bool;

    /// Ends it, and with it its locks.
    async fn close(self: Box<Self>);
}

/// How a replica was told to replicate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// A silent source sends a heartbeat this often.
    pub heartbeat: Option<Millis>,
    /// After this long without anything a source counts as gone.
    pub net_timeout: Option<Millis>,
    /// The time between two attempts to connect.
    pub connect_retry: Option<Millis>,
    /// Whether attempts ever end.
    pub retries_end: Option<bool>,
}
