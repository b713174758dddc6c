//! The route document: what a proxy may know of a cluster.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AckToken, Containers, Incarnation, OperationId, PhaseName, ProxyMode};

/// One full snapshot of where connections of a cluster go, sent in each SSE event of `/servers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "RouteOnWire", try_from = "RouteOnWire")]
pub struct Route {
    /// The cluster's name; empty in the original's form.
    pub cluster: String,
    /// Of which store, and how new.
    pub stamp: RouteStamp,
    /// Whether new connections may be made.
    pub phase: Phase,
    /// The master; at most one.
    pub master: Containers,
    /// Where reads may go, in order.
    pub slave: Containers,
}

/// Whether new connections may be made, and if not, what is being waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// They may.
    Open,
    /// They wait.
    Hold(Hold),
}

impl Phase {
    /// The bare word.
    pub fn name(&self) -> PhaseName {
        match self {
            Self::Open => PhaseName::Open,
            Self::Hold(_) => PhaseName::Hold,
        }
    }
}

/// The request of a planned switch to keep new connections waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The operation that asks.
    pub operation: OperationId,
    /// To be handed back in the acknowledgement.
    pub ack_token: AckToken,
    /// Milliseconds left, computed at sending; the proxy counts them on its own monotonic clock.
    pub remaining_ms: u64,
}

/// Where a route stands among those of one incarnation: by epoch, then by version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutePosition {
    /// Grows by one at each committed change of master.
    pub epoch: u64,
    /// Grows at each change within an epoch.
    pub version: u64,
}

/// `epoch-version`, the `id:` of the SSE event.
impl fmt::Display for RoutePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.version)
    }
}

/// What routes are ordered by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteStamp {
    /// Absent only in a route of the original service, which has no order.
    pub incarnation: Option<Incarnation>,
    /// Where it stands within the incarnation.
    pub position: RoutePosition,
}

impl Route {
    /// The servers a proxy of this mode connects to.
    pub fn containers(&self, mode: ProxyMode) -> &Containers {
        match mode {
            ProxyMode::Master => &self.master,
            ProxyMode::Slave => &self.slave,
        }
    }

    /// The hold, if new connections are to wait.
    pub fn hold(&self) -> Option<&Hold> {
        match &self.phase {
            Phase::Open => None,
            Phase::Hold(hold) => Some(hold),
        }
    }

    /// Reads a route from the text of an SSE event or of a route file.
    ///
    /// # Errors
    /// [`RouteError`] names the field that is wrong and what was expected.
    pub fn from_json(text: &str) -> Result<Self, RouteError> {
        serde_json::from_str(text).map_err(RouteError)
    }
}

/// The text is no route.
#[derive(Debug, thiserror::Error)]
#[error("not a route: {0}")]
pub struct RouteError(serde_json::Error);

/// The route as its fields lie on the wire, before `phase` and `hold` are seen to agree.
#[derive(Serialize, Deserialize)]
struct RouteOnWire {
    #[serde(default)]
    cluster: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<Incarnation>,
    #[serde(default)]
    epoch: u64,
    #[serde(default)]
    version: u64,
    #[serde(default = "open")]
    phase: PhaseName,
    /// Required: its absence is how a document that is no route at all is told.
    master: Containers,
    /// Required, as above.
    slave: Containers,
    #[serde(default)]
    hold: Option<Hold>,
}

fn open() -> PhaseName {
    PhaseName::Open
}

impl From<Route> for RouteOnWire {
    fn from(route: Route) -> Self {
        let phase = route.phase.name();
        let hold = match route.phase {
            Phase::Open => None,
            Phase::Hold(hold) => Some(hold),
        };
        Self {
            cluster: route.cluster,
            incarnation: route.stamp.incarnation,
            epoch: route.stamp.position.epoch,
            version: route.stamp.position.version,
            phase,
            master: route.master,
            slave: route.slave,
            hold,
        }
    }
}

impl TryFrom<RouteOnWire> for Route {
    type Error = &'static str;

