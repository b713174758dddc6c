//! The journal: a line of durable records whose fold is the state of everything we decide by.

mod execution;
mod record;

use std::{collections::VecDeque, sync::Arc};

pub use self::{
    execution::{Execution, IllegalRecord, Progress, StepRecord, StepStatus},
    record::{Entry, Outcome, Record, StepError},
};
use crate::{
    OperationId, Role,
    intent::Intent,
    plan::{Commit, OperationKind, Rebuilt},
};

/// How many operations that are over are kept at hand; the store keeps all. Of those that set
/// semi-sync at a server, the last one only.
pub const HISTORY: usize = 200;

/// The fold of a cluster's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    intent: Intent,
    running: Option<Execution>,
    history: VecDeque<Arc<Execution>>,
    last_operation: u64,
}

impl Journal {
    /// Folds the records of a store, oldest first.
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, IllegalRecord> {
        let mut journal = Self::default();
        for entry in entries {
            journal.apply(entry)?;
        }
        Ok(journal)
    }

    /// What the operator wants.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// The operation under way.
    pub fn running(&self) -> Option<&Execution> {
        self.running.as_ref()
    }

    /// The operations that are over, oldest first, at most [`HISTORY`].
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Arc<Execution>> {
        self.history.iter()
    }

    /// The number that the next operation gets.
    pub fn next_operation(&self) -> OperationId {
        OperationId(self.last_operation + 1)
    }

    /// Takes one record over, if it may follow.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalRecord> {
        let next_operation = self.next_operation();
        match (&entry.record, &mut self.running) {
            (Record::Changed { change, .. }, _) => {
                self.intent.apply(change);
                Ok(())
            }
            (Record::Began { operation, plan, who }, None) if *operation == next_operation => {
                self.last_operation = operation.0;
                self.running =
                    Some(Execution::begin(*operation, plan.clone(), who.clone(), entry.at));
                Ok(())
            }
            (record, Some(execution)) => {
                if let Record::Committed { commit, .. } = record {
                    check_commit(&self.intent, commit)?;
                }
                execution.apply(entry.at, record)?;
                if let Some((node, executed)) = execution.copied(record) {
                    self.intent.copied(node, executed);
                }
                self.take_over(record);
                Ok(())
            }
            (record, None) => Err(IllegalRecord {
                record: format!("{record:?}"),
                state: "no operation is running".to_owned(),
            }),
        }
    }

    fn take_over(&mut self, record: &Record) {
        let running = self.running.as_ref();
        if running.is_some_and(|execution| execution.opens_the_master(record)) {
            self.intent.opened = Some(self.intent.epoch);
        }
        match record {
            Record::Committed { commit, position, waypoints, .. } => {
                self.intent.commit(commit, position.as_ref(), waypoints);
            }
            Record::Finished { .. } | Record::Abandoned { .. } => {
                if let Some(over) = self.running.take() {
                    self.keep(over);
                }
            }
            _ => {}
        }
    }

    /// Of what is set at a server again and again only the last is kept at hand: it would push
    /// everything that people asked for out.
    fn keep(&mut self, over: Execution) {
        let is_set = |one: &Execution| one.plan.kind == OperationKind::SemiSync;
        if is_set(&over) {
            self.history.retain(|earlier| !is_set(earlier) || earlier.plan.to != over.plan.to);
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Arc::new(over));
    }
}

/// A commit has at most one master and at most one standby, and never changes the master without a new
/// epoch (invariant 6).
fn check_commit(intent: &Intent, commit: &Commit) -> Result<(), IllegalRecord> {
    let holders = |role| commit.roles.iter().filter(move |(_, r)| **r == role).map(|(n, _)| n);
    let moved = holders(Role::Master).next() != intent.master();
    let replica = |rebuilt: &Rebuilt| intent.replicas().any(|node| *node == rebuilt.node);
    let known = commit.paused.iter().all(|node| intent.members.contains_key(node));
    let sound = holders(Role::Master).count() <= 1
        && known
        && commit.rebuilt.as_ref().is_none_or(replica)
        && holders(Role::Standby).count() <= 1
        && commit.epoch >= intent.epoch
        && (!moved || commit.epoch > intent.epoch);
    if sound {
        return Ok(());
    }
    Err(IllegalRecord {
        record: format!("{commit:?}"),
        state: format!("epoch {}, master {:?}", intent.epoch, intent.master()),
    })
}
