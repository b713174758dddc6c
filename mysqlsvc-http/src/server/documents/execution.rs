//! An operation and what became of it.

use mysqlsvc_core::{
    WallTime,
    backend::Observed,
    journal::{Execution, Outcome, Progress, StepRecord, StepStatus},
    plan::Step,
};

use super::{
    moment::{between, milliseconds, rfc3339},
    plan::{ends, forecast_causes, forecast_ms, node, plan_document, planned_step, strategy},
    toll::{diverged, interrupted, is_told_as_divergence, loss},
};
use crate::wire::{LeftBehind, OperationDocument, OperationOutcome, StepDocument, StepOutcome};

/// The document of an operation.
pub(crate) fn operation_document(cluster: &str, execution: &Execution) -> OperationDocument {
    let (from, to) = ends(&execution.plan);
    OperationDocument {
        id: execution.operation.to_string().into(),
        cluster: cluster.to_owned(),
        kind: execution.plan.kind.to_string(),
        from,
        to,
        strategy: strategy(&execution.plan),
        who: Some(execution.who.clone()),
        started_at: rfc3339(execution.began),
        ended_at: execution.ended.and_then(rfc3339),
        plan: Some(plan_document(&execution.plan)),
        steps: steps(execution),
        outcome: outcome(execution),
        forecast_ms: forecast_ms(&execution.plan),
        forecast_causes: forecast_causes(&execution.plan),
        write_unavailable_ms: execution.write_unavailable.map(milliseconds),
        critical_section_ms: execution.critical_section.map(milliseconds),
        loss: loss(execution),
        diverged: diverged(execution),
        interrupted: interrupted(execution),
        left_behind: left_behind(execution),
        acks_missing: acks_missing(execution),
        error: error(execution),
        progress: None,
    }
}

fn error(execution: &Execution) -> Option<String> {
    let failure = execution.failure().map(ToString::to_string);
    failure.or_else(|| execution.left_undone().map(ToString::to_string))
}

fn outcome(execution: &Execution) -> OperationOutcome {
    match execution.progress {
        Progress::Forward { .. } => OperationOutcome::Running,
        Progress::Unwinding { .. } => OperationOutcome::Unwinding,
        Progress::Ended(Outcome::Succeeded) if execution.left_undone().is_some() => {
            OperationOutcome::Failed
        }
        Progress::Ended(Outcome::Succeeded) => OperationOutcome::Succeeded,
        Progress::Ended(Outcome::RolledBack) => OperationOutcome::RolledBack,
        Progress::Ended(Outcome::Abandoned) => OperationOutcome::Abandoned,
    }
}

/// The steps that were begun, in order, with the one under way.
fn steps(execution: &Execution) -> Vec<StepDocument> {
    let under_way = match execution.progress {
        Progress::Forward { next, .. } => Some(next),
        Progress::Unwinding { .. } | Progress::Ended(_) => None,
    };
    // Steps run one after the other, so each began when the one before it was over.
    let mut before = Some(execution.began);
    let mut documents = Vec::new();
    for (place, (step, record)) in execution.plan.steps.iter().zip(&execution.steps).enumerate() {
        if record.status != StepStatus::Pending || under_way == Some(place) {
            let after = execution.steps.get(place + 1).and_then(sent);
            documents.push(step_document(execution, step, record, before, after));
        }
        before = match record.status {
            StepStatus::Pending | StepStatus::Undone => None,
            _ => record.at,
        };
    }
    documents
}

fn step_document(
    execution: &Execution,
    step: &Step,
    record: &StepRecord,
    before: Option<WallTime>,
    after: Option<WallTime>,
) -> StepDocument {
    let planned = planned_step(step);
    let span = match step {
        Step::Commit(_) => Span::of_pivot(record, after),
        Step::Try { .. } | Step::Must { .. } => Span::of(record, before),
    };
    StepDocument {
        name: planned.name,
        description: planned.description,
        node: planned.node,
        class: Some(planned.class),
        start: span.start.and_then(rfc3339),
        offset_ms: span.start.map(|start| milliseconds(between(execution.began, start))),
        duration_ms: span.duration_ms,
        outcome: step_outcome(&record.status),
        detail: detail(&record.status),
    }
}

/// When a step that is done was sent.
fn sent(record: &StepRecord) -> Option<WallTime> {
    match (&record.status, record.at) {
        (StepStatus::Done { took, .. }, Some(end)) => Some(WallTime(end.0.saturating_sub(took.0))),
        _ => None,
    }
}

/// When a step began and how long it took, as far as the journal tells.
struct Span {
    start: Option<WallTime>,
    duration_ms: Option<f64>,
}

impl Span {
    /// The pivot is one record, and took until the next step could be sent: until it was durable.
    fn of_pivot(record: &StepRecord, after: Option<WallTime>) -> Self {
        let start = record.at;
        let durable = start.zip(after);
        let duration_ms = durable.map(|(start, after)| milliseconds(between(start, after)));
        Self { start, duration_ms }
    }