    fn try_from(wire: RouteOnWire) -> Result<Self, Self::Error> {
        let phase = match (wire.phase, wire.hold) {
            (PhaseName::Open, None) => Phase::Open,
            (PhaseName::Hold, Some(hold)) => Phase::Hold(hold),
            (PhaseName::Open, Some(_)) => {
                return Err("`phase` is `open`, so `hold` must be null");
            }
            (PhaseName::Hold, None) => {
                return Err("`phase` is `hold`, so `hold` must name an operation");
            }
        };
        if wire.master.containers.len() > 1 {
            return Err("`master` lists more than one server");
        }
        Ok(Self {
            cluster: wire.cluster,
            stamp: RouteStamp {
                incarnation: wire.incarnation,
                position: RoutePosition { epoch: wire.epoch, version: wire.version },
            },
            phase,
            master: wire.master,
            slave: wire.slave,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Container, NodeState};
    use super::*;

    /// Copied from the contract, section 2.
    const CONTRACT: &str = r#"{"cluster":"main","incarnation":"2f6c…","epoch":7,"version":31,"phase":"open",
 "master":{"containers":[{"container_ip":"10.0.0.1","container_port":3306,"state":"OK"}]},
 "slave": {"containers":[{"container_ip":"10.0.0.2","container_port":3306,"state":"OK","lag_ms":0}]},
 "hold":null}"#;

    #[test]
    fn the_contracts_route_is_read() {
        let route = Route::from_json(CONTRACT).unwrap();
        assert_eq!(route.cluster, "main");
        assert_eq!(route.stamp.incarnation, Some(Incarnation::new("2f6c…")));
        assert_eq!(route.stamp.position.to_string(), "7-31");
        assert_eq!(route.phase, Phase::Open);
        assert_eq!(route.master.containers[0].address(), "10.0.0.1:3306");
        let slave = &route.containers(ProxyMode::Slave).containers[0];
        assert_eq!((slave.state, slave.lag_ms), (Some(NodeState::Ok), Some(0)));
    }

    #[test]
    fn the_contracts_route_is_written_to_the_letter() {
        let route = Route::from_json(CONTRACT).unwrap();
        let as_contract: String = CONTRACT.replace(['\n', ' '], "");
        assert_eq!(serde_json::to_string(&route).unwrap(), as_contract);
    }

    #[test]
    fn the_contracts_hold_goes_both_ways() {
        let mut text: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
        text["phase"] = json!("hold");
        text["hold"] = json!({"operation":"op-1","ack_token":"t","remaining_ms":5000});
        let route = Route::from_json(&text.to_string()).unwrap();
        let hold = route.hold().unwrap();
        assert_eq!((hold.operation.as_str(), hold.remaining_ms), ("op-1", 5000));
        assert_eq!(serde_json::to_value(&route).unwrap(), text);
    }

    #[test]
    fn the_forms_of_the_original_are_read() {
        let nested = r#"{"master":{"containers":[{"container_ip":"db-1","container_port":3306}]},
            "slave":{"containers":[]}}"#;
        let flat = r#"{"master":["db-1:3306"],"slave":[]}"#;
        let expected = vec![Container::at("db-1", 3306)];
        for text in [nested, flat] {
            let route = Route::from_json(text).unwrap();
            assert_eq!(route.master.containers, expected);
            assert_eq!(route.stamp, RouteStamp::default());
        }
    }

    #[test]
    fn fields_of_the_future_are_ignored() {
        let text = r#"{"master":{"containers":[{"container_ip":"a","container_port":1,"zone":"b",
            "state":"CLONING"}],"weight":3},"slave":null,"epoch":1,"extra":{"a":[1]}}"#;
        let route = Route::from_json(text).unwrap();
        assert_eq!(route.master.containers[0].state, Some(NodeState::Unknown));
        assert!(route.slave.containers.is_empty());
    }

    #[test]
    fn what_is_no_route_is_refused_with_the_field() {
        let cases = [
            ("{}", "missing field `master`"),
            ("[]", "expected"),
            ("{\"master\":[\"a:1\"]}", "missing field `slave`"),
            (r#"{"master":["a"],"slave":[]}"#, "HOST:PORT"),
            (r#"{"master":["a:1","b:1"],"slave":[]}"#, "more than one"),
            (r#"{"master":[],"slave":[],"phase":"hold"}"#, "must name an operation"),
            (r#"{"master":[],"slave":[],"phase":"shut"}"#, "unknown variant `shut`"),
            (r#"{"master":[],"slave":[],"epoch":-1}"#, "u64"),
            ("permission denied", "expected"),
        ];
        for (text, needle) in cases {
            let error = Route::from_json(text).unwrap_err().to_string();
            assert!(error.contains(needle), "{text}: {error}");
        }
    }
}
