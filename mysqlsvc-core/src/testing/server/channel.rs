//! A model replica's side of replication.

use std::collections::VecDeque;

use super::super::transaction::{Transaction, TransactionId};
use crate::{Identity, NodeId, ReplicationError, gtid::Coordinate};

/// How a replica's applier gets on, besides being started or stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Applier {
    /// It applies whatever has been received.
    #[default]
    Free,
    /// It applies at most so many transactions each time the world is stepped.
    Slow(usize),
    /// It runs, but applies nothing: a long transaction, a lock.
    Held,
}

/// The configured source, the two threads, and the relay log.
#[derive(Debug, Clone)]
pub(in crate::testing) struct Channel {
    pub(in crate::testing) source: NodeId,
    /// Who answered there, once connected.
    pub(in crate::testing) source_identity: Option<Identity>,
    pub(in crate::testing) io_started: bool,
    pub(in crate::testing) sql_started: bool,
    /// Whether the started I/O thread has reached its source.
    pub(in crate::testing) connected: bool,
    /// Whom it told, when it connected, that it acknowledges (semi-sync).
    pub(in crate::testing) acknowledges_to: Option<NodeId>,
    pub(in crate::testing) io_error: Option<ReplicationError>,
    pub(in crate::testing) sql_error: Option<ReplicationError>,
    /// Received and not yet applied, in order.
    pub(in crate::testing) relay: VecDeque<Transaction>,
    /// Received since the relay log began, applied or not.
    pub(in crate::testing) received: Vec<TransactionId>,
    /// MariaDB: where the I/O thread goes on reading.
    pub(in crate::testing) read_up_to: Option<TransactionId>,
    /// By position: where the I/O thread goes on reading.
    pub(in crate::testing) read_at: Option<Coordinate>,
    /// By position: up to where the source's log was executed.
    pub(in crate::testing) done_at: Option<Coordinate>,
    /// By position: where each transaction of the relay log ends in the source's log.
    pub(in crate::testing) ends: VecDeque<Coordinate>,
}

impl Channel {
    /// What `CHANGE REPLICATION SOURCE` leaves: both threads stopped, an empty relay log.
    pub(in crate::testing) fn new(source: NodeId, at: Option<Coordinate>) -> Self {
        Self {
            source,
            source_identity: None,
            io_started: false,
            sql_started: false,
            connected: false,
            acknowledges_to: None,
            io_error: None,
            sql_error: None,
            relay: VecDeque::new(),
            received: Vec::new(),
            read_up_to: None,
            read_at: at.clone(),
            done_at: at,
            ends: VecDeque::new(),
        }
    }

    pub(in crate::testing) fn stop(&mut self) {
        self.io_started = false;
        self.sql_started = false;
        self.connected = false;
    }

    /// Throws the relay log away; returns what had not been applied.
    pub(in crate::testing) fn erase_relay_log(&mut self) -> Vec<Transaction> {
        self.received.clear();
        self.ends.clear();
        self.read_at.clone_from(&self.done_at);
        self.relay.drain(..).collect()
    }

    /// Takes over whether the source can be reached now. That it `acknowledges` is told then, and
    /// not later.
    pub(in crate::testing) fn connect(&mut self, reached: Option<Identity>, acknowledges: bool) {
        if !self.io_started {
            self.connected = false;
            return;
        }
        if !self.connected {
            self.acknowledges_to = acknowledges.then(|| self.source.clone());
        }
        self.connected = reached.is_some();
        if let Some(identity) = reached {
            self.source_identity = Some(identity);
            self.io_error = None;
        } else {
            let text = format!("error connecting to source {}", self.source);
            self.io_error = Some(ReplicationError { errno: 2003, text });
        }
    }

    /// The I/O thread stops for good: the source cannot give what is asked of it.
    pub(in crate::testing) fn fail_reading(&mut self, text: String) {
        self.io_started = false;
        self.connected = false;
        self.io_error = Some(ReplicationError { errno: 1236, text });
    }

    /// The applier stops with an error.
    pub(in crate::testing) fn fail_applying(&mut self, errno: u32, text: String) {
        self.sql_started = false;
        self.sql_error = Some(ReplicationError { errno, text });
    }
}
