//! Replication by position: from where a server is let follow another, exactly or not at all, and
//! what a commit makes known of places in binary logs.

use super::Engine;
use crate::{
    Action, ActionError, ActionErrorKind, GtidSet, Millis, NodeId, Now,
    backend::{Observed, Stand, Start},
    gtid::PositionSet,
    intent::{Waypoint, start},
    journal::{Record, StepError},
    plan::OperationKind,
};

/// A server is asked for so long where it stands.
const ASKED: Millis = Millis(2_000);

impl Engine {
    /// By position, a server is asked where it stands just before it is let follow another: what a
    /// look saw may be over.
    pub(super) fn must_say_where(&self, action: &Action) -> Option<Action> {
        let Action::Follow { node, from: None, .. } = action else { return None };
        let asks = self.intent().is_by_position() && self.work.stood.is_none();
        let position = GtidSet::Positions(PositionSet::default());
        asks.then(|| Action::AwaitExecuted { node: node.clone(), position, limit: ASKED })
    }

    /// Puts into an action from where its server follows, by where it just said that it stands.
    pub(super) fn placed(&mut self, action: Action) -> Result<Action, ActionError> {
        match (self.work.stood.take(), action) {
            (Some(stand), Action::Follow { node, source, manner, from: None }) => {
                let from = self.start_of(&node, &source, &stand)?;
                Ok(Action::Follow { node, source, manner, from })
            }
            (_, other) => Ok(other),
        }
    }

    fn start_of(
        &self,
        node: &NodeId,
        source: &NodeId,
        stand: &Stand,
    ) -> Result<Option<Start>, ActionError> {
        let Stand { executed: raw, place, .. } = stand;
        if raw.entry(PositionSet::UNKNOWN_SOURCE).is_some() {
            // It was just told whom to follow, and has not got there: no more is to be said.
            return Ok(None);
        }
        let uuid = |node| self.intent().members.get(node).and_then(|it| it.identity.server_uuid);
        let refused = |detail| ActionError {
            node: node.clone(),
            action: format!("let {node} replicate from {source}"),
            kind: ActionErrorKind::Unsafe,
            detail,
        };
        let (Some(own), Some(to)) = (uuid(node), uuid(source)) else {
            return Err(refused(format!("{node} or {source} has no server_uuid")));
        };
        let executed = self.intent().executed_at(node, own, !raw.is_empty(), stand);
        let at = raw.entry(to).or_else(|| start(&self.intent().waypoints, &executed, to));
        match at {
            Some(at) => Ok(Some(Start { at, judged: place.clone() })),
            None => Err(refused(no_position(node, source, &executed))),
        }
    }

    /// By position, the log of an old master that restarted has gone on, though nothing was written:
    /// the new one, which an attempt to open it may have stopped, comes to its end only by reading
    /// on. What is read is executed behind the place that is known to be the frozen one.
    pub(super) fn must_read_on(&self, opened: &NodeId, held: &GtidSet) -> Option<Action> {
        let more = self.work.regained.as_ref().is_some_and(|more| !held.contains(more));
        let due = more && !self.work.reads_on && self.intent().is_by_position();
        due.then(|| Action::StartReplication { node: opened.clone() })
    }

    /// A server said where it stands.
    pub(super) fn stood(
        &mut self,
        now: Now,
        (step, back): (usize, bool),
        asked: Result<Observed, ActionError>,
    ) {
        let error = match asked {
            Ok(Observed::Stands(stand)) => {
                self.work.stood = Some(stand);
                return;
            }
            Ok(_) => {
                let Some(execution) = self.running() else { return };
                let Some(planned) = execution.plan.steps.get(step) else { return };
                let node = planned.action().map_or(&execution.plan.to, Action::node).clone();
                let detail = "it says no place in its binary log; the cluster replicates by \
                              position, and this server seems to have GTIDs now"
                    .to_owned();
                let (action, kind) = (planned.to_string(), ActionErrorKind::Refused);
                ActionError { node, action, kind, detail }
            }
            Err(error) => error,
        };
        self.not_placed(now, step, back, error);
    }

