//! The table of `Execution`, written down from its words alone. Where an operation stands is read
//! off the records it was made of each time, so nothing here can go wrong the way a fold does.

use mysqlsvc_core::{
    Role,
    intent::Intent,
    journal::{Outcome, Record},
    plan::{Commit, Plan, Step},
};

/// Where a journal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    NothingRuns,
    BeforeTryThatChanges,
    TryStarted,
    BeforeTryThatChangesNothing,
    BeforeCommit,
    BeforeMust,
    BeforeOptionalMust,
    BehindTheLastStep,
    TakingBack,
    NothingLeftToTakeBack,
}

/// What a record is, as far as the table cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Changed,
    Began,
    Started,
    Done,
    Failed,
    Committed,
    Skipped,
    Undone,
    Forsaken,
    Abandoned,
    Succeeded,
    RolledBack,
    /// `Finished` as abandoned: that has a record of its own.
    FinishedAbandoned,
}

/// Which kinds may follow where. What may follow wherever an operation runs, or anywhere, is said by
/// [`Kind::is_always_taken`].
pub(crate) const TABLE: &[(Row, &[Kind])] = &[
    (Row::NothingRuns, &[Kind::Began]),
    (Row::BeforeTryThatChanges, &[Kind::Started, Kind::Failed]),
    (Row::TryStarted, &[Kind::Done, Kind::Failed]),
    (Row::BeforeTryThatChangesNothing, &[Kind::Done, Kind::Failed]),
    (Row::BeforeCommit, &[Kind::Committed, Kind::Failed]),
    (Row::BeforeMust, &[Kind::Done]),
    (Row::BeforeOptionalMust, &[Kind::Done, Kind::Skipped]),
    (Row::BehindTheLastStep, &[Kind::Succeeded]),
    (Row::TakingBack, &[Kind::Undone, Kind::Forsaken]),
    (Row::NothingLeftToTakeBack, &[Kind::RolledBack]),
];

impl Kind {
    pub(crate) const ALL: [Self; 13] = [
        Self::Changed,
        Self::Began,
        Self::Started,
        Self::Done,
        Self::Failed,
        Self::Committed,
        Self::Skipped,
        Self::Undone,
        Self::Forsaken,
        Self::Abandoned,
        Self::Succeeded,
        Self::RolledBack,
        Self::FinishedAbandoned,
    ];

    pub(crate) fn of(record: &Record) -> Self {
        match record {
            Record::Changed { .. } => Self::Changed,
            Record::Began { .. } => Self::Began,
            Record::Started { .. } => Self::Started,
            Record::Done { .. } => Self::Done,
            Record::Failed { .. } => Self::Failed,
            Record::Committed { .. } => Self::Committed,
            Record::Skipped { .. } => Self::Skipped,
            Record::Undone { .. } => Self::Undone,
            Record::Forsaken { .. } => Self::Forsaken,
            Record::Abandoned { .. } => Self::Abandoned,
            Record::Finished { outcome: Outcome::Succeeded, .. } => Self::Succeeded,
            Record::Finished { outcome: Outcome::RolledBack, .. } => Self::RolledBack,
            Record::Finished { outcome: Outcome::Abandoned, .. } => Self::FinishedAbandoned,
        }
    }

    /// Intent changes at any time; an operation is abandoned anywhere before its end.
    pub(crate) fn is_always_taken(self, row: Row) -> bool {
        self == Self::Changed || self == Self::Abandoned && row != Row::NothingRuns
    }
}

/// The records that were taken so far, without those that only change intent.
#[derive(Default)]
pub(crate) struct Past(Vec<Record>);

