//! The state of a world behind its lock: servers, links, clients, time.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        faults::{CallKind, FaultKind, Faults},
        history::{CallRecord, ErasedTransaction, Erasure, Event, History},
        server::{Power, Server, Until},
        transaction::{Row, Transaction},
    },
    clients::{AttachedWriter, Writer},
    disturbance::Cut,
};
use crate::{Flavor, Micros, Millis, NodeId, Now, Route, WallTime};

#[derive(Debug, Clone)]
pub(in crate::testing) struct Cluster {
    pub(in crate::testing) flavor: Flavor,
    pub(in crate::testing) servers: BTreeMap<NodeId, Server>,
    pub(in crate::testing) cuts: BTreeSet<Cut>,
    pub(in crate::testing) faults: Faults,
    pub(in crate::testing) history: History,
    pub(in crate::testing) calls: Vec<CallRecord>,
    pub(super) writers: Vec<AttachedWriter>,
    /// Whether writers write only when they are told to.
    pub(super) writers_rest: bool,
    pub(super) route: Option<Route>,
    pub(super) next_session: u64,
    next_row: u64,
    elapsed: Micros,
    writable: BTreeSet<NodeId>,
}

impl Cluster {
    pub(super) fn new(flavor: Flavor, servers: BTreeMap<NodeId, Server>) -> Self {
        let mut cluster = Self {
            flavor,
            servers,
            cuts: BTreeSet::new(),
            faults: Faults::default(),
            history: History::default(),
            calls: Vec::new(),
            writers: Vec::new(),
            writers_rest: false,
            route: None,
            next_session: 1,
            next_row: 1,
            elapsed: Micros(0),
            writable: BTreeSet::new(),
        };
        cluster.refresh_links();
        cluster.note_writable();
        cluster
    }

    pub(in crate::testing) fn note(&mut self, event: Event) {
        self.history.events.push(event);
    }

    /// Records who is writable, where that changed.
    pub(in crate::testing) fn note_writable(&mut self) {
        let writable: BTreeSet<_> = self
            .servers
            .iter()
            .filter(|(_, server)| server.is_writable())
            .map(|(node, _)| node.clone())
            .collect();
        if writable != self.writable {
            self.writable.clone_from(&writable);
            self.note(Event::Writable(writable));
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            monotonic: self.elapsed,
            // Some day, so that records look like records.
            wall: WallTime(1_700_000_000_000_000 + self.elapsed.0),
        }
    }

    pub(in crate::testing) fn pass(&mut self, time: Millis) {
        self.elapsed = Micros(self.elapsed.0.saturating_add(Micros::from(time).0));
    }

    pub(super) fn set_clock(&mut self, elapsed: Micros) {
        self.elapsed = elapsed;
    }

    pub(super) fn new_row(&mut self) -> Row {
        let row = Row(self.next_row);
        self.next_row += 1;
        row
    }

    /// Begins a call of the backend: what was late takes effect, what disturbs happens. Returns its
    /// number and the fault that strikes it, if one does.
    pub(in crate::testing) fn begin_call(
        &mut self,
        kind: CallKind,
        node: &NodeId,
    ) -> (u64, Option<FaultKind>) {
        let number = self.calls.len() as u64 + 1;
        self.note(Event::Called { number, kind, node: node.clone() });
        self.pass(Millis(1));
        self.acknowledge_all();
        self.release_waiting(|until| matches!(until, Until::Call(at) if at <= number));
        let mut fault = None;
        for struck in self.faults.strike(number, kind, node) {
            match struck {
                FaultKind::Disturb(disturbance) => self.disturb(disturbance),
                other => fault = Some(other),
            }
        }
        (number, fault)
    }

    /// What goes on between two statements: applications write.
    pub(in crate::testing) fn between_statements(&mut self) {
        if !self.writers_rest {
            self.run_writers();
        }
    }

    /// Carries out the waiting statements whose time has come, on servers that run.
    pub(super) fn release_waiting(&mut self, come: impl Fn(Until) -> bool) {
        let running: Vec<NodeId> = self
            .servers
            .iter()
            .filter(|(_, server)| server.power == Power::Up)
            .map(|(node, _)| node.clone())
            .collect();
        for node in running {
            self.release_waiting_on(&node, &come);
        }
    }

    /// The same on one server.
    pub(super) fn release_waiting_on(&mut self, node: &NodeId, come: impl Fn(Until) -> bool) {
        let Some(server) = self.servers.get_mut(node).filter(|s| s.power == Power::Up) else {
            return;
        };
        let (due, rest) = server.waiting.drain(..).partition(|waiting| come(waiting.until));
        server.waiting = rest;
        let due: Vec<_> = due;
        for waiting in due {
            // A late statement's error has nobody left to hear it.
            let _ = self.execute(node, &waiting.statement);
        }
    }

    /// Records what a relay log was erased with, and who else has it.
    pub(in crate::testing) fn note_erased(
        &mut self,
        node: &NodeId,
        statement: Option<String>,
        erased: &[Transaction],
    ) {
        let own = self.servers.get(node).map(|server| &server.executed);
        let transactions: Vec<_> = erased
            .iter()
            .map(|transaction| transaction.id)
            .filter(|id| !own.is_some_and(|own| own.contains(id)))
            .map(|id| ErasedTransaction {
                id,
                held_by: self
                    .servers
                    .iter()
                    .filter(|(_, server)| server.power == Power::Up && server.holds(id))
                    .map(|(holder, _)| holder.clone())
                    .collect(),
            })
            .collect();
        if !transactions.is_empty() {
            self.note(Event::Erased(Erasure { node: node.clone(), statement, transactions }));
        }
    }

    pub(super) fn attach(&mut self, writer: Writer) {
        self.writers.push(AttachedWriter { writer, session: None });
    }
}
