//! What an operation cost those who wrote: lost, written twice over, or rolled back.

use mysqlsvc_core::{
    Action,
    backend::{Observed, Obstacle},
    journal::{Execution, Outcome, Progress, StepStatus},
    plan::{Act, OperationKind, Step, Strategy},
};

use crate::wire::{DivergenceDocument, InterruptedDocument, LossDocument, LossVerdict};

/// What a switch that moved the master lost. One that was taken back moved nothing.
pub(super) fn loss(execution: &Execution) -> Option<LossDocument> {
    let moved = execution.plan.kind == OperationKind::Switch
        && execution.progress == Progress::Ended(Outcome::Succeeded);
    if !moved {
        return None;
    }
    Some(match execution.plan.strategy {
        Strategy::Reliability => lossless(execution),
        Strategy::Availability => availability_first(execution),
    })
}

/// Reliability first opens the new master only once it has executed everything the frozen one had
/// (invariant 3).
fn lossless(execution: &Execution) -> LossDocument {
    LossDocument {
        verdict: LossVerdict::Lossless,
        gtids: None,
        reason: execution
            .position()
            .map(|position| format!("the new master had executed {position} before it opened")),
    }
}

/// Availability first lost nothing if the new master has what the old one wrote beside it.
fn availability_first(execution: &Execution) -> LossDocument {
    let Some(DivergenceDocument { overlap, not_taken_over }) = diverged(execution) else {
        let reason = "what the old master had at its freeze was not recorded".to_owned();
        return LossDocument { verdict: LossVerdict::Unknown, gtids: None, reason: Some(reason) };
    };
    match not_taken_over {
        Some(reason) if !overlap.is_empty() => LossDocument {
            verdict: LossVerdict::Unknown,
            gtids: Some(overlap),
            reason: Some(format!("the new master could not take all of them over: {reason}")),
        },
        _ => LossDocument {
            verdict: LossVerdict::Lossless,
            gtids: None,
            reason: Some("the new master has everything the old one had at its freeze".to_owned()),
        },
    }
}

/// What both masters took at once; none for a reliable switch, or before it is known.
pub(super) fn diverged(execution: &Execution) -> Option<DivergenceDocument> {
    let overlap = execution.position()?.minus(execution.opened_beside()?);
    let not_taken_over = execution.diverged().map(ToString::to_string);
    Some(DivergenceDocument { overlap: overlap.to_string(), not_taken_over })
}

/// What was still open when the freeze was sent. Before that nothing was broken.
pub(super) fn interrupted(execution: &Execution) -> Vec<InterruptedDocument> {
    let steps = || execution.plan.steps.iter().zip(&execution.steps);
    let frozen = steps().any(|(step, record)| {
        is_freeze(step) && !matches!(record.status, StepStatus::Pending | StepStatus::Skipped(_))
    });
    if !frozen {
        return Vec::new();
    }
    let open = steps().filter_map(|(_, record)| match &record.status {
        StepStatus::Done { observed: Observed::Interrupts(open), .. } => Some(open),
        _ => None,
    });
    open.flatten().map(document).collect()
}

/// Whether what became of a step is told by [`diverged`]: it left no node behind.
pub(super) fn is_told_as_divergence(execution: &Execution, step: &Step) -> bool {
    matches!(step, Step::Must { act: Act::CatchUp { node, .. }, .. } if *node == execution.plan.to)
}

fn is_freeze(step: &Step) -> bool {
    step.action().is_some_and(|action| matches!(action, Action::Freeze { .. }))
}

