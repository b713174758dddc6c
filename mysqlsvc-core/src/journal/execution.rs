//! The state of one operation: the fold of its records, and nothing else.

use super::{Outcome, Record, StepError};
use crate::{
    Action, ActionError, GtidSet, Micros, NodeId, OperationId, WallTime,
    backend::{Observed, Stand},
    plan::{Act, OperationKind, Plan, Step},
};

/// One operation, running or over: a fold in which only these records may follow.
///
/// | standing | may follow |
/// |---|---|
/// | before a Try that changes a server | `Started`; `Failed` |
/// | such a Try, started | `Done`, `Failed` |
/// | before a Try that changes nothing | `Done`, `Failed` |
/// | before the Commit | `Committed`, `Failed` |
/// | before a Must | `Done`; `Skipped` where it is optional |
/// | behind the last step | `Finished(Succeeded)` |
/// | taking a step back | `Undone` or `Forsaken` of that step |
/// | with nothing left to take back | `Finished(RolledBack)` |
/// | anywhere before the end | `Abandoned` |
///
/// `Undone` and `Failed` of a step that was started leave its own undo to be done as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its number.
    pub operation: OperationId,
    /// Its steps.
    pub plan: Plan,
    /// Who asked for it.
    pub who: String,
    /// When it was begun.
    pub began: WallTime,
    /// When it was over.
    pub ended: Option<WallTime>,
    /// What is known of each step; as long as the plan.
    pub steps: Vec<StepRecord>,
    /// Where it stands.
    pub progress: Progress,
    failure: Option<StepError>,
    /// From sending the freeze to knowing the new master open.
    pub critical_section: Option<Micros>,
    /// From sending the freeze to knowing that some master takes writes again.
    pub write_unavailable: Option<Micros>,
}

/// What is known of one step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepRecord {
    /// When it came to this.
    pub at: Option<WallTime>,
    /// What it came to.
    pub status: StepStatus,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StepStatus {
    /// Not begun.
    #[default]
    Pending,
    /// Begun; whether it took effect is not known.
    Started,
    /// Done.
    Done {
        /// How long it took.
        took: Micros,
        /// What was seen.
        observed: Observed,
    },
    /// Failed.
    Failed(StepError),
    /// Given up.
    Skipped(ActionError),
    /// Taken back.
    Undone,
    /// Not taken back, for that could not be done.
    Forsaken(ActionError),
}

/// Where an operation stands. The next effect follows from this and the plan alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Going forward; `next == plan.steps.len()` means that only `Finished` is missing.
    Forward {
        /// The step to do.
        next: usize,
        /// Whether its `Started` is recorded.
        started: bool,
        /// Whether the pivot lies behind.
        committed: bool,
    },
    /// Taking back; none means that only `Finished` is missing.
    Unwinding {
        /// The step to take back.
        next: Option<usize>,
    },
    /// Over.
    Ended(Outcome),
}

/// A record that may not follow what the journal holds: a bug, or a damaged store. Nothing is done
/// on such a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal is not sound: {record} may not follow ({state})")]
pub struct IllegalRecord {
    pub(super) record: String,
    pub(super) state: String,
}

impl Execution {
    pub(super) fn begin(operation: OperationId, plan: Plan, who: String, at: WallTime) -> Self {
        let steps = vec![StepRecord::default(); plan.steps.len()];
        let progress = Progress::Forward { next: 0, started: false, committed: false };
        Self {
            operation,
            plan,
            who,
            began: at,
            ended: None,
            steps,
            progress,
            failure: None,
            critical_section: None,
            write_unavailable: None,
        }
    }

    /// Whether the pivot lies behind.
    pub fn is_committed(&self) -> bool {
        match self.progress {
            Progress::Forward { committed, .. } => committed,
            Progress::Unwinding { .. } => false,
            Progress::Ended(outcome) => outcome == Outcome::Succeeded,
        }
    }

    /// Whether it stands before a step that can fail, so that it can still be taken back.
    pub fn can_be_taken_back(&self) -> bool {
        match self.progress {
            Progress::Forward { next, .. } => {
                matches!(self.plan.steps.get(next), Some(Step::Try { .. } | Step::Commit(_)))
            }
            Progress::Unwinding { .. } | Progress::Ended(_) => false,
        }
    }

