//! A plan, before it is carried out.

use mysqlsvc_http::wire::{PlanDocument, PlannedStep, StepClass, Strategy};

use super::{
    notes::notes,
    paint::{Paint, Tone},
    paragraph::paragraph,
    table::{Cell, lines},
    time::{forecast, whole},
};

/// The numbered steps, with the pivot marked.
pub(crate) fn plan(plan: &PlanDocument, paint: Paint) -> String {
    let mut text = paint.text(Tone::Strong, &title(plan));
    text.push('\n');
    text.push_str(&steps(plan, paint));
    if plan.steps.iter().any(|step| step.class == StepClass::Commit) {
        text.push_str("If a step before the commit fails, everything is put back as it was.\n");
    }
    if let Some(expected) = expected(plan) {
        text.push_str(&paragraph(&[(Tone::Plain, &expected)], 0, paint));
    }
    text.push_str(&notes(&plan.warnings, paint));
    text
}

/// In columns, if the page is wide enough for them.
fn steps(plan: &PlanDocument, paint: Paint) -> String {
    let rows = plan.steps.iter().zip(1..).map(|(step, number)| {
        vec![
            Cell::new(Tone::Dim, format!("{number:>4}")),
            Cell::plain(step.description.as_str()),
            Cell::new(Tone::Dim, note(step)),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if paint.fits(&lines(&rows, paint.plain())) {
        return lines(&rows, paint);
    }
    plan.steps.iter().zip(1..).map(|(step, number)| narrow_step(step, number, paint)).collect()
}

fn narrow_step(step: &PlannedStep, number: usize, paint: Paint) -> String {
    let note = match step.class {
        StepClass::Commit => "(the point of no return)",
        StepClass::Must if step.optional => "(optional)",
        StepClass::Try | StepClass::Must => "",
    };
    let pieces = [(Tone::Plain, step.description.as_str()), (Tone::Dim, note)];
    let number = format!("{number:>4}  ");
    let text = paragraph(&pieces, number.len(), paint);
    format!("{}{text}", paint.text(Tone::Dim, &number))
}

fn note(step: &PlannedStep) -> &'static str {
    match step.class {
        StepClass::Commit => "from here on it only goes forward",
        StepClass::Must if step.optional => "left out and reported if it fails",
        StepClass::Try | StepClass::Must => "",
    }
}

/// What applications will notice.
fn expected(plan: &PlanDocument) -> Option<String> {
    match (plan.strategy, plan.forecast_ms) {
        (Some(Strategy::Availability), _) => Some(
            "Availability first: applications can write all the time, and for a moment on two \
             servers."
                .to_owned(),
        ),
        (_, Some(expected)) => Some(format!(
            "Forecast: applications cannot write for about {}{}.",
            whole(expected),
            forecast(&plan.forecast_causes)
        )),
        (_, None) => None,
    }
}

fn title(plan: &PlanDocument) -> String {
    match (&plan.from, &plan.to) {
        (Some(from), Some(to)) => format!("Plan: {} from {from} to {to}", plan.kind),
        (Some(node), None) | (None, Some(node)) => format!("Plan: {} {node}", plan.kind),
        (None, None) => format!("Plan: {}", plan.kind),
    }
}
