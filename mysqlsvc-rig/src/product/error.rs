//! What can go wrong with a product.

use std::{io, path::PathBuf, time::Duration};

use mysqlsvc_http::{
    client::{ApiError, MonitorUrlError, TransportError},
    wire::ProxyMode,
};
use mysqlsvc_sandbox::{guard::GuardError, ports::PortsError};

/// Why monitord and its proxies could not be started, steered or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProductError {
    /// A program is not where it should be.
    #[error(
        "{program} is neither in {}; build it: cargo build --package {program}",
        .looked_in.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(" nor in ")
    )]
    MissingProgram {
        /// Its name.
        program: &'static str,
        /// Where it was looked for.
        looked_in: Vec<PathBuf>,
    },
    /// A file, a directory or a process could not be handled.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No free port was found.
    #[error(transparent)]
    NoPort(#[from] PortsError),
    /// A program ended while it was starting.
    #[error("{program} ended while starting ({status}); its log ends with:\n{log}")]
    Ended {
        /// Its name.
        program: &'static str,
        /// How it ended.
        status: String,
        /// Tail of its log.
        log: String,
    },
    /// A program did not begin to listen.
    #[error("{program} does not listen after {waited:?}; its log ends with:\n{log}")]
    NotReady {
        /// Its name.
        program: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// Tail of its log.
        log: String,
    },
    /// A program did not end.
    #[error("{program} (process {pid}) does not end: {detail}")]
    DoesNotEnd {
        /// Its name.
        program: &'static str,
        /// Its process id.
        pid: u32,
        /// What was seen.
        detail: String,
    },
    /// There is no such proxy.
    #[error("this product has no proxy of mode {mode}")]
    NoProxy {
        /// The mode asked for.
        mode: ProxyMode,
    },
    /// A call of the API failed.
    #[error("{what}: {source}")]
    Api {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        source: Box<ApiError>,
    },
    /// No client could be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An address does not make a URL.
    #[error(transparent)]
    Url(#[from] MonitorUrlError),
    /// The cluster or a proxy did not come to rest.
    #[error("not well after {waited:?}: {seen}")]
    Unsettled {
        /// How long it was waited for.
        waited: Duration,
        /// What was wrong at last.
        seen: String,
    },
    /// Something could not be removed, or nobody could be found to do so.
    #[error("monitord and its proxies: {0}")]
    Guard(#[from] GuardError),
}

impl ProductError {
    /// Whether a program ended because another one listens where it should.
    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Ended { log, .. } if log.contains("Address already in use"))
    }

    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    pub(super) fn api(what: &'static str) -> impl FnOnce(ApiError) -> Self {
        move |source| Self::Api { what, source: Box::new(source) }
    }
}