impl Past {
    pub(crate) fn take(&mut self, record: Record) {
        if Kind::of(&record) != Kind::Changed {
            self.0.push(record);
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running().is_some()
    }

    /// The number that the next operation must have.
    pub(crate) fn next_operation(&self) -> u64 {
        1 + self.0.iter().filter(|record| Kind::of(record) == Kind::Began).count() as u64
    }

    /// The plan of the operation that runs, and its records after the first.
    pub(crate) fn running(&self) -> Option<(&Plan, &[Record])> {
        let last = self.0.iter().rposition(|record| matches!(record, Record::Began { .. }))?;
        let (begin, records) = self.0[last..].split_first()?;
        let over =
            |record: &Record| matches!(record, Record::Abandoned { .. } | Record::Finished { .. });
        match begin {
            Record::Began { plan, .. } if !records.iter().any(over) => Some((plan, records)),
            _ => None,
        }
    }

    pub(crate) fn row(&self) -> Row {
        self.running().map_or(Row::NothingRuns, |(plan, records)| stand(plan, records).0)
    }

    /// The step that the next record is about.
    pub(crate) fn step(&self) -> Option<usize> {
        self.running().and_then(|(plan, records)| stand(plan, records).1)
    }

    pub(crate) fn may_follow(&self, intent: &Intent, record: &Record) -> bool {
        let (row, kind) = (self.row(), Kind::of(record));
        let listed = TABLE.iter().any(|(of, kinds)| *of == row && kinds.contains(&kind));
        let about = match record {
            Record::Began { operation, .. } => operation.0 == self.next_operation(),
            Record::Started { step }
            | Record::Done { step, .. }
            | Record::Failed { step, .. }
            | Record::Skipped { step, .. }
            | Record::Undone { step }
            | Record::Forsaken { step, .. } => Some(*step) == self.step(),
            Record::Committed { step, commit, .. } => {
                Some(*step) == self.step()
                    && self.running().is_some_and(|(plan, _)| {
                        plan.steps.get(*step) == Some(&Step::Commit(commit.clone()))
                    })
                    && is_sound(intent, commit)
            }
            Record::Changed { .. } | Record::Abandoned { .. } | Record::Finished { .. } => true,
        };
        kind.is_always_taken(row) || listed && about
    }
}

/// Where an operation with these records stands, and at which step.
fn stand(plan: &Plan, records: &[Record]) -> (Row, Option<usize>) {
    let kinds: Vec<Kind> = records.iter().map(Kind::of).collect();
    let count = |kind| kinds.iter().filter(|other| **other == kind).count();
    let passed = count(Kind::Done) + count(Kind::Committed) + count(Kind::Skipped);
    let started =
        records.iter().any(|record| matches!(record, Record::Started { step } if *step == passed));
    if count(Kind::Failed) > 0 {
        // A step that was started, and not done, may have taken effect.
        let reached = if started { passed + 1 } else { passed };
        let taken_back = count(Kind::Undone) + count(Kind::Forsaken);
        let mut undos = (0..reached).rev().filter(|step| has_undo(&plan.steps[*step]));
        return match undos.nth(taken_back) {
            Some(step) => (Row::TakingBack, Some(step)),
            None => (Row::NothingLeftToTakeBack, None),
        };
    }
    let row = match plan.steps.get(passed) {
        None => return (Row::BehindTheLastStep, None),
        Some(Step::Try { .. }) if started => Row::TryStarted,
        Some(Step::Try { act, .. }) if act.changes_server() => Row::BeforeTryThatChanges,
        Some(Step::Try { .. }) => Row::BeforeTryThatChangesNothing,
        Some(Step::Commit(_)) => Row::BeforeCommit,
        Some(Step::Must { optional: false, .. }) => Row::BeforeMust,
        Some(Step::Must { optional: true, .. }) => Row::BeforeOptionalMust,
    };
    (row, Some(passed))
}

fn has_undo(step: &Step) -> bool {
    matches!(step, Step::Try { undo: Some(_), .. })
}

/// One master at most, one standby at most, and never another master in the same epoch; only
/// members are paused, and only a standby's or a slave's data are given up.
fn is_sound(intent: &Intent, commit: &Commit) -> bool {
    let holders = |role| commit.roles.iter().filter(move |(_, held)| **held == role);
    let same_master = holders(Role::Master).map(|(node, _)| node).eq(intent.master());
    let gives_up = commit.rebuilt.as_ref().map(|rebuilt| intent.role(&rebuilt.node));
    holders(Role::Master).count() <= 1
        && commit.paused.iter().all(|node| intent.members.contains_key(node))
        && matches!(gives_up, None | Some(Role::Standby | Role::Slave))
        && holders(Role::Standby).count() <= 1
        && (commit.epoch > intent.epoch || commit.epoch == intent.epoch && same_master)
}
