//! The world: a cluster of model servers, its clients, its links, and what happened so far.

mod builder;
mod by_position;
mod clients;
pub(super) mod cluster;
mod disturbance;
pub(super) mod execute;
mod fork;
mod replication;
mod semi_sync;
mod snapshot;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::cluster::Cluster;
pub use self::{
    builder::WorldBuilder,
    clients::{WriteAnswer, Writer},
    disturbance::{Cut, Disturbance},
    snapshot::{ServerSnapshot, Snapshot},
};
use super::{
    faults::{Fault, Faults},
    history::{CallRecord, Event, History},
    server::{Rights, Server, SessionId, Until},
    transaction::Row,
};
use crate::{
    Flavor, NodeId, Now, Route,
    backend::{EventName, Finding},
};

/// A cluster of model servers that can be shared: clones are the same world.
///
/// It is deterministic: nothing happens but what is called for. Data moves between servers only by
/// [`World::replicate`] and its parts, and while a backend's call waits for data.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) cluster: Arc<Mutex<Cluster>>,
}

impl World {
    /// Begins to describe a world whose servers are all of that flavour.
    pub fn builder(flavor: Flavor) -> WorldBuilder {
        WorldBuilder::new(flavor)
    }

    /// One master and so many servers in all, the others following it.
    pub fn new(flavor: Flavor, nodes: u8) -> Self {
        Self::builder(flavor).nodes(nodes).build()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Cluster> {
        // A test that panicked in another thread has its own verdict; the state itself is sound.
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the server of that number, counted from 1.
    pub fn node(&self, number: u8) -> NodeId {
        builder::node(number)
    }

    /// All servers' addresses, in order.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.lock().servers.keys().cloned().collect()
    }

    /// Which family the servers are of.
    pub fn flavor(&self) -> Flavor {
        self.lock().flavor
    }

    /// The world's own time: a millisecond for each call of the backend, and whatever was waited.
    pub fn now(&self) -> Now {
        self.lock().now()
    }

    /// Lets time pass in which nothing happens.
    pub fn pass(&self, time: crate::Millis) {
        self.lock().pass(time);
    }

    /// Puts the clock to a moment, for a driver that keeps the time itself: it may let a call's
    /// effect happen now and its answer arrive when the call would have ended.
    pub fn set_clock(&self, elapsed: crate::Micros) {
        self.lock().set_clock(elapsed);
    }

    /// Records a route as published; routed writers use the latest.
    pub fn publish(&self, route: &Route) {
        let mut cluster = self.lock();
        cluster.note(Event::Published(route.clone()));
        cluster.route = Some(route.clone());
    }

    /// Opens a client's session; none where the server cannot be reached.
    pub fn connect(&self, node: &NodeId, user: &str, rights: Rights) -> Option<SessionId> {
        self.lock().connect(node, user, rights)
    }

    /// Ends a session from the client's side.
    pub fn disconnect(&self, session: SessionId) {
        self.lock().disconnect(session);
    }

    /// Whether a session is still there.
    pub fn is_connected(&self, session: SessionId) -> bool {
        self.lock().whereabouts(session).is_some()
    }

    /// Writes one row on a session: at once, or as part of its open transaction.
    pub fn write(&self, session: SessionId) -> WriteAnswer {
        self.lock().write(session)
    }

    /// Opens a transaction on a session.
    pub fn begin(&self, session: SessionId) {
        if let Some(session) = self.lock().session(session) {
            session.transaction = Some(Vec::new());
        }
    }

    /// Commits a session's open transaction.
    pub fn commit(&self, session: SessionId) -> WriteAnswer {
        self.lock().commit(session)
    }

    /// Takes LOCK TABLES on a session, of a table that nobody else writes.
    pub fn lock_tables(&self, session: SessionId) {
        if let Some(session) = self.lock().session(session) {
            session.locks = true;
        }
    }

    /// Connects as the application, writes one row, disconnects.
    pub fn client_write(&self, node: &NodeId) -> WriteAnswer {
        let mut cluster = self.lock();
        let Some(session) = cluster.connect(node, "app", Rights::Ordinary) else {
            return WriteAnswer::NoAnswer;
        };
        let answer = cluster.write(session);
        cluster.disconnect(session);
        answer
    }

    /// Adds an application that writes between any two statements of ours from now on.
    pub fn add_writer(&self, writer: Writer) {
        self.lock().attach(writer);
    }

    /// Lets every writer try one more write.
    pub fn run_writers(&self) {
        self.lock().run_writers();
    }

    /// Ends all writers; their sessions stay until somebody ends them.
    pub fn stop_writers(&self) {
        self.lock().writers.clear();
    }

    /// A replica receives at most so many transactions; returns how many it did.
    pub fn receive(&self, node: &NodeId, most: usize) -> usize {
        self.lock().receive(node, most)
    }

    /// A replica applies at most so many of what it received; returns how many it did.
    pub fn apply(&self, node: &NodeId, most: usize) -> usize {
        self.lock().apply(node, most)
    }

    /// Steps every replica until nothing moves any more.
    pub fn replicate(&self) {
        self.lock().replicate_all();
    }

    /// Lets everything happen that is still under way: late statements, then replication. What
    /// waits for a lock or for a hung server goes on waiting.
    pub fn settle(&self) {
        let mut cluster = self.lock();
        cluster.release_waiting(|until| matches!(until, Until::Call(_)));
        cluster.replicate_all();
    }

    /// Purges the binary log of what has been executed so far.
    pub fn purge(&self, node: &NodeId) {
        if let Some(server) = self.lock().servers.get_mut(node) {
            server.purged = server.log.len();
        }
    }

    /// Gives a server GTIDs, or none (`gtid_mode`), with which it boots.
    pub fn set_by_position(&self, node: &NodeId, by_position: bool) {
        if let Some(server) = self.lock().servers.get_mut(node) {
            server.by_position = by_position;
        }
    }

    /// Writes a row on a server whatever its variables say, as an administrator with the binary log
    /// on would: an errant transaction, if the server is a replica.
    pub fn write_errant(&self, node: &NodeId) {
        let mut cluster = self.lock();
        let row = cluster.new_row();
        if let Some(server) = cluster.servers.get_mut(node) {
            server.commit(row);
        }
    }

    /// The scheduled events that are enabled on a server.
    pub fn set_events(&self, node: &NodeId, events: impl IntoIterator<Item = EventName>) {
        if let Some(server) = self.lock().servers.get_mut(node) {
            server.events = events.into_iter().collect();
        }
    }

    /// What an inspection of that server is to find.
    pub fn set_findings(&self, node: &NodeId, findings: Vec<Finding>) {
        if let Some(server) = self.lock().servers.get_mut(node) {
            server.findings = findings;
        }
    }

    /// Does something to the world, now.
    pub fn disturb(&self, disturbance: Disturbance) {
        self.lock().disturb(disturbance);
    }

    /// Plans a fault for a later call of the backend.
    pub fn plan_fault(&self, fault: Fault) {
        self.lock().faults.add(fault);
    }

    /// The backend's calls so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().calls.clone()
    }

    /// How many calls of the backend there were.
    pub fn call_count(&self) -> u64 {
        self.lock().calls.len() as u64
    }

    /// What happened since there were so many events in the history.
    pub fn events_since(&self, place: usize) -> Vec<Event> {
        self.lock().history.events.get(place..).unwrap_or_default().to_vec()
    }

    /// Which of these rows a server has not; all of them if there is no such server.
    pub fn rows_missing(&self, node: &NodeId, rows: &BTreeSet<Row>) -> BTreeSet<Row> {
        let has = self.lock().servers.get(node).map(Server::rows).unwrap_or_default();
        rows.difference(&has).copied().collect()
    }

    /// Forgets every fault that has not struck yet.
    pub fn forget_faults(&self) {
        self.lock().faults = Faults::default();
    }

    /// What happened so far.
    pub fn history(&self) -> History {
        self.lock().history.clone()
    }

    /// What is the case now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.lock())
    }
}
