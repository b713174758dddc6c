//! The plan of a switch with what became of each step.

use mysqlsvc_http::wire::{
    OperationDocument, PlanDocument, PlannedStep, StepClass, StepDocument, StepOutcome,
};

use super::numbers;
use crate::demo::screen::{Style, fit};

const NODE: usize = 21;
const NAME: usize = 15;
/// All but the details.
const OTHERS: usize = 4 + NAME + 1 + NODE + 1 + 1 + 10 + 1 + 9;
const WIDEST_DETAIL: usize = 44;

/// All steps of the plan, in order, each with its time as far as it was begun. The steps between
/// freeze and open, in which nobody can write, are bracketed.
pub(in crate::demo) fn steps(
    plan: &PlanDocument,
    operation: &OperationDocument,
    style: Style,
) -> Vec<String> {
    let title = format!(
        "{} {} → {}",
        style.bold("Planned switch"),
        plan.from.as_deref().unwrap_or("nobody"),
        style.bold(plan.to.as_deref().unwrap_or("nobody")),
    );
    let detail = style.columns().saturating_sub(OTHERS).clamp(8, WIDEST_DETAIL);
    let head = format!(
        "    {:<NAME$} {:<NODE$} {:<detail$} {:>10} {:>9}",
        "step", "on", "seen", "began", "took"
    );
    let mut lines = vec![title, String::new(), style.dim(head.trim_end())];
    let position = |name: &str| plan.steps.iter().position(|step| step.name == name);
    let (freeze, open) = (position("freeze"), position("open"));
    for (place, planned) in plan.steps.iter().enumerate() {
        // Begun steps are told in the order of the plan, none left out.
        let begun = operation.steps.get(place).filter(|step| step.name == planned.name);
        let bracket = bracket(place, freeze, open);
        lines.push(line(planned, begun, &style.busy(bracket), detail, style));
    }
    lines
}

fn bracket(place: usize, freeze: Option<usize>, open: Option<usize>) -> &'static str {
    match (freeze, open) {
        (Some(freeze), _) if place == freeze => "┌",
        (_, Some(open)) if place == open => "└",
        (Some(freeze), Some(open)) if freeze < place && place < open => "│",
        _ => " ",
    }
}

fn line(
    planned: &PlannedStep,
    begun: Option<&StepDocument>,
    bracket: &str,
    width: usize,
    style: Style,
) -> String {
    let node = planned.node.as_deref().unwrap_or(match planned.class {
        StepClass::Commit => "monitord",
        StepClass::Try | StepClass::Must => "proxies",
    });
    let detail = begun.and_then(|step| step.detail.as_deref()).or(match planned.class {
        StepClass::Commit => Some("the pivot: only forward from here"),
        StepClass::Try | StepClass::Must => None,
    });
    let detail = one_line(detail.unwrap_or_default(), width);
    let padding = " ".repeat(width.saturating_sub(detail.chars().count()));
    let time =
        |milliseconds: Option<f64>| milliseconds.map(numbers::milliseconds).unwrap_or_default();
    let offset = begun.and_then(|step| step.offset_ms);
    let took = begun.and_then(|step| step.duration_ms);
    let name = format!("{:<NAME$}", planned.name);
    let name = if begun.is_some() { name } else { style.dim(&name) };
    format!(
        "{bracket} {} {name} {node:<NODE$} {}{padding} {:>10} {:>9}",
        mark(begun, style),
        style.dim(&detail),
        offset.map(|offset| format!("+{}", numbers::milliseconds(offset))).unwrap_or_default(),
        time(took),
    )
    .trim_end()
    .to_owned()
}

fn one_line(detail: &str, width: usize) -> String {
    let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
    fit(&detail, width).replace("\x1b[0m", "")
}

fn mark(begun: Option<&StepDocument>, style: Style) -> String {
    match begun.map(|step| step.outcome) {
        None => style.dim("·"),
        Some(StepOutcome::Running) => style.busy("▸"),
        Some(StepOutcome::Done) => style.good("✓"),
        Some(StepOutcome::Failed) => style.bad("✗"),
        Some(StepOutcome::Unknown) => style.bad("?"),
        Some(StepOutcome::Undone) => style.busy("↶"),
        Some(StepOutcome::Skipped) => style.busy("–"),
    }
}
