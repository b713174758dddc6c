//! A running sandbox and its end.

use std::path::Path;

use mysql_async::{Conn, Opts};

use crate::{
    account::{Account, Accounts},
    builder::SandboxBuilder,
    containers::Containers,
    error::SandboxError,
    flavor::Flavor,
    guard::Guard,
    node::Node,
    processes::Processes,
    record::Description,
    session, wire,
};

/// A handful of servers that are gone when this is.
///
/// Dropping it removes everything as [`Sandbox::down`] does, but blocks the thread meanwhile (a
/// fraction of a second for processes, a few for containers) and only logs what goes wrong.
#[derive(Debug)]
pub struct Sandbox {
    description: Description,
    backend: Backend,
    guard: Guard,
}

/// How the servers are run.
#[derive(Debug)]
pub(crate) enum Backend {
    Processes(Processes),
    Containers(Containers),
}

impl Sandbox {
    /// A sandbox to be, of four MariaDB processes unless told otherwise.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    pub(crate) fn new(description: Description, backend: Backend, guard: Guard) -> Self {
        Self { description, backend, guard }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The servers, in the order of their server ids.
    pub fn nodes(&self) -> &[Node] {
        &self.description.nodes
    }

    /// One server, by its number from 0.
    pub fn node(&self, index: usize) -> Result<&Node, SandboxError> {
        let nodes = self.nodes();
        nodes.get(index).ok_or(SandboxError::NoSuchNode { node: index, count: nodes.len() })
    }

    /// The accounts that every server has.
    pub fn accounts(&self) -> &Accounts {
        &self.description.accounts
    }

    /// The kind of servers.
    pub fn flavor(&self) -> Flavor {
        self.description.flavor
    }

    /// The version that the servers name themselves.
    pub fn version(&self) -> &str {
        &self.description.version
    }

    /// The directory that holds everything; a good place for files that should go with it.
    pub fn dir(&self) -> &Path {
        &self.description.dir
    }

    /// What `sandbox up` prints and `sandbox.json` holds. Contains the passwords.
    pub fn describe(&self) -> &Description {
        &self.description
    }

    /// How to connect to a server by TCP.
    pub fn opts(&self, index: usize, account: &Account) -> Result<Opts, SandboxError> {
        Ok(session::opts(self.node(index)?, account))
    }

    /// A connection to a server, within 10 seconds.
    pub async fn connect(&self, index: usize, account: &Account) -> Result<Conn, SandboxError> {
        session::connect(index, self.node(index)?, account).await
    }

    /// Opens the first server for writes and makes the others replicate from it, by GTID where its
    /// transactions have them, else from where its binary log ends; returns once all do. Meant for
    /// servers that do not replicate yet and hold the same.
    pub async fn wire(&self) -> Result<(), SandboxError> {
        wire::wire(self.flavor(), self.nodes(), self.accounts()).await
    }

    /// Ends the servers and removes everything. Sessions that are still open are cut.
    pub async fn down(self) -> Result<(), SandboxError> {
        Ok(self.guard.remove().await?)
    }

    /// Lets the servers outlive this process; [`crate::take_down`] removes them later.
    pub fn detach(self) -> Result<Description, SandboxError> {
        self.guard.dismiss()?;
        Ok(self.description)
    }
}