    fn of(record: &StepRecord, before: Option<WallTime>) -> Self {
        let since_before = |end: Option<WallTime>| Self {
            start: before,
            duration_ms: before.zip(end).map(|(start, end)| milliseconds(between(start, end))),
        };
        match (&record.status, record.at) {
            (StepStatus::Done { took, .. }, Some(_)) => {
                Self { start: sent(record), duration_ms: Some(milliseconds(*took)) }
            }
            (StepStatus::Started, at) => Self { start: at, duration_ms: None },
            (StepStatus::Failed(_) | StepStatus::Skipped(_) | StepStatus::Forsaken(_), at) => {
                since_before(at)
            }
            (StepStatus::Pending, _) => since_before(None),
            (StepStatus::Undone | StepStatus::Done { .. }, _) => {
                Self { start: None, duration_ms: None }
            }
        }
    }
}

fn step_outcome(status: &StepStatus) -> StepOutcome {
    match status {
        StepStatus::Pending | StepStatus::Started => StepOutcome::Running,
        StepStatus::Done { .. } => StepOutcome::Done,
        StepStatus::Failed(_) | StepStatus::Forsaken(_) => StepOutcome::Failed,
        StepStatus::Skipped(_) => StepOutcome::Skipped,
        StepStatus::Undone => StepOutcome::Undone,
    }
}

fn detail(status: &StepStatus) -> Option<String> {
    match status {
        StepStatus::Done { observed, .. } => observation(observed),
        StepStatus::Failed(error) => Some(error.to_string()),
        StepStatus::Skipped(error) => Some(error.to_string()),
        StepStatus::Forsaken(error) => Some(format!("it could not be taken back: {error}")),
        StepStatus::Pending | StepStatus::Started | StepStatus::Undone => None,
    }
}

fn observation(observed: &Observed) -> Option<String> {
    match observed {
        Observed::Nothing => None,
        Observed::Position(position) if position.is_empty() => {
            Some("it had executed nothing yet".to_owned())
        }
        Observed::Position(position) => Some(format!("it had executed {position}")),
        Observed::Stands(stand) => {
            Some(format!("it has executed that, and its own binary log ends at {}", stand.place))
        }
        Observed::Copied(executed) => Some(format!("it has executed {executed}")),
        Observed::Killed(1) => Some("1 session ended".to_owned()),
        Observed::Killed(count) => Some(format!("{count} sessions ended")),
        Observed::Interrupts(open) if open.is_empty() => Some("nothing was left open".to_owned()),
        Observed::Interrupts(open) => {
            let open: Vec<_> = open.iter().map(ToString::to_string).collect();
            Some(format!("the freeze rolls back {}", open.join("; ")))
        }
        Observed::Held { acknowledged, missing } => Some(held(acknowledged, missing)),
    }
}

fn held(acknowledged: &[String], missing: &[String]) -> String {
    let silent = || format!("no word from {}", missing.join(", "));
    match (acknowledged.len(), missing.len()) {
        (0, 0) => "no proxy for the master is connected".to_owned(),
        (0, _) => silent(),
        (held, 0) => hold(held),
        (held, _) => format!("{}; {}", hold(held), silent()),
    }
}

fn hold(count: usize) -> String {
    match count {
        1 => "1 proxy holds".to_owned(),
        count => format!("{count} proxies hold"),
    }
}

fn left_behind(execution: &Execution) -> Vec<LeftBehind> {
    let steps = execution.plan.steps.iter().zip(&execution.steps);
    steps
        .filter(|(step, _)| !is_told_as_divergence(execution, step))
        .filter_map(|(step, record)| match &record.status {
            StepStatus::Skipped(error) | StepStatus::Forsaken(error) => Some(LeftBehind {
                node: node(step).unwrap_or(&error.node).to_string(),
                reason: error.to_string(),
            }),
            _ => None,
        })
        .collect()
}

