//! What a client says of itself when it asks for `/servers`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Incarnation, ProxyMode, RoutePosition, RouteStamp};

/// Name of the SSE event sent at once to a new client.
pub const EVENT_INIT: &str = "init";
/// Name of the SSE event sent at each change.
pub const EVENT_UPDATE: &str = "update";
/// How often the monitor sends a comment line when nothing changes.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// The query of `GET /servers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServersQuery {
    /// Which cluster; may be left out while there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The proxy's id; with `mode=master` it makes the proxy one whose acknowledgement is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// What the proxy serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ProxyMode>,
    /// Incarnation of the route the proxy has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
    /// Epoch of the route the proxy has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Version of the route the proxy has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Set by lainlet's client, and so by the original proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
}

impl ServersQuery {
    /// Whether the client is the original proxy, which reads only [`super::FlatRoute`].
    pub fn wants_flat(&self) -> bool {
        let watches = !matches!(self.watch.as_deref(), None | Some("" | "0" | "false"));
        watches && self.proxy.is_none()
    }

    /// The route the client says it has.
    pub fn stamp(&self) -> Option<RouteStamp> {
        let epoch = self.epoch?;
        Some(RouteStamp {
            incarnation: self.incarnation.clone(),
            position: RoutePosition { epoch, version: self.version.unwrap_or(0) },
        })
    }

    /// Says which route the client has.
    #[must_use]
    pub fn knowing(mut self, stamp: Option<&RouteStamp>) -> Self {
        self.incarnation = stamp.and_then(|known| known.incarnation.clone());
        self.epoch = stamp.map(|known| known.position.epoch);
        self.version = stamp.map(|known| known.position.version);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_watch_without_a_proxy_id_wants_the_flat_form() {
        let query = |watch: Option<&str>, proxy: Option<&str>| ServersQuery {
            watch: watch.map(str::to_owned),
            proxy: proxy.map(str::to_owned),
            ..ServersQuery::default()
        };
        assert!(query(Some("1"), None).wants_flat());
        assert!(!query(Some("1"), Some("p")).wants_flat());
        assert!(!query(Some("0"), None).wants_flat());
        assert!(!query(None, None).wants_flat());
    }

    #[test]
    fn the_stamp_goes_both_ways() {
        let stamp = RouteStamp {
            incarnation: Some("i".into()),
            position: RoutePosition { epoch: 3, version: 4 },
        };
        let query = ServersQuery::default().knowing(Some(&stamp));
        assert_eq!(query.stamp(), Some(stamp));
        assert_eq!(query.knowing(None).stamp(), None);
    }
}
