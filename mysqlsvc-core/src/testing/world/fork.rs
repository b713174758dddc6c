//! Worlds as values: what a model checker needs, which goes on from one moment in several ways.

use std::sync::{Arc, Mutex};

use super::{History, Until, World};
use crate::NodeId;

impl World {
    /// Another world that is like this one now; from here on each goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        let cluster = self.lock().clone();
        Self { cluster: Arc::new(Mutex::new(cluster)) }
    }

    /// Puts another history in place of its own, and counts the backend's calls from 1 again: two
    /// worlds that came to the same in different ways are then the same.
    pub fn remember_only(&self, history: History) {
        let mut cluster = self.lock();
        cluster.history = history;
        cluster.calls.clear();
    }

    /// From now on writers write only when [`World::run_writers`] is called (`true`), or between
    /// any two statements as well (`false`, as a world begins).
    pub fn rest_writers(&self, rest: bool) {
        self.lock().writers_rest = rest;
    }

    /// Carries out, on one server, the statements that the network delivers late.
    pub fn deliver_late(&self, node: &NodeId) {
        self.lock().release_waiting_on(node, |until| matches!(until, Until::Call(_)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavor;

    #[test]
    fn a_fork_goes_its_own_way() {
        let world = World::new(Flavor::MySql, 2);
        let fork = world.fork();
        assert_eq!(fork.snapshot(), world.snapshot());
        fork.client_write(&fork.node(1));
        assert_ne!(fork.snapshot(), world.snapshot());
        assert!(fork.history().events.len() > world.history().events.len());
        fork.remember_only(History::default());
        assert_eq!(fork.history(), History::default());
    }
}