fn acks_missing(execution: &Execution) -> Vec<String> {
    execution
        .steps
        .iter()
        .filter_map(|step| match &step.status {
            StepStatus::Done { observed: Observed::Held { missing, .. }, .. } => {
                Some(missing.clone())
            }
            _ => None,
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mysqlsvc_core::{
        Action, ActionError, ActionErrorKind, Epoch, Micros, Millis, NodeId, OperationId, Role,
        journal::{Entry, Journal, Record, StepError},
        plan::{Act, Commit, OperationKind, Plan, Strategy},
    };

    use super::*;
    use crate::wire::LossVerdict;

    const BEGAN: u64 = 1_484_623_200_000_000;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn commit() -> Commit {
        Commit {
            epoch: Epoch(1),
            roles: BTreeMap::from([(node("b:1"), Role::Master)]),
            mutual: false,
            paused: [].into(),
            rebuilt: None,
        }
    }

    fn plan() -> Plan {
        let act = |act, undo| Step::Try { act, undo };
        let must = |action, optional| Step::Must { act: Act::Server(action), optional };
        let freeze = Action::Freeze { node: node("a:1"), limit: Millis(1), spare: Vec::new() };
        let follow = Action::ForgetSource { node: node("b:1") };
        Plan {
            kind: OperationKind::Switch,
            from: Some(node("a:1")),
            to: node("b:1"),
            strategy: Strategy::Reliability,
            forecast: None,
            steps: vec![
                act(Act::Hold { acknowledge: Millis(1), limit: Millis(9) }, None),
                act(Act::Server(freeze), Some(Action::Thaw { node: node("a:1") })),
                Step::Commit(commit()),
                must(Action::Open { node: node("b:1") }, false),
                must(follow, true),
            ],
        }
    }

    fn held() -> Record {
        let held = Observed::Held { acknowledged: vec!["p1".into()], missing: vec!["p2".into()] };
        Record::Done { step: 0, took: Micros(400), observed: held }
    }

    fn error(name: &str) -> ActionError {
        ActionError {
            node: node(name),
            action: "that".into(),
            kind: ActionErrorKind::Refused,
            detail: "no".into(),
        }
    }

    /// The document after these records, one a millisecond, the operation having begun at 0 ms.
    fn document(records: &[Record]) -> OperationDocument {
        let mut journal = Journal::default();
        let began = Record::Began { operation: OperationId(1), plan: plan(), who: "me".into() };
        for (record, at) in std::iter::once(&began).chain(records).zip(0..) {
            let at = WallTime(BEGAN + at * 1000);
            journal.apply(&Entry { at, record: record.clone() }).unwrap();
        }
        let over = journal.history().next_back().map(|execution| &**execution);
        operation_document("main", journal.running().or(over).unwrap())
    }

    fn outcomes(document: &OperationDocument) -> Vec<(&str, StepOutcome)> {
        document.steps.iter().map(|step| (step.name.as_str(), step.outcome)).collect()
    }

    #[test]
    fn a_running_operation_shows_the_step_under_way_and_none_after_it() {
        let document = document(&[held()]);
        assert_eq!(document.outcome, OperationOutcome::Running);
        assert_eq!(
            outcomes(&document),
            [("hold", StepOutcome::Done), ("freeze", StepOutcome::Running)]
        );
        assert_eq!(document.steps[0].start.as_deref(), Some("2017-01-17T03:20:00.000Z"));
        assert_eq!(document.steps[0].offset_ms, Some(0.6));
        assert_eq!(document.steps[0].duration_ms, Some(0.4));
        assert_eq!(document.steps[0].detail.as_deref(), Some("1 proxy holds; no word from p2"));
        assert_eq!((document.steps[1].offset_ms, document.steps[1].duration_ms), (Some(1.0), None));
        assert_eq!(document.acks_missing, ["p2"]);
        assert_eq!(document.loss, None);
    }

    #[test]
    fn an_operation_that_is_taken_back_says_so_until_it_is_over() {
        let failed = Record::Failed { step: 1, error: StepError::Action(error("a:1")) };
        let mut records = vec![held(), Record::Started { step: 1 }, failed];
        let unwinding = document(&records);
        assert_eq!(unwinding.outcome, OperationOutcome::Unwinding);
        assert_eq!(unwinding.error.as_deref(), Some("a:1: that: refused by the server: no"));
        records.push(Record::Undone { step: 1 });
        records.push(Record::Finished {
            outcome: Outcome::RolledBack,
            critical_section: None,
            write_unavailable: Some(Micros(1500)),
        });
        let over = document(&records);
        assert_eq!(over.outcome, OperationOutcome::RolledBack);
        assert_eq!(outcomes(&over)[1], ("freeze", StepOutcome::Failed));
        assert_eq!(over.steps[1].detail, unwinding.error);
        assert_eq!(over.write_unavailable_ms, Some(1.5));
        assert_eq!(over.ended_at.as_deref(), Some("2017-01-17T03:20:00.005Z"));
    }

    #[test]
    fn a_node_that_was_given_up_is_left_behind() {
        let done = |step| Record::Done { step, took: Micros(100), observed: Observed::Nothing };
        let document = document(&[
            held(),
            Record::Started { step: 1 },
            done(1),
            Record::Committed { step: 2, commit: commit(), position: None, waypoints: Vec::new() },
            done(3),
            Record::Skipped { step: 4, error: error("b:1") },
            Record::Finished {
                outcome: Outcome::Succeeded,
                critical_section: Some(Micros(2000)),
                write_unavailable: Some(Micros(2000)),
            },
        ]);
        assert_eq!(document.outcome, OperationOutcome::Succeeded);
        assert_eq!(document.critical_section_ms, Some(2.0));
        assert_eq!(outcomes(&document)[4], ("forget-source", StepOutcome::Skipped));
        assert_eq!(document.left_behind.len(), 1);
        assert_eq!(document.left_behind[0].node, "b:1");
        assert_eq!(document.loss.unwrap().verdict, LossVerdict::Lossless);
        assert_eq!(document.steps[2].duration_ms, Some(0.9));
    }
}
