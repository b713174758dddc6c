//! Follows the routes of a cluster over one or more monitors.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::monitor_url::MonitorUrl;
use super::order::{Followed, RouteOrder, Verdict};
use super::stream::{RouteEvent, RouteStream, StreamEnd};
use super::transport::{TransportError, http_client};
use crate::wire::{ProxyMode, Route, RoutePosition, ServersQuery};

/// What a follower is told at its start.
#[derive(Debug, Clone)]
pub struct FollowerConfig {
    /// Tried in this order, round and round. Must not be empty.
    pub monitors: Vec<MonitorUrl>,
    /// The cluster to follow; may be `None` where a monitor has only one.
    pub cluster: Option<String>,
    /// Who follows, if it is a proxy.
    pub identity: Option<ProxyIdentity>,
    /// The route known from before, which must not be gone back behind.
    pub known: Option<Route>,
    /// How long things may take.
    pub limits: FollowerLimits,
}

/// How a proxy names itself to the monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyIdentity {
    /// Unique among the proxies of a monitor.
    pub id: String,
    /// What it serves.
    pub mode: ProxyMode,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct FollowerLimits {
    /// For the TCP connection.
    pub connect: Duration,
    /// From the request to the head of the answer.
    pub answer: Duration,
    /// Without a byte; the monitor sends a heartbeat every 15 s.
    pub silence: Duration,
    /// First wait after a failure.
    pub first_wait: Duration,
    /// Longest wait after many failures.
    pub longest_wait: Duration,
}

impl Default for FollowerLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(5),
            silence: Duration::from_secs(40),
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(5),
        }
    }
}

/// A route that may be used.
#[derive(Debug, Clone)]
pub struct RouteUpdate {
    /// The route.
    pub route: Arc<Route>,
    /// Who said it; a hold is acknowledged there.
    pub monitor: MonitorUrl,
    /// When it was read; a hold's remaining time counts from here.
    pub received_at: Instant,
}

/// How the following goes.
#[derive(Debug, Clone, Default)]
pub struct FollowerStatus {
    /// The monitor whose stream is open.
    pub connected: Option<MonitorUrl>,
    /// Streams opened so far.
    pub connections: u64,
    /// Events that were no acceptable route so far.
    pub refused: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A running follower. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    routes: watch::Receiver<Option<RouteUpdate>>,
    status: watch::Receiver<FollowerStatus>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Starts to follow. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Only when the HTTP client cannot be set up; unreachable monitors are waited for.
    pub fn start(config: FollowerConfig) -> Result<Self, TransportError> {
        let http = http_client(config.limits.connect, Some(config.limits.silence))?;
        let (route_sender, routes) = watch::channel(None);
        let (status_sender, status) = watch::channel(FollowerStatus::default());
        let following = Following {
            http,
            order: order_after(&config),
            backoff: Backoff::new(config.limits.first_wait, config.limits.longest_wait),
            config,
            routes: route_sender,
            status: status_sender,
            complaints: HashMap::new(),
        };
        let task = tokio::spawn(following.run());
        Ok(Self { routes, status, task })
    }

    /// The newest acceptable route; `None` until one was read. Only the latest is kept.
    pub fn routes(&self) -> watch::Receiver<Option<RouteUpdate>> {
        self.routes.clone()
    }

