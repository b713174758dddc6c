//! Counts of what the forwarder did; every part adds to the same ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::refusal::Refusal;
use crate::relay::{CloseReason, RelayReport, Side};

/// Counters since the start. Clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    counters: Arc<Counters>,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        #[derive(Debug, Default)]
        struct Counters {
            $($name: AtomicU64,)+
        }

        /// The counters at one moment; each only grows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Stats {
            /// Reads every counter.
            pub fn snapshot(&self) -> StatsSnapshot {
                StatsSnapshot {
                    $($name: self.counters.$name.load(Ordering::Relaxed),)+
                }
            }
        }

        impl StatsSnapshot {
            /// Every counter with its name, for a metrics page.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }
    };
}

counters! {
    /// Connections accepted, those turned away included.
    accepted,
    /// Failures of the listener to accept.
    accept_errors,
    /// Connections that reached a server.
    connected,
    /// Attempts to reach a server that failed.
    dial_failures,
    /// Clients that left before a server was found.
    left_waiting,
    /// Turned away: too many connections.
    refused_too_many,
    /// Turned away: the queue at the gate, or for a target, was full.
    refused_queue_full,
    /// Turned away: the gate stayed shut.
    refused_held_too_long,
    /// Turned away: there was no target.
    refused_no_target,
    /// Turned away: no target could be reached.
    refused_unreachable,
    /// Turned away: no file descriptor was left.
    refused_out_of_files,
    /// Turned away: the forwarder was ending.
    refused_shutting_down,
    /// Ended by the client.
    closed_by_client,
    /// Ended by the server.
    closed_by_server,
    /// Broken on the client's side.
    client_failed,
    /// Broken on the server's side.
    server_failed,
    /// Closed by one side, and the other did not follow in time.
    half_closed,
    /// Cut by the end of a drain.
    cut,
    /// Bytes from clients to servers.
    bytes_to_server,
    /// Bytes from servers to clients.
    bytes_to_client,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Stats {
    pub(crate) fn accepted(&self) {
        add(&self.counters.accepted, 1);
    }

    pub(crate) fn accept_failed(&self) {
        add(&self.counters.accept_errors, 1);
    }

    pub(crate) fn dial_failed(&self) {
        add(&self.counters.dial_failures, 1);
    }

    pub(crate) fn connected(&self) {
        add(&self.counters.connected, 1);
    }

    pub(crate) fn left_waiting(&self) {
        add(&self.counters.left_waiting, 1);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        let counters = &*self.counters;
        let counter = match refusal {
            Refusal::TooManyConnections { .. } => &counters.refused_too_many,
            Refusal::QueueFull { .. } | Refusal::TooManyWait { .. } => &counters.refused_queue_full,
            Refusal::HeldTooLong { .. } => &counters.refused_held_too_long,
            Refusal::NoTarget { .. } => &counters.refused_no_target,
            Refusal::Unreachable { .. } => &counters.refused_unreachable,
            Refusal::OutOfFiles(_) => &counters.refused_out_of_files,
            Refusal::ShuttingDown => &counters.refused_shutting_down,
        };
        add(counter, 1);
    }

    pub(crate) fn closed(&self, report: &RelayReport) {
        let counters = &*self.counters;
        let counter = match report.reason {
            CloseReason::Closed(Side::Client) => &counters.closed_by_client,
            CloseReason::Closed(Side::Server) => &counters.closed_by_server,
            CloseReason::Failed(Side::Client, _) => &counters.client_failed,
            CloseReason::Failed(Side::Server, _) => &counters.server_failed,
            CloseReason::HalfClosed(_) => &counters.half_closed,
            CloseReason::Cut => &counters.cut,
        };
        add(counter, 1);
        add(&counters.bytes_to_server, report.to_server);
        add(&counters.bytes_to_client, report.to_client);
    }
}
