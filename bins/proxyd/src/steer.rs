//! Turns routes into targets and holds.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mysqlsvc_http::client::RouteUpdate;
use mysqlsvc_http::wire::{Container, Hold, ProxyMode, Route};
use mysqlsvc_proxy::{Gate, TargetAddr, TargetSet, Targets};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::holding::{Acknowledger, hold_through};

/// How long the start waits for a monitor before it serves the route kept from before.
pub(crate) const INIT_WAIT: Duration = Duration::from_secs(3);

/// Which part of a route is served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) mode: ProxyMode,
    /// In mode slave: the master where no slave is left.
    pub(crate) fall_back_to_master: bool,
}

/// Steers one forwarder after the routes of one cluster.
pub(crate) struct Steer {
    pub(crate) share: Share,
    pub(crate) gate: Gate,
    pub(crate) targets: Targets,
    pub(crate) acknowledger: Acknowledger,
    /// The route served, for those who show it or keep it.
    pub(crate) opened: watch::Sender<Option<Arc<Route>>>,
}

type Holding = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Steer {
    /// Follows `updates` until their sender is gone. `kept` is served when none comes in
    /// [`INIT_WAIT`].
    pub(crate) async fn run(
        self,
        mut updates: watch::Receiver<Option<RouteUpdate>>,
        kept: Option<Route>,
    ) {
        if let Some(kept) = kept
            && timeout(INIT_WAIT, updates.wait_for(Option::is_some)).await.is_err()
        {
            tracing::warn!(route = %kept.stamp.position,
                "no monitor answered in {INIT_WAIT:?}; serving the route kept from before");
            self.serve(&kept);
            self.opened.send_replace(Some(Arc::new(kept)));
        }
        updates.mark_changed();
        let mut holding: Holding = Box::pin(pending());
        loop {
            tokio::select! {
                changed = updates.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let update = updates.borrow_and_update().clone();
                    if let Some(update) = update {
                        holding = self.apply(update);
                    }
                }
                () = &mut holding => holding = Box::pin(pending()),
            }
        }
    }

    /// Takes one route. What is returned is to be driven until the next one comes.
    pub(crate) fn apply(&self, update: RouteUpdate) -> Holding {
        let RouteUpdate { route, monitor, received_at } = update;
        match (route.hold().cloned(), self.share.mode) {
            (Some(hold), ProxyMode::Master) => {
                self.route_unless_routed(&route);
                let shut = self.gate.shut(left_of(&hold, received_at));
                tracing::info!(operation = %hold.operation, remaining_ms = hold.remaining_ms,
                    route = %route.stamp.position, "holding new connections");
                Box::pin(hold_through(shut, self.acknowledger.clone(), monitor, route, hold))
            }
            (hold, _) => {
                self.serve(&route);
                if hold.is_none() {
                    self.opened.send_replace(Some(route));
                }
                Box::pin(pending())
            }
        }
    }

    /// Targets first, gate second: who waits looks at the targets the moment the gate opens.
    fn serve(&self, route: &Route) {
        self.route(route);
        self.gate.open();
    }

    /// A proxy whose first route is a hold needs somewhere to send connections when the hold runs
    /// out; the server, not the proxy, refuses them if it must.
    fn route_unless_routed(&self, route: &Route) {
        if self.targets.current().targets().is_empty() {
            self.route(route);
        }
    }

    fn route(&self, route: &Route) {
        let Some(targets) = self.share.of(route) else {
            tracing::warn!(route = %route.stamp.position,
                "no address of the route can be used; the last targets are kept");
            return;
        };
        let shown: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let set = TargetSet::new(route.stamp.position.epoch, targets);
        if self.targets.replace(set) {
            tracing::info!(route = %route.stamp.position, targets = shown.join(","), "routed");
        }
    }
}

fn left_of(hold: &Hold, received_at: Instant) -> Duration {
    Duration::from_millis(hold.remaining_ms).saturating_sub(received_at.elapsed())
}

impl Share {
    /// The targets of this route; `None` when it lists servers, but none that can be dialled.
    fn of(self, route: &Route) -> Option<Vec<TargetAddr>> {
        let mut listed = &route.containers(self.mode).containers;
        if listed.is_empty() && self.fall_back_to_master {
            listed = &route.master.containers;
        }
        let targets: Vec<TargetAddr> = listed.iter().filter_map(target).collect();
        (listed.is_empty() || !targets.is_empty()).then_some(targets)
    }
}

fn target(container: &Container) -> Option<TargetAddr> {
    container.address().parse().inspect_err(|error| tracing::warn!("{error}; it is left out")).ok()
}

#[cfg(test)]
#[path = "steer_tests.rs"]
mod tests;
