//! What can go wrong with a sandbox.

use std::{io, path::PathBuf, time::Duration};

use crate::{
    flavor::{Flavor, Runtime},
    guard::GuardError,
    ports::PortsError,
};

/// Why a sandbox could not be made, steered or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// An option makes no sense; nothing was started.
    #[error("sandbox option {option}: {problem}")]
    Option {
        /// Name of the option as on the command line.
        option: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// This flavour is not run in this way.
    #[error("{flavor} servers are not run as {runtime}: use --runtime {supported}")]
    Unsupported {
        /// The flavour asked for.
        flavor: Flavor,
        /// The runtime asked for.
        runtime: Runtime,
        /// The runtime that works.
        supported: Runtime,
    },
    /// A program is missing and could not be installed.
    #[error("{program} is not installed ({why}); run: {command}")]
    MissingProgram {
        /// The program.
        program: String,
        /// Why it was not installed on the spot.
        why: String,
        /// What installs it.
        command: String,
    },
    /// A file or directory could not be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A helper program failed.
    #[error("{what} failed: {detail}")]
    Command {
        /// What it was to do.
        what: String,
        /// How it ended, with the tail of what it said.
        detail: String,
    },
    /// The docker daemon cannot be used.
    #[error(
        "the docker daemon does not answer ({detail}); start it (`systemctl start docker`, or as \
         root `setsid dockerd &`), and check that this user may use it"
    )]
    DockerUnavailable {
        /// What docker said.
        detail: String,
    },
    /// A server ended while it was starting.
    #[error("server {node} ended while starting ({status}); its error log ends with:\n{log}")]
    ServerEnded {
        /// Number of the node, from 0.
        node: usize,
        /// How it ended.
        status: String,
        /// Tail of its error log.
        log: String,
    },
    /// A server did not let us in within the limit.
    #[error(
        "server {node} was not ready after {waited:?} (last answer: {last}); its error log ends \
         with:\n{log}"
    )]
    NotReady {
        /// Number of the node, from 0.
        node: usize,
        /// How long it was waited for.
        waited: Duration,
        /// The last answer to a connection attempt.
        last: String,
        /// Tail of its error log.
        log: String,
    },
    /// A statement or a connection failed on a running server.
    #[error("{what} on server {node} failed: {detail}")]
    Sql {
        /// Number of the node, from 0.
        node: usize,
        /// What was tried.
        what: &'static str,
        /// What the server or the client said.
        detail: String,
    },
    /// Replication did not come to run within the limit.
    #[error("server {node} does not replicate after {waited:?}: {seen}")]
    Replication {
        /// Number of the node, from 0.
        node: usize,
        /// How long it was waited for.
        waited: Duration,
        /// State of its threads and their last errors.
        seen: String,
    },
    /// A server did not end or did not take a signal.
    #[error("cannot {what} server {node}: {detail}")]
    Control {
        /// Number of the node, from 0.
        node: usize,
        /// What was tried, as a verb.
        what: &'static str,
        /// What was seen.
        detail: String,
    },
    /// There is no such node.
    #[error("no node {node}: the sandbox has nodes 0 to {}", count - 1)]
    NoSuchNode {
        /// The number asked for, from 0.
        node: usize,
        /// How many there are.
        count: usize,
    },
    /// The directory does not hold a sandbox.
    #[error("{} is not a sandbox: {problem}", dir.display())]
    NotASandbox {
        /// The directory.
        dir: PathBuf,
        /// What is missing or unreadable.
        problem: String,
    },
    /// No free ports were found.
    #[error("{0}; name others with --base-port")]
    Ports(#[from] PortsError),
    /// Something of the sandbox could not be removed, or nobody could be found to do so.
    #[error("sandbox: {0}")]
    Guard(#[from] GuardError),
}

impl SandboxError {
    /// Whether the caller asked for something impossible, rather than something failing.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Option { .. } | Self::Unsupported { .. })
    }
}

/// Turns an I/O error into ours, saying what was tried on which path.
pub(crate) fn io_error(
    what: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.into();
    move |source| SandboxError::Io { what, path, source }
}