    /// It is not known from where a server is to follow.
    pub(super) fn not_placed(&mut self, now: Now, step: usize, back: bool, error: ActionError) {
        if back {
            self.undo_failed(now, step, error);
        } else {
            self.step_failed(now, step, error);
        }
    }

    /// A commit with what it makes known; a failure of its step where that contradicts what is
    /// known.
    pub(super) fn with_waypoints(&self, record: Record) -> Record {
        let Record::Committed { step, commit, position, .. } = record else { return record };
        match self.waypoints_known() {
            Ok(waypoints) => Record::Committed { step, commit, position, waypoints },
            Err(error) => Record::Failed { step, error: StepError::Action(error) },
        }
    }

    fn waypoints_known(&self) -> Result<Vec<Waypoint>, ActionError> {
        let intent = self.intent();
        let Some(execution) = self.running().filter(|_| intent.is_by_position()) else {
            return Ok(Vec::new());
        };
        let plan = &execution.plan;
        let uuid = |node: &NodeId| intent.members.get(node)?.identity.server_uuid;
        let known = match (plan.kind, execution.stood(&plan.to), uuid(&plan.to)) {
            (OperationKind::Switch, Some(stand), Some(to)) => {
                if !is_its_log(&intent.known_place(to), to, stand) {
                    return Err(log_begun_anew(&plan.to, stand));
                }
                let held = execution.position().and_then(GtidSet::positions);
                let from = plan.from.as_ref().and_then(uuid);
                held.zip(from).and_then(|(holds, from)| {
                    let waypoint = |server, at| Waypoint { server, at, holds: holds.clone() };
                    let frozen = waypoint(from, holds.entry(from)?);
                    Some(vec![frozen, waypoint(to, stand.place.clone())])
                })
            }
            (OperationKind::Detach, Some(stand), Some(server)) => {
                let source = self.view.probe(&plan.to).and_then(|it| it.replication.as_ref());
                let source = source.map(|seen| &seen.source);
                let executed = intent.of_known_source(&stand.executed, source);
                let known = Stand { executed, ..stand.clone() };
                let holds = intent.executed_at(&plan.to, server, true, &known);
                Some(vec![Waypoint { server, at: stand.place.clone(), holds }])
            }
            // A cluster that changed to GTIDs, or the reverse, is stopped before.
            (OperationKind::Switch | OperationKind::Detach, _, _) => None,
            _ => Some(Vec::new()),
        };
        // The master gives its reverse channel up without a place, for it has none.
        let needed = plan.kind == OperationKind::Switch || intent.master() != Some(&plan.to);
        known.or_else(|| (!needed).then(Vec::new)).ok_or_else(|| ActionError {
            node: plan.to.clone(),
            action: plan.kind.to_string(),
            kind: ActionErrorKind::Unsafe,
            detail: "it is not known where its binary log ended".to_owned(),
        })
    }
}

/// Whether a server's log goes on from where it was known to be.
pub(super) fn is_its_log(known: &PositionSet, server: uuid::Uuid, stand: &Stand) -> bool {
    PositionSet::of(server, &stand.place).contains(known)
}

fn log_begun_anew(node: &NodeId, stand: &Stand) -> ActionError {
    ActionError {
        node: node.clone(),
        action: "commit".to_owned(),
        kind: ActionErrorKind::Unsafe,
        detail: begun_anew(node, &stand.place.to_string()),
    }
}

/// Why a server may not lead whose binary log was reset or renamed.
pub(super) fn begun_anew(node: &NodeId, place: &str) -> String {
    format!(
        "the binary log of {node} ends at {place}, and was beyond that, or had another name, before: \
         it was reset or renamed, and its places mean two things now; give {node} a new server_uuid \
         (stop it, remove auto.cnf), and unregister and register it"
    )
}

/// Why it is not known where a server goes on.
pub(super) fn no_position(node: &NodeId, source: &NodeId, executed: &PositionSet) -> String {
    let has = if executed.is_empty() { "nothing".to_owned() } else { executed.to_string() };
    format!(
        "no place in the binary log of {source} is known that is exactly what {node} has executed \
         ({has}); say which it is with `mysqlsvc activate {node} --at FILE:OFFSET`, or make it a \
         copy of {source}"
    )
}
