//! What went wrong for the application, by kind.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// How often an application saw what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ErrorCounts {
    /// Connections that ended under a statement, or a statement killed or never answered: its
    /// outcome is unknown.
    pub cut: u64,
    /// Writes refused as read-only on a connection that had written before: the application holds
    /// on to a master that is none any more.
    pub refused_before_reconnecting: u64,
    /// Writes refused as read-only on a connection that was just made: the proxy led to the wrong
    /// server.
    pub refused_on_fresh_connection: u64,
    /// Logins that failed.
    pub connect_failed: u64,
    /// Any other answer of the server that was no success.
    pub other: u64,
}

impl ErrorCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.cut
            + self.refused_before_reconnecting
            + self.refused_on_fresh_connection
            + self.connect_failed
            + self.other
    }

    /// Those since `before`, an earlier look at the same counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            cut: self.cut - before.cut,
            refused_before_reconnecting: self.refused_before_reconnecting
                - before.refused_before_reconnecting,
            refused_on_fresh_connection: self.refused_on_fresh_connection
                - before.refused_on_fresh_connection,
            connect_failed: self.connect_failed - before.connect_failed,
            other: self.other - before.other,
        }
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorKind {
    Cut,
    RefusedBeforeReconnecting,
    RefusedOnFreshConnection,
    ConnectFailed,
    Other,
}

/// Counted by many at the same time.
#[derive(Debug, Default)]
pub(super) struct ErrorMeter {
    cut: AtomicU64,
    refused_before_reconnecting: AtomicU64,
    refused_on_fresh_connection: AtomicU64,
    connect_failed: AtomicU64,
    other: AtomicU64,
}

impl ErrorMeter {
    pub(super) fn count(&self, kind: ErrorKind) {
        let counter = match kind {
            ErrorKind::Cut => &self.cut,
            ErrorKind::RefusedBeforeReconnecting => &self.refused_before_reconnecting,
            ErrorKind::RefusedOnFreshConnection => &self.refused_on_fresh_connection,
            ErrorKind::ConnectFailed => &self.connect_failed,
            ErrorKind::Other => &self.other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> ErrorCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ErrorCounts {
            cut: read(&self.cut),
            refused_before_reconnecting: read(&self.refused_before_reconnecting),
            refused_on_fresh_connection: read(&self.refused_on_fresh_connection),
            connect_failed: read(&self.connect_failed),
            other: read(&self.other),
        }
    }
}