    /// Whether a record says that the master was opened for writes.
    pub(super) fn opens_the_master(&self, record: &Record) -> bool {
        let Record::Done { step, .. } = record else {
            return false;
        };
        let action = self.plan.steps.get(*step).and_then(Step::action);
        matches!(
            action,
            Some(Action::Open { .. } | Action::OpenBeside { .. } | Action::Thaw { .. })
        )
    }

    /// Whether nothing more is done for it.
    pub fn is_over(&self) -> bool {
        matches!(self.progress, Progress::Ended(_))
    }

    /// What the frozen master had executed (the G of DESIGN 4), once that is known.
    pub fn position(&self) -> Option<&GtidSet> {
        self.observed_by(|action| matches!(action, Action::Freeze { .. }))
    }

    /// What the new master had executed when it was opened beside the old one (availability
    /// first). What the old one had at its freeze and is not in here was written on both at once.
    pub fn opened_beside(&self) -> Option<&GtidSet> {
        self.observed_by(|action| matches!(action, Action::OpenBeside { .. }))
    }

    /// Where a node was last seen to stand that was waited for, by position.
    pub fn stood(&self, node: &NodeId) -> Option<&Stand> {
        let of_node = |planned: &Step| match planned {
            Step::Try { act: Act::CatchUp { node: of, .. }, .. } => of == node,
            _ => {
                matches!(planned.action(), Some(Action::AwaitExecuted { node: of, .. }) if of == node)
            }
        };
        let steps = self.plan.steps.iter().zip(&self.steps).rev();
        steps.filter(|(planned, _)| of_node(planned)).find_map(|(_, step)| match &step.status {
            StepStatus::Done { observed: Observed::Stands(stand), .. } => Some(stand),
            _ => None,
        })
    }

    fn observed_by(&self, which: impl Fn(&Action) -> bool) -> Option<&GtidSet> {
        let steps = self.plan.steps.iter().zip(&self.steps);
        let mut of_that_kind = steps.filter(|(planned, _)| planned.action().is_some_and(&which));
        of_that_kind.find_map(|(_, step)| match &step.status {
            StepStatus::Done { observed: Observed::Position(position), .. } => Some(position),
            _ => None,
        })
    }

    /// Why the new master could not take over everything that was written on the old one while
    /// both were open (availability first); none where it could, or nothing is known yet.
    pub fn diverged(&self) -> Option<&ActionError> {
        self.plan.steps.iter().zip(&self.steps).find_map(|(planned, step)| {
            match (planned, &step.status) {
                (Step::Must { act: Act::CatchUp { node, .. }, .. }, StepStatus::Skipped(error))
                    if *node == self.plan.to =>
                {
                    Some(error)
                }
                _ => None,
            }
        })
    }

    /// The step that an optional copy is, or what was to come of it, if it was given up.
    pub fn left_undone(&self) -> Option<&ActionError> {
        if self.plan.kind != OperationKind::Clone {
            return None;
        }
        self.steps.iter().find_map(|step| match &step.status {
            StepStatus::Skipped(error) => Some(error),
            _ => None,
        })
    }

    /// The copy that is to be made next, or is being made: the node and the donor.
    pub fn copying(&self) -> Option<(&NodeId, &NodeId)> {
        let Progress::Forward { next, .. } = self.progress else { return None };
        match self.plan.steps.get(next)?.action()? {
            Action::CopyFrom { node, donor } => Some((node, donor)),
            _ => None,
        }
    }

