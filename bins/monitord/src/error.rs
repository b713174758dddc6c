//! Why monitord ended, and the exit code for it.

use std::{io, net::SocketAddr, path::PathBuf};

use mysqlsvc_monitor::{MonitorError, config::ConfigError, secrets::SecretsError};

/// Why monitord could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    #[error("[monitor] {key}: cannot listen on {address}: {error}")]
    Bind { key: &'static str, address: SocketAddr, error: io::Error },
    #[error("a listener failed: {0}")]
    Listener(io::Error),
    #[error("{}: cannot write the addresses: {error}", .file.display())]
    AddressFile { file: PathBuf, error: io::Error },
    #[error("cannot listen for SIGTERM and Ctrl-C: {0}")]
    Signals(io::Error),
    #[error("{0}")]
    Monitor(#[from] MonitorError),
    #[error("ended at once by a second signal; the next start goes on from the journal")]
    Impatient,
    #[error("a task has ended by a defect: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl Failure {
    /// CONTRACTS 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Secrets(_) => 64,
            _ => 1,
        }
    }
}
