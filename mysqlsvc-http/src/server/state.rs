//! What every handler has at hand.

use std::{collections::BTreeMap, sync::Arc};

use mysqlsvc_monitor::cluster::ClusterHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Failure, Kind};

/// How many event streams of one kind are open at once.
const STREAMS: usize = 1024;

/// The clusters served, and what bounds the serving. Cheap to clone.
#[derive(Clone)]
pub struct ServerState(Arc<Inner>);

struct Inner {
    clusters: BTreeMap<String, ClusterHandle>,
    hosts: Vec<String>,
    routes: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

/// Kinds of event streams, each with places of its own: pages left open must not keep a proxy from
/// its routes, nor proxies a page from its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    /// `/servers`, for proxies.
    Routes,
    /// `/clusters/{c}/events`, for pages and tools.
    Events,
}

impl ServerState {
    /// Serves these clusters, by their names.
    pub fn new(clusters: impl IntoIterator<Item = ClusterHandle>) -> Self {
        Self::with_hosts(clusters, Vec::new())
    }

    /// Answers, on the API's address, also to requests that name one of these hosts. Without them
    /// only loopback names are our own: a page of another site could otherwise reach a monitor
    /// without login by a name that resolves to it.
    pub fn with_hosts(
        clusters: impl IntoIterator<Item = ClusterHandle>,
        hosts: Vec<String>,
    ) -> Self {
        let clusters =
            clusters.into_iter().map(|cluster| (cluster.name().to_string(), cluster)).collect();
        let [routes, events] = [(); 2].map(|()| Arc::new(Semaphore::new(STREAMS)));
        Self(Arc::new(Inner { clusters, hosts, routes, events }))
    }

    pub(super) fn clusters(&self) -> impl Iterator<Item = &ClusterHandle> {
        self.0.clusters.values()
    }

    pub(super) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    pub(super) fn cluster(&self, name: &str) -> Result<&ClusterHandle, Failure> {
        self.0.clusters.get(name).ok_or_else(|| {
            let detail = format!("no cluster is named `{name}`; known: {}", self.names());
            Failure::new(Kind::UnknownCluster, detail)
        })
    }

    /// The cluster of this name; without a name, the only one.
    pub(super) fn cluster_or_only(&self, name: Option<&str>) -> Result<&ClusterHandle, Failure> {
        if let Some(name) = name {
            return self.cluster(name);
        }
        let mut all = self.clusters();
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Failure::new(Kind::UnknownCluster, "this monitor keeps no cluster")),
            (Some(_), Some(_)) => Err(Failure::malformed(format!(
                "`cluster` is missing, and there are several; name one of {}",
                self.names()
            ))),
        }
    }

    fn names(&self) -> String {
        match self.0.clusters.keys().cloned().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            names => names,
        }
    }

    /// Leave to open one more event stream; given back when it is dropped.
    pub(super) fn stream_permit(&self, kind: StreamKind) -> Result<OwnedSemaphorePermit, Failure> {
        let places = match kind {
            StreamKind::Routes => &self.0.routes,
            StreamKind::Events => &self.0.events,
        };
        Arc::clone(places).try_acquire_owned().map_err(|_| {
            let detail = format!("{STREAMS} event streams are open already; close some");
            Failure::new(Kind::Unavailable, detail)
        })
    }
}

impl std::fmt::Debug for ServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerState")
            .field("clusters", &self.0.clusters.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_kind_of_stream_takes_the_places_of_the_other() {
        use StreamKind::{Events, Routes};
        for (many, other) in [(Events, Routes), (Routes, Events)] {
            let state = ServerState::new([]);
            let mut held: Vec<_> =
                (0..STREAMS).map(|_| state.stream_permit(many).unwrap()).collect();
            assert!(state.stream_permit(many).is_err());
            assert!(state.stream_permit(other).is_ok(), "{other:?} starved by {many:?}");
            held.pop();
            assert!(state.stream_permit(many).is_ok(), "a place was not given back");
        }
    }
}
