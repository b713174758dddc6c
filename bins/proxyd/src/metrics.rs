//! The metrics page, in the text form of Prometheus.

use std::fmt::Write as _;

use mysqlsvc_http::client::FollowerStatus;
use mysqlsvc_http::wire::{ProxyMode, RoutePosition};
use mysqlsvc_proxy::{GateCounts, StatsSnapshot};

/// What the page shows, at one moment.
pub(crate) struct Moment {
    pub(crate) mode: ProxyMode,
    pub(crate) stats: StatsSnapshot,
    pub(crate) counts: GateCounts,
    pub(crate) waiting: usize,
    pub(crate) is_shut: bool,
    pub(crate) targets: usize,
    pub(crate) route: Option<RoutePosition>,
    /// `None` with fixed targets.
    pub(crate) following: Option<FollowerStatus>,
}

/// Writes the page.
pub(crate) fn page(moment: &Moment) -> String {
    let mut page = Page { text: String::new(), mode: moment.mode };
    for (name, value) in moment.stats.named() {
        page.line("counter", &format!("{name}_total"), value);
    }
    page.line("gauge", "connections_waiting", moment.waiting as u64);
    page.line("gauge", "connections_held", moment.counts.held as u64);
    page.line("gauge", "connections_dialling", moment.counts.dialling as u64);
    page.line("gauge", "connections_active", moment.counts.active as u64);
    page.line("gauge", "gate_shut", moment.is_shut.into());
    page.line("gauge", "targets", moment.targets as u64);
    if let Some(position) = moment.route {
        page.line("gauge", "route_epoch", position.epoch);
        page.line("gauge", "route_version", position.version);
    }
    if let Some(following) = &moment.following {
        page.line("gauge", "monitor_connected", following.connected.is_some().into());
        page.line("counter", "monitor_connections_total", following.connections);
        page.line("counter", "routes_refused_total", following.refused);
    }
    page.text
}

struct Page {
    text: String,
    mode: ProxyMode,
}

impl Page {
    fn line(&mut self, kind: &str, name: &str, value: u64) {
        let mode = self.mode;
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.text,
            "# TYPE mysqlsvc_proxy_{name} {kind}\nmysqlsvc_proxy_{name}{{mode=\"{mode}\"}} {value}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_type_a_mode_and_a_number() {
        let moment = Moment {
            mode: ProxyMode::Master,
            stats: StatsSnapshot::default(),
            counts: GateCounts::default(),
            waiting: 2,
            is_shut: true,
            targets: 1,
            route: Some(RoutePosition { epoch: 7, version: 31 }),
            following: Some(FollowerStatus::default()),
        };
        let text = page(&moment);
        assert!(text.contains("\nmysqlsvc_proxy_gate_shut{mode=\"master\"} 1\n"), "{text}");
        assert!(
            text.contains("\nmysqlsvc_proxy_connections_waiting{mode=\"master\"} 2\n"),
            "{text}"
        );
        assert!(text.contains("\nmysqlsvc_proxy_route_epoch{mode=\"master\"} 7\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        for line in samples {
            let (_, value) = line.rsplit_once(' ').unwrap();
            value.parse::<u64>().unwrap();
        }
    }
}
