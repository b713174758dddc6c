//! Invariant 2: while the phase is open, only the routed master may be writable.

use std::collections::BTreeSet;

use super::{
    super::{Event, History},
    Violation,
};
use crate::{NodeId, Phase, Route};

/// From the first published route on, no server is writable under an open route but its master.
pub fn only_the_routed_master_is_writable(history: &History) -> Result<(), Violation> {
    let mut seen = RoutedWritable::default();
    history.events.iter().try_for_each(|event| seen.see(event))
}

/// Who is writable and what was published last.
#[derive(Debug, Default)]
pub(super) struct RoutedWritable {
    writable: BTreeSet<NodeId>,
    route: Option<Route>,
    /// The old and the new master that may both be writable, whichever is routed.
    beside: Option<(NodeId, NodeId)>,
}

impl RoutedWritable {
    /// That this one is writable now counts for nothing.
    pub(super) fn overlook(&mut self, node: &NodeId) {
        self.writable.remove(node);
    }

    /// From now on these two, or none, may be writable under a route that names one of them.
    pub(super) fn set_beside(&mut self, beside: Option<(NodeId, NodeId)>) {
        self.beside = beside;
    }

    pub(super) fn see(&mut self, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Writable(nodes) => self.writable.clone_from(nodes),
            Event::Published(published) => self.route = Some(published.clone()),
            _ => return Ok(()),
        }
        check(&self.writable, self.route.as_ref(), self.beside.as_ref())
    }
}

fn check(
    writable: &BTreeSet<NodeId>,
    route: Option<&Route>,
    beside: Option<&(NodeId, NodeId)>,
) -> Result<(), Violation> {
    let Some(route) = route.filter(|route| route.phase == Phase::Open) else { return Ok(()) };
    let master = route.master.as_ref().map(|master| &master.node);
    let is_of_them = |node: &NodeId| beside.is_some_and(|(old, new)| node == old || node == new);
    let allowed = |node: &NodeId| {
        master == Some(node) || (master.is_some_and(is_of_them) && is_of_them(node))
    };
    match writable.iter().find(|node| !allowed(node)) {
        None => Ok(()),
        Some(stray) => {
            let routed = master.map_or_else(|| "nobody".to_owned(), ToString::to_string);
            let seen = format!("{stray} is writable while the open route names {routed}");
            Err(Violation::new(2, seen))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::{history, hold, open, writable};
    use super::*;

    #[test]
    fn a_writable_server_beside_an_open_route_is_seen() {
        let moved = [writable(&[1]), open(1, 1, 1), hold(1, 2, 1), writable(&[]), writable(&[2])];
        assert_eq!(only_the_routed_master_is_writable(&history(moved.clone())), Ok(()));
        let wrong_route = moved.iter().cloned().chain([open(2, 3, 1)]);
        assert!(only_the_routed_master_is_writable(&history(wrong_route)).is_err());
        let no_hold = [writable(&[1]), open(1, 1, 1), writable(&[]), writable(&[2])];
        assert!(only_the_routed_master_is_writable(&history(no_hold)).is_err());
    }
}
