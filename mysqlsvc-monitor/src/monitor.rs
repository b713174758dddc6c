//! All clusters of a configuration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span};

use crate::{
    cluster::{self, ClusterError, ClusterHandle, Parts, StartError},
    config::{ClusterConfig, ClusterName, Config, ProbeConfig},
    discovery,
    mysql::{Credentials, Limits, MySqlBackend},
    store::{AuditRow, OpenError, QueryError, StateDirectory},
};

/// How long an operation under way may take to end when the monitor is told to stop. It is safe
/// to stop in the middle: the next start goes on from the journal.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The clusters under watch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Monitor {
    clusters: Arc<BTreeMap<ClusterName, ClusterHandle>>,
    state: StateDirectory,
}

/// The tasks behind a [`Monitor`]. Dropping this ends them at once.
#[derive(Debug)]
pub struct Running {
    tasks: JoinSet<(ClusterName, Result<(), ClusterError>)>,
    stop: CancellationToken,
}

/// Why a monitor could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] OpenError),
    /// A cluster cannot be taken up.
    #[error(transparent)]
    Cluster(#[from] StartError),
    /// A task of ours has panicked.
    #[error("a task has ended by a defect: {0}")]
    Panicked(#[from] JoinError),
    /// A cluster had to be let go.
    #[error("cluster {cluster}: {error}")]
    Ended {
        /// Which.
        cluster: ClusterName,
        /// Why.
        error: ClusterError,
    },
}

impl Monitor {
    /// Takes up every cluster of a configuration. Nothing is asked of a server yet when this
    /// returns.
    pub async fn start(
        config: &Config,
        credentials: &Credentials,
    ) -> Result<(Self, Running), MonitorError> {
        let directory = config.monitor.state.clone();
        let opened = tokio::task::spawn_blocking(move || StateDirectory::open(&directory));
        let state = opened.await??;
        let mut running = Running { tasks: JoinSet::new(), stop: CancellationToken::new() };
        let mut clusters = BTreeMap::new();
        for cluster in &config.clusters {
            let parts = parts(cluster, credentials, &state);
            let handle = running.take_up(parts).await?;
            clusters.insert(cluster.name.clone(), handle);
        }
        Ok((Self { clusters: Arc::new(clusters), state }, running))
    }

    /// All clusters, by name.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterHandle> {
        self.clusters.values()
    }

    /// The cluster of this name.
    pub fn cluster(&self, name: &str) -> Option<&ClusterHandle> {
        self.clusters.values().find(|cluster| cluster.name().as_str() == name)
    }

    /// The last `limit` lines of the audit with an id below `before`, the youngest first.
    pub async fn audit(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, QueryError> {
        self.state.audit(before, limit).await
    }
}

fn parts(
    config: &ClusterConfig,
    credentials: &Credentials,
    state: &StateDirectory,
) -> Parts<MySqlBackend, crate::store::SqliteStore> {
    let limits = limits(config.probe);
    let backend = MySqlBackend::new(credentials.clone(), limits);
    let backend = backend.with_copy_settings(config.copying.clone());
    Parts {
        copies: backend.copies(),
        name: config.name.clone(),
        settings: config.settings.clone(),
        probe: config.probe,
        discovery: discovery::from_config(&config.discovery),
        backend,
        // One of its own, which keeps no session open.
        advisor: Arc::new(MySqlBackend::new(credentials.clone(), limits)),
        store: state.cluster(&config.name),
    }
}

/// The backend's limits, where the configuration has a say: how long a look takes, connecting
/// included. Actions connect within their own limit, for a short look must not fail a switch.
fn limits(probe: ProbeConfig) -> Limits {
    Limits { look: Duration::from(probe.timeout), ..Limits::default() }
}

impl Running {
    async fn take_up(
        &mut self,
        parts: Parts<MySqlBackend, crate::store::SqliteStore>,
    ) -> Result<ClusterHandle, StartError> {
        let name = parts.name.clone();
        let span = info_span!("cluster", %name);
        let (handle, task) =
            cluster::start(parts, self.stop.clone(), PATIENCE).instrument(span.clone()).await?;
        self.tasks.spawn(async move { (name, task.await) }.instrument(span));
        Ok(handle)
    }

    /// Comes when a cluster is no longer watched, which nobody asked for. Cancellation safe.
    pub async fn failed(&mut self) -> MonitorError {
        match self.tasks.join_next().await {
            Some(Err(error)) => error.into(),
            Some(Ok((cluster, Err(error)))) => MonitorError::Ended { cluster, error },
            // Nobody asked it to end, so it does not end well.
            Some(Ok((_, Ok(())))) | None => std::future::pending().await,
        }
    }

    /// Lets every cluster finish the operation under way, for [`PATIENCE`] at most, and joins.
    pub async fn shutdown(mut self) -> Result<(), MonitorError> {
        self.stop.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((cluster, Err(error))) => result = Err(MonitorError::Ended { cluster, error }),
                Err(error) => result = Err(error.into()),
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::Millis;

    use super::*;

    #[test]
    fn short_looks_do_not_shorten_what_actions_are_given_to_connect() {
        let limits = limits(ProbeConfig { timeout: Millis(50), ..ProbeConfig::default() });
        assert_eq!(limits.look, Duration::from_millis(50));
        assert_eq!(limits.connect, Limits::default().connect);
    }
}
