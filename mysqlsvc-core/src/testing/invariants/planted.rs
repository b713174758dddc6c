//! Histories with planted bugs, for the tests of the checkers.

use crate::{
    Epoch, Hold, Millis, NodeId, NodeState, OperationId, Phase, Route, RouteNode, RouteVersion,
    testing::{Event, History},
};

pub(super) fn node(number: u8) -> NodeId {
    format!("10.0.0.{number}:3306").parse().unwrap()
}

pub(super) fn history(events: impl IntoIterator<Item = Event>) -> History {
    History { events: events.into_iter().collect() }
}

pub(super) fn writable(numbers: &[u8]) -> Event {
    Event::Writable(numbers.iter().map(|number| node(*number)).collect())
}

/// A route by epoch, version and master.
pub(super) fn open(epoch: u64, version: u64, master: u8) -> Event {
    Event::Published(Route {
        epoch: Epoch(epoch),
        version: RouteVersion(version),
        phase: Phase::Open,
        master: Some(RouteNode { node: node(master), state: NodeState::Ok }),
        slaves: Vec::new(),
    })
}

pub(super) fn hold(epoch: u64, version: u64, master: u8) -> Event {
    match open(epoch, version, master) {
        Event::Published(route) => {
            let hold = Hold { operation: OperationId(1), limit: Millis(10_000) };
            Event::Published(Route { phase: Phase::Hold(hold), ..route })
        }
        other => other,
    }
}
