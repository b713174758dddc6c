//! A plan and the stable names of its steps.

use mysqlsvc_core::{
    Action, NodeId,
    plan::{Act, Cause, Forecast, OperationKind, Plan, Step, Strategy},
};

use super::words;
use crate::wire::{self, ForecastCause, PlanDocument, PlannedStep, StepClass};

/// The document of a plan.
pub(crate) fn plan_document(plan: &Plan) -> PlanDocument {
    let (from, to) = ends(plan);
    PlanDocument {
        kind: plan.kind.to_string(),
        from,
        to,
        strategy: strategy(plan),
        forecast_ms: forecast_ms(plan),
        forecast_causes: forecast_causes(plan),
        steps: plan.steps.iter().map(planned_step).collect(),
        warnings: Vec::new(),
        confirm: needs_confirmation(plan).then(|| plan.to.to_string()),
    }
}

fn needs_confirmation(plan: &Plan) -> bool {
    plan.strategy == Strategy::Availability || plan.kind == OperationKind::Clone
}

/// What a switch puts first.
pub(super) fn strategy(plan: &Plan) -> Option<wire::Strategy> {
    (plan.kind == OperationKind::Switch).then(|| words::strategy(plan.strategy))
}

/// How long nobody is expected to be able to write.
pub(super) fn forecast_ms(plan: &Plan) -> Option<u64> {
    plan.forecast.as_ref().map(|forecast| forecast.write_unavailable.0)
}

/// What that is made of.
pub(super) fn forecast_causes(plan: &Plan) -> Vec<ForecastCause> {
    let causes = |forecast: &Forecast| {
        let cause = |cause: &Cause| ForecastCause { what: cause.what.clone(), ms: cause.takes.0 };
        forecast.causes.iter().map(cause).collect()
    };
    plan.forecast.as_ref().map(causes).unwrap_or_default()
}

/// The two addresses of an operation: the old and the new master, the donor and its copy, or the
/// one node it is about.
pub(super) fn ends(plan: &Plan) -> (Option<String>, Option<String>) {
    match plan.kind {
        OperationKind::Switch => {
            (plan.from.as_ref().map(ToString::to_string), Some(plan.to.to_string()))
        }
        OperationKind::Activate
        | OperationKind::Detach
        | OperationKind::Pause
        | OperationKind::Resume
        | OperationKind::Reopen
        | OperationKind::SemiSync => (Some(plan.to.to_string()), None),
        OperationKind::Clone => (donor(plan).map(ToString::to_string), Some(plan.to.to_string())),
    }
}

/// Whose data a copy gets.
fn donor(plan: &Plan) -> Option<&NodeId> {
    plan.steps.iter().find_map(|step| match step.action()? {
        Action::CopyFrom { donor, .. } => Some(donor),
        _ => None,
    })
}

/// The document of one step.
pub(super) fn planned_step(step: &Step) -> PlannedStep {
    PlannedStep {
        name: name(step).to_owned(),
        description: step.to_string(),
        node: node(step).map(ToString::to_string),
        class: match step {
            Step::Try { .. } => StepClass::Try,
            Step::Commit(_) => StepClass::Commit,
            Step::Must { .. } => StepClass::Must,
        },
        optional: matches!(step, Step::Must { optional: true, .. }),
    }
}

/// Stable: tools decide by it.
fn name(step: &Step) -> &'static str {
    match step {
        Step::Try { act, .. } | Step::Must { act, .. } => match act {
            Act::Hold { .. } => "hold",
            Act::CatchUp { .. } => "catch-up",
            Act::Server(action) => action_name(action),
        },
        Step::Commit(_) => "commit",
    }
}

fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Freeze { .. } => "freeze",
        Action::Thaw { .. } => "thaw",
        Action::Close { .. } => "close",
        Action::AwaitExecuted { .. } => "await-executed",
        Action::Open { .. } => "open",
        Action::Follow { .. } => "follow",
        Action::ForgetSource { .. } => "forget-source",
        Action::KillClients { .. } => "kill-clients",
        Action::AwaitQuiet { .. } => "await-quiet",
        Action::OpenBeside { .. } => "open-beside",
        Action::StopReplication { .. } => "stop-replication",
        Action::StartReplication { .. } => "start-replication",
        Action::SetSemiSync { .. } => "set-semi-sync",
        Action::EnableEvents { .. } => "enable-events",
        Action::DisableEvents { .. } => "disable-events",
        Action::CopyFrom { .. } => "copy",
    }
}

/// The server a step acts on.
pub(super) fn node(step: &Step) -> Option<&NodeId> {
    match step {
        Step::Try { act, .. } | Step::Must { act, .. } => match act {
            Act::Hold { .. } => None,
            Act::CatchUp { node, .. } => Some(node),
            Act::Server(action) => Some(action.node()),
        },
        Step::Commit(_) => None,
    }
}