    /// The node that a record says to be a whole copy, and what it has.
    pub(super) fn copied<'a>(&'a self, record: &'a Record) -> Option<(&'a NodeId, &'a GtidSet)> {
        let Record::Done { step, observed: Observed::Copied(executed), .. } = record else {
            return None;
        };
        match self.plan.steps.get(*step)?.action()? {
            Action::CopyFrom { node, .. } => Some((node, executed)),
            _ => None,
        }
    }

    /// Whether a step was given up.
    pub fn has_skipped(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.status, StepStatus::Skipped(_)))
    }

    /// Why it was taken back.
    pub fn failure(&self) -> Option<&StepError> {
        self.failure.as_ref()
    }

    /// The undo of a step, if it has one.
    pub fn undo(&self, step: usize) -> Option<&Action> {
        match self.plan.steps.get(step) {
            Some(Step::Try { undo, .. }) => undo.as_ref(),
            _ => None,
        }
    }

    /// Takes a record over, if it may follow; the table stands at [`Execution`].
    pub(super) fn apply(&mut self, at: WallTime, record: &Record) -> Result<(), IllegalRecord> {
        let (step, status, progress) = self.next(record).ok_or_else(|| self.illegal(record))?;
        if let Some(step) = step {
            // That it was taken back does not hide that the step failed; that it was not, does.
            let failed = matches!(self.steps[step].status, StepStatus::Failed(_));
            if !failed || matches!(status, StepStatus::Forsaken(_)) {
                self.steps[step] = StepRecord { at: Some(at), status };
            }
        }
        if let Record::Failed { error, .. } = record {
            self.failure = Some(error.clone());
        }
        if let Record::Abandoned { .. } = record {
            self.ended = Some(at);
        }
        if let Record::Finished { critical_section, write_unavailable, .. } = record {
            self.ended = Some(at);
            self.critical_section = *critical_section;
            self.write_unavailable = *write_unavailable;
        }
        self.progress = progress;
        Ok(())
    }

    fn next(&self, record: &Record) -> Option<(Option<usize>, StepStatus, Progress)> {
        if let (Record::Abandoned { .. }, false) = (record, self.is_over()) {
            return Some((None, StepStatus::Pending, Progress::Ended(Outcome::Abandoned)));
        }
        match self.progress {
            Progress::Forward { next, started, committed } => {
                self.forward(next, started, committed, record)
            }
            Progress::Unwinding { next: Some(step) } => match record {
                Record::Undone { step: undone } if *undone == step => {
                    let next = self.undoable_below(step);
                    Some((Some(step), StepStatus::Undone, Progress::Unwinding { next }))
                }
                Record::Forsaken { step: left, error } if *left == step => {
                    let next = self.undoable_below(step);
                    let status = StepStatus::Forsaken(error.clone());
                    Some((Some(step), status, Progress::Unwinding { next }))
                }
                _ => None,
            },
            Progress::Unwinding { next: None } => match record {
                Record::Finished { outcome: Outcome::RolledBack, .. } => {
                    Some((None, StepStatus::Undone, Progress::Ended(Outcome::RolledBack)))
                }
                _ => None,
            },
            Progress::Ended(_) => None,
        }
    }

    fn forward(
        &self,
        next: usize,
        started: bool,
        committed: bool,
        record: &Record,
    ) -> Option<(Option<usize>, StepStatus, Progress)> {
        let Some(planned) = self.plan.steps.get(next) else {
            return match record {
                Record::Finished { outcome: Outcome::Succeeded, .. } => {
                    Some((None, StepStatus::Pending, Progress::Ended(Outcome::Succeeded)))
                }
                _ => None,
            };
        };
        let on = |committed| Progress::Forward { next: next + 1, started: false, committed };
        match (planned, record) {
            (Step::Try { act, .. }, Record::Started { step })
                if *step == next && !started && act.changes_server() =>
            {
                let progress = Progress::Forward { next, started: true, committed };
                Some((Some(next), StepStatus::Started, progress))
            }
            (Step::Try { act, .. }, Record::Done { step, took, observed })
                if *step == next && started == act.changes_server() =>
            {
                let status = StepStatus::Done { took: *took, observed: observed.clone() };
                Some((Some(next), status, on(false)))
            }
            (Step::Try { .. } | Step::Commit(_), Record::Failed { step, error })
                if *step == next =>
            {
                let below = if started { next + 1 } else { next };
                let progress = Progress::Unwinding { next: self.undoable_below(below) };
                Some((Some(next), StepStatus::Failed(error.clone()), progress))
            }
            (Step::Commit(planned), Record::Committed { step, commit, .. })
                if *step == next && planned == commit =>
            {
                let status = StepStatus::Done { took: Micros(0), observed: Observed::Nothing };
                Some((Some(next), status, on(true)))
            }
            (Step::Must { .. }, Record::Done { step, took, observed }) if *step == next => {
                let status = StepStatus::Done { took: *took, observed: observed.clone() };
                Some((Some(next), status, on(committed)))
            }
            (Step::Must { optional: true, .. }, Record::Skipped { step, error })
                if *step == next =>
            {
                Some((Some(next), StepStatus::Skipped(error.clone()), on(committed)))
            }
            _ => None,
        }
    }

    /// The last step below `end` that has something to take back.
    fn undoable_below(&self, end: usize) -> Option<usize> {
        (0..end).rev().find(|step| self.undo(*step).is_some())
    }

    fn illegal(&self, record: &Record) -> IllegalRecord {
        IllegalRecord {
            record: format!("{record:?}"),
            state: format!("operation {}, {:?}", self.operation, self.progress),
        }
    }
}