fn document(obstacle: &Obstacle) -> InterruptedDocument {
    InterruptedDocument {
        kind: obstacle.kind.to_string(),
        session: obstacle.session,
        account: obstacle.account.clone(),
        age_ms: obstacle.age.map(|age| age.0),
        detail: obstacle.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::{
        ActionError, ActionErrorKind, Epoch, Flavor, GtidSet, Micros, Millis, NodeId, OperationId,
        Role, WallTime,
        backend::ObstacleKind,
        journal::{Entry, Journal, Record, StepError},
        plan::{Commit, Plan},
    };

    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn commit() -> Commit {
        Commit {
            epoch: Epoch(1),
            roles: [(node("b:1"), Role::Master)].into(),
            mutual: false,
            paused: [].into(),
            rebuilt: None,
        }
    }

    fn freeze() -> Action {
        Action::Freeze { node: node("a:1"), limit: Millis(1), spare: Vec::new() }
    }

    fn plan(strategy: Strategy, steps: Vec<Step>) -> Plan {
        let kind = OperationKind::Switch;
        Plan { kind, from: Some(node("a:1")), to: node("b:1"), strategy, forecast: None, steps }
    }

    fn availability_first() -> Plan {
        let must = |act, optional| Step::Must { act, optional };
        let catch_up = Act::CatchUp { node: node("b:1"), limit: Millis(1) };
        let beside = Act::Server(Action::OpenBeside { node: node("b:1") });
        let steps = vec![
            Step::Commit(commit()),
            must(beside, false),
            must(Act::Server(freeze()), false),
            must(catch_up, true),
        ];
        plan(Strategy::Availability, steps)
    }

    fn reliability_first() -> Plan {
        let quiet = Action::AwaitQuiet { node: node("a:1"), limit: Millis(1) };
        let attempt = |action, undo| Step::Try { act: Act::Server(action), undo };
        let thaw = Action::Thaw { node: node("a:1") };
        let steps =
            vec![attempt(quiet, None), attempt(freeze(), Some(thaw)), Step::Commit(commit())];
        plan(Strategy::Reliability, steps)
    }

    fn execution(plan: Plan, records: Vec<Record>) -> Execution {
        let mut journal = Journal::default();
        let began = Record::Began { operation: OperationId(1), plan, who: "me".into() };
        for record in std::iter::once(began).chain(records) {
            journal.apply(&Entry { at: WallTime(0), record }).unwrap();
        }
        let over = journal.history().next_back().map(|execution| &**execution);
        journal.running().or(over).unwrap().clone()
    }

    fn done(step: usize, observed: Observed) -> Record {
        Record::Done { step, took: Micros(1), observed }
    }

    fn position(text: &str) -> Observed {
        Observed::Position(GtidSet::parse(Flavor::MariaDb, text).unwrap())
    }

    fn error() -> ActionError {
        ActionError {
            node: node("b:1"),
            action: "catch up".into(),
            kind: ActionErrorKind::Refused,
            detail: "1062 Duplicate entry".into(),
        }
    }

    fn succeeded() -> Record {
        Record::Finished {
            outcome: Outcome::Succeeded,
            critical_section: None,
            write_unavailable: None,
        }
    }

    fn opened_beside_and_frozen(frozen_at: &str) -> Vec<Record> {
        vec![
            Record::Committed { step: 0, commit: commit(), position: None, waypoints: Vec::new() },
            done(1, position("0-1-7")),
            done(2, position(frozen_at)),
        ]
    }

    #[test]
    fn what_both_took_is_named_once_the_old_one_is_frozen() {
        let mut records = opened_beside_and_frozen("0-1-9");
        let open = execution(availability_first(), records[..2].to_vec());
        assert_eq!(diverged(&open), None);
        records.extend([done(3, Observed::Nothing), succeeded()]);
        let taken_over = execution(availability_first(), records);
        let document = diverged(&taken_over).unwrap();
        assert_eq!((document.overlap.is_empty(), document.not_taken_over), (false, None));
        assert_eq!(loss(&taken_over).unwrap().verdict, LossVerdict::Lossless);
    }

    #[test]
    fn what_the_new_master_could_not_take_over_may_be_lost() {
        let given_up = || Record::Skipped { step: 3, error: error() };
        let mut records = opened_beside_and_frozen("0-1-9");
        records.extend([given_up(), succeeded()]);
        let contradicting = execution(availability_first(), records);
        let document = diverged(&contradicting).unwrap();
        assert!(document.not_taken_over.unwrap().contains("1062 Duplicate entry"));
        let lost = loss(&contradicting).unwrap();
        assert_eq!((lost.verdict, lost.gtids), (LossVerdict::Unknown, Some(document.overlap)));

        let mut records = opened_beside_and_frozen("0-1-7");
        records.extend([given_up(), succeeded()]);
        let nothing_written = execution(availability_first(), records);
        assert_eq!(diverged(&nothing_written).unwrap().overlap, "");
        assert_eq!(loss(&nothing_written).unwrap().verdict, LossVerdict::Lossless);
    }

    #[test]
    fn open_transactions_are_interrupted_by_the_freeze_and_not_before() {
        let open = Obstacle {
            kind: ObstacleKind::Transaction,
            session: Some(12),
            account: "app@10.0.0.9".into(),
            age: Some(Millis(3_000)),
            detail: "UPDATE t".into(),
        };
        let waited = done(0, Observed::Interrupts(vec![open]));
        let before = execution(reliability_first(), vec![waited.clone()]);
        assert!(interrupted(&before).is_empty());
        let frozen = execution(
            reliability_first(),
            vec![
                waited,
                Record::Started { step: 1 },
                Record::Failed { step: 1, error: StepError::Action(error()) },
                Record::Undone { step: 1 },
            ],
        );
        let told = interrupted(&frozen);
        assert_eq!((told.len(), told[0].session, told[0].age_ms), (1, Some(12), Some(3_000)));
        assert_eq!(told[0].kind, "open transaction");
    }
}