    /// How the following goes.
    pub fn status(&self) -> watch::Receiver<FollowerStatus> {
        self.status.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn order_after(config: &FollowerConfig) -> RouteOrder {
    let mut order = RouteOrder::new(config.cluster.clone());
    if let Some(known) = &config.known
        && !order.remember(known).is_acceptable()
    {
        tracing::warn!(
            cluster = known.cluster,
            "the route known from before is of another cluster"
        );
    }
    order
}

/// The state of the follower's task.
struct Following {
    config: FollowerConfig,
    http: reqwest::Client,
    order: RouteOrder,
    backoff: Backoff,
    routes: watch::Sender<Option<RouteUpdate>>,
    status: watch::Sender<FollowerStatus>,
    /// What was last complained about, of each monitor; the same is not logged twice in a row.
    complaints: HashMap<MonitorUrl, String>,
}

impl Following {
    async fn run(mut self) {
        let monitors = self.config.monitors.clone();
        for (turn, monitor) in monitors.iter().enumerate().cycle() {
            let Err(end) = self.follow(monitor).await;
            self.status.send_modify(|status| status.connected = None);
            self.complain(monitor, &end.to_string());
            // The other monitors are tried at once, a wait comes after each full round.
            if turn + 1 == monitors.len() {
                sleep(self.backoff.next_wait()).await;
            }
        }
    }

    /// Reads one stream until it ends, or until it says what another monitor may say better.
    async fn follow(&mut self, monitor: &MonitorUrl) -> Result<Infallible, StreamEnd> {
        let request = self.http.get(monitor.endpoint(&["servers"])).query(&self.query());
        let limits = self.config.limits;
        let mut stream = RouteStream::open(request, limits.answer, limits.silence).await?;
        tracing::info!(%monitor, "following routes");
        self.status.send_modify(|status| {
            status.connected = Some(monitor.clone());
            status.connections += 1;
        });
        loop {
            let event = stream.next_event().await?;
            self.take(monitor, &event)?;
        }
    }

    fn query(&self) -> ServersQuery {
        let identity = self.config.identity.as_ref();
        ServersQuery {
            cluster: self.config.cluster.clone(),
            proxy: identity.map(|identity| identity.id.clone()),
            mode: identity.map(|identity| identity.mode),
            ..ServersQuery::default()
        }
        .knowing(self.order.taken())
    }

    /// Publishes the event's route if it is one and acceptable; else the last one stays.
    ///
    /// # Errors
    /// What was said is no route, of another cluster or of another store: that will not change by
    /// waiting for more of it, so the next monitor is asked.
    fn take(&mut self, monitor: &MonitorUrl, event: &RouteEvent) -> Result<(), StreamEnd> {
        let received_at = Instant::now();
        let route = match Route::from_json(&event.data) {
            Ok(route) => route,
            Err(error) => return Err(self.refused(&error.to_string())),
        };
        match self.order.offer(&route) {
            Verdict::Newer | Verdict::Same => {}
            Verdict::Older => {
                let why = self.refused(&older(&route, &self.order)).to_string();
                self.complain(monitor, &why);
                return Ok(());
            }
            Verdict::OtherCluster => return Err(self.refused(&other_cluster(&route, &self.order))),
            Verdict::Foreign => return Err(self.refused(&foreign(&route, &self.order))),
        }
        self.backoff.reset();
        if let Some(wait) = event.retry {
            let first = wait.max(self.config.limits.first_wait);
            self.backoff = Backoff::new(first, self.config.limits.longest_wait);
        }
        self.complaints.remove(monitor);
        self.status.send_modify(|status| status.last_error = None);
        self.routes.send_replace(Some(RouteUpdate {
            route: Arc::new(route),
            monitor: monitor.clone(),
            received_at,
        }));
        Ok(())
    }

    /// Counts an event that was not taken.
    fn refused(&self, why: &str) -> StreamEnd {
        self.status.send_modify(|status| status.refused += 1);
        StreamEnd::NotTaken(format!("{why}; the last route is kept"))
    }

    /// Logs the first of a row of equal errors.
    fn complain(&mut self, monitor: &MonitorUrl, error: &str) {
        let shown = format!("{monitor}: {error}");
        self.status.send_modify(|status| status.last_error = Some(shown));
        if self.complaints.get(monitor).is_some_and(|last| last == error) {
            tracing::debug!(%monitor, error, "still no route");
        } else {
            tracing::warn!(%monitor, error, "no route from this monitor");
            self.complaints.insert(monitor.clone(), error.to_owned());
        }
    }
}

fn older(route: &Route, order: &RouteOrder) -> String {
    format!("route {} is older than {}", route.stamp.position, known(order))
}

fn other_cluster(route: &Route, order: &RouteOrder) -> String {
    let offered = &route.cluster;
    match order.cluster() {
        Some(Followed::Named(name)) => {
            format!("the route is of cluster `{offered}`, but `{name}` is the one asked for")
        }
        Some(Followed::ByRoute(name)) => format!(
            "the route is of cluster `{offered}`, but `{name}` is followed since its route came \
             first after the start, no cluster being named"
        ),
        None => format!("the route is of cluster `{offered}`, which is not the one followed"),
    }
}

/// Says what can be done: a proxy never goes back by itself.
fn foreign(route: &Route, order: &RouteOrder) -> String {
    format!(
        "route {} comes from another store and its epoch is not above that of {}, which is \
         followed; name the monitor of the one followed, or, if its store was lost or restored, let \
         `mysqlsvc adopt` take the cluster up above that epoch",
        route.stamp.position,
        known(order)
    )
}

fn known(order: &RouteOrder) -> RoutePosition {
    order.taken().map(|known| known.position).unwrap_or_default()
}
