//! A route, as proxies read it.

use mysqlsvc_core::{NodeId, RouteNode, engine::Snapshot};
use mysqlsvc_monitor::publish::Published;

use super::{node::lag_ms, words};
use crate::wire::{
    AckToken, Container, Hold, Incarnation, OperationId, Phase, Route, RoutePosition, RouteStamp,
};

/// The document of a route, to be sent at once: what is left of a hold is computed now. Ages of
/// data come from the snapshot, for a route is not published anew when only they change.
pub(crate) fn route_document(published: &Published, snapshot: &Snapshot) -> Route {
    let route = published.route();
    let lag = |node: &NodeId| {
        let seen = snapshot.nodes.iter().find(|seen| seen.node == *node);
        seen.and_then(lag_ms)
    };
    let slaves: Vec<Container> = route
        .slaves
        .iter()
        .map(|slave| Container { lag_ms: lag(&slave.node), ..container(slave) })
        .collect();
    let master: Vec<Container> = route.master.iter().map(container).collect();
    Route {
        cluster: published.cluster().to_string(),
        stamp: RouteStamp {
            incarnation: Some(Incarnation::new(published.incarnation().0.to_string())),
            position: RoutePosition { epoch: route.epoch.0, version: route.version.0 },
        },
        phase: phase(published),
        master: master.into(),
        slave: slaves.into(),
    }
}

fn container(server: &RouteNode) -> Container {
    Container {
        state: Some(words::state(&server.state)),
        ..Container::at(server.node.host(), server.node.port())
    }
}

fn phase(published: &Published) -> Phase {
    published.hold().map_or(Phase::Open, |hold| {
        Phase::Hold(Hold {
            operation: OperationId::new(hold.operation.to_string()),
            ack_token: AckToken::new(hold.ack_token.0.to_string()),
            remaining_ms: hold.remaining().0,
        })
    })
}
