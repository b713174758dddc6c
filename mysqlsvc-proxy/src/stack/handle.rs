//! Steering a forwarder that runs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::addr::LocalAddr;
use crate::connect::WaitingRoom;
use crate::drain::DrainReport;
use crate::gate::Gate;
use crate::stats::Stats;
use crate::target::Targets;

/// A forwarder that runs. Dropping it ends the forwarder and cuts its connections;
/// [`ForwarderHandle::drain`] ends it kindly.
#[derive(Debug)]
#[must_use = "dropping it ends the forwarder"]
pub struct ForwarderHandle {
    parts: Parts,
    drained: Option<DrainReport>,
}

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) local_addr: LocalAddr,
    pub(super) gate: Gate,
    pub(super) targets: Targets,
    pub(super) room: WaitingRoom,
    pub(super) stats: Stats,
    pub(super) stop: watch::Sender<Option<Duration>>,
    pub(super) task: JoinHandle<DrainReport>,
}

impl ForwarderHandle {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, drained: None }
    }

    /// Where it listens; the port is the real one where 0 was asked for.
    pub fn local_addr(&self) -> LocalAddr {
        self.parts.local_addr
    }

    /// The gate, to hold new connections; clone it freely.
    pub fn gate(&self) -> &Gate {
        &self.parts.gate
    }

    /// Those who wait for a target; clone it freely.
    pub fn waiting_room(&self) -> &WaitingRoom {
        &self.parts.room
    }

    /// The targets, to replace them; clone them freely.
    pub fn targets(&self) -> &Targets {
        &self.parts.targets
    }

    /// The counters; clone them freely. Connections held and active at the moment are
    /// [`Gate::counts`].
    pub fn stats(&self) -> &Stats {
        &self.parts.stats
    }

    /// Stops accepting, waits for `limit` at most until every connection has ended, and cuts
    /// those left. May be given up and called again with another limit: nought cuts at once.
    pub async fn drain(&mut self, limit: Duration) -> DrainReport {
        self.parts.stop.send_replace(Some(limit));
        self.wait().await
    }

    /// Waits until the forwarder has ended, because it was told to elsewhere.
    pub async fn wait(&mut self) -> DrainReport {
        if let Some(report) = self.drained {
            return report;
        }
        let report = (&mut self.parts.task).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the accept loop panicked");
            DrainReport::default()
        });
        self.drained = Some(report);
        report
    }
}

impl Drop for ForwarderHandle {
    fn drop(&mut self) {
        self.parts.task.abort();
    }
}
