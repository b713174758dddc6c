//! One call of the backend: statements to one server, each of which may meet the call's fault.

use std::fmt::Display;

use super::super::{
    faults::{CallKind, FaultKind},
    history::CallRecord,
    server::{Power, Server, ServerError, Statement, Until, Waiting},
    world::{Cut, Disturbance, cluster::Cluster, execute::Reply},
};
use crate::{ActionError, ActionErrorKind, Millis, NodeId, Tag};

pub(super) struct Conversation<'world> {
    pub(super) cluster: &'world mut Cluster,
    pub(super) node: NodeId,
    kind: CallKind,
    number: u64,
    tag: Option<Tag>,
    /// How long a statement waits for a lock.
    pub(super) limit: Millis,
    fault: Option<FaultKind>,
    /// How many statements the server was sent.
    sent: usize,
    /// Whether one of them changed it.
    changed: bool,
}

/// The limit of calls that have none of their own.
const OWN_LIMIT: Millis = Millis(2_000);

impl<'world> Conversation<'world> {
    pub(super) fn begin(
        cluster: &'world mut Cluster,
        kind: CallKind,
        node: &NodeId,
        tag: Option<&Tag>,
    ) -> Self {
        let (number, fault) = cluster.begin_call(kind, node);
        Self {
            cluster,
            node: node.clone(),
            kind,
            number,
            tag: tag.cloned(),
            limit: OWN_LIMIT,
            fault,
            sent: 0,
            changed: false,
        }
    }

    /// Sends a statement and waits for its answer.
    pub(super) fn send(&mut self, statement: &Statement) -> Result<Reply, ActionError> {
        self.strike(statement)?;
        self.reach(statement)?;
        let answer = self.cluster.execute(&self.node, statement);
        self.sent += 1;
        match answer {
            Ok(reply) => {
                self.changed |= statement.changes_server() && *statement != Statement::KillTagged;
                self.cluster.between_statements();
                Ok(reply)
            }
            Err(error) => Err(self.refused(statement, &error)),
        }
    }

    /// Lets the call's fault strike before a statement, if this is its place.
    fn strike(&mut self, statement: &Statement) -> Result<(), ActionError> {
        match self.fault.clone() {
            Some(FaultKind::Fail(kind)) => Err(self.error(kind, "so the fault has it")),
            Some(FaultKind::Cut { after }) if after == self.sent => {
                Err(self.error(ActionErrorKind::Unknown, "connection lost"))
            }
            Some(FaultKind::Late { statement: late, calls }) if late == self.sent => {
                let until = self.lateness(statement, calls);
                self.leave_waiting(statement, until);
                Err(self.error(ActionErrorKind::Unknown, "connection lost while it waited"))
            }
            Some(FaultKind::Crash { after, .. }) if after == self.sent => Err(self.crash()),
            Some(FaultKind::Hang { after }) if after == self.sent => {
                self.cluster.disturb(Disturbance::Hang(self.node.clone()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// MySQL's SET outlives its client behind a lock; MariaDB drops it (server-facts 1), but may
    /// still receive what a broken network delivers late.
    fn lateness(&self, statement: &Statement, calls: u64) -> Until {
        let locked = self.cluster.servers.get(&self.node).is_some_and(Server::is_locked);
        if locked && matches!(statement, Statement::SetReadOnly(_)) {
            Until::Unlocked
        } else {
            Until::Call(self.number + calls)
        }
    }

    fn leave_waiting(&mut self, statement: &Statement, until: Until) {
        let dropped = until == Until::Unlocked && self.cluster.flavor == crate::Flavor::MariaDb;
        let Some(tag) = self.tag.clone().filter(|_| statement.changes_server() && !dropped) else {
            return;
        };
        if let Some(server) = self.cluster.servers.get_mut(&self.node) {
            server.waiting.push(Waiting { tag, statement: statement.clone(), until });
        }
    }

    fn crash(&mut self) -> ActionError {
        self.cluster.disturb(Disturbance::Crash(self.node.clone()));
        let kind =
            if self.sent == 0 { ActionErrorKind::Unreachable } else { ActionErrorKind::Unknown };
        self.error(kind, "the server died")
    }

    /// Whether the server can be sent anything now.
    fn reach(&mut self, statement: &Statement) -> Result<(), ActionError> {
        let cut = self.cluster.cuts.contains(&Cut::Monitor(self.node.clone()));
        let unreachable =
            if self.sent == 0 { ActionErrorKind::Unreachable } else { ActionErrorKind::Unknown };
        match self.cluster.servers.get(&self.node) {
            Some(server) if server.power == Power::Hung && !cut => {
                self.leave_waiting(statement, Until::Resumed);
                self.cluster.pass(self.limit);
                Err(self.error(ActionErrorKind::Unknown, "no answer: the server hangs"))
            }
            Some(server) if server.power == Power::Up && !cut => {
                if server.login_refused {
                    Err(self.error(ActionErrorKind::Refused, "1045 Access denied"))
                } else if server.denied.contains(&self.kind) {
                    Err(self
                        .error(ActionErrorKind::Refused, "1227 Access denied; you need a right"))
                } else {
                    Ok(())
                }
            }
            _ => Err(self.error(unreachable, "cannot connect")),
        }
    }

    fn refused(&mut self, statement: &Statement, error: &ServerError) -> ActionError {
        if error.errno == ServerError::LOCK_WAIT_TIMEOUT {
            self.cluster.pass(self.limit);
        }
        let kind = if self.changed { ActionErrorKind::Unknown } else { ActionErrorKind::Refused };
        self.error(kind, format!("{statement}: {} {}", error.errno, error.text))
    }

    pub(super) fn error(&self, kind: ActionErrorKind, detail: impl Display) -> ActionError {
        ActionError {
            node: self.node.clone(),
            action: format!("{:?}", self.kind),
            kind,
            detail: detail.to_string(),
        }
    }

    /// Ends the call: its connection closes, and a fault that has not struck yet takes the answer.
    pub(super) fn end<T>(mut self, result: Result<T, ActionError>) -> Result<T, ActionError> {
        if let Some(server) = self.cluster.servers.get_mut(&self.node) {
            server.all_tables_locked = false;
        }
        let result = match self.fault.clone() {
            Some(FaultKind::Cut { after }) if after >= self.sent && result.is_ok() => {
                Err(self.error(ActionErrorKind::Unknown, "connection lost"))
            }
            Some(FaultKind::Crash { after, .. }) if after >= self.sent && result.is_ok() => {
                Err(self.crash())
            }
            Some(FaultKind::Hang { after }) if after >= self.sent && result.is_ok() => {
                self.cluster.disturb(Disturbance::Hang(self.node.clone()));
                result
            }
            _ => result,
        };
        if let Some(FaultKind::Crash { restarts: true, .. }) = self.fault {
            self.cluster.disturb(Disturbance::Start(self.node.clone()));
        }
        self.cluster.calls.push(CallRecord {
            number: self.number,
            kind: self.kind,
            node: self.node,
            statements: self.sent,
            error: result.as_ref().err().map(ToString::to_string),
        });
        result
    }
}
