//! Operations: in one line, step by step, and what came of them.

use mysqlsvc_http::wire::{OperationDocument, ProgressDocument, StepDocument, StepOutcome};

use super::{
    outcome::{outcome, summary},
    paint::{Paint, Tone},
    paragraph::paragraph,
    table::{Cell, table},
    time::{forecast, length, whole},
};

/// The last operations, one line each.
pub(crate) fn operations(operations: &[OperationDocument], paint: Paint) -> String {
    if operations.is_empty() {
        return "no operation was done yet\n".to_owned();
    }
    let rows = operations.iter().map(|operation| {
        vec![
            Cell::plain(operation.id.as_str()),
            Cell::maybe(operation.started_at.as_deref()),
            Cell::plain(what(operation)),
            Cell::new(operation.outcome.into(), outcome(operation.outcome)),
            Cell::maybe(operation.critical_section_ms.map(length)),
            Cell::maybe(operation.who.as_deref()),
        ]
    });
    let head = ["ID", "STARTED", "OPERATION", "OUTCOME", "CRITICAL", "WHO"];
    table(&head, rows.collect(), paint)
}

/// One operation, step by step.
pub(crate) fn operation(operation: &OperationDocument, paint: Paint) -> String {
    let title = format!("Operation {}: {}", operation.id, what(operation));
    let by = operation.who.as_ref().map(|who| format!("by {who}"));
    let begun: Vec<_> = by.into_iter().chain(operation.started_at.clone()).collect();
    let begun = begun.join("  ");
    let gap = if paint.fits(&format!("{title}  {begun}")) { "  " } else { "\n" };
    let gap = if begun.is_empty() { "" } else { gap };
    let mut text = format!("{}{gap}{begun}\n", paint.text(Tone::Strong, &title));
    if let Some(weighed) = weighed(operation) {
        text.push_str(&paragraph(&[(Tone::Dim, &weighed)], 0, paint));
    }
    for step in &operation.steps {
        text.push_str(&step_line(step, paint));
    }
    if let Some(copied) = &operation.progress {
        text.push_str(&paragraph(&[(Tone::Dim, &progress(copied))], 0, paint));
    }
    text.push_str(&summary(operation, paint));
    text
}

/// What a switch puts first, and what it was expected to cost.
fn weighed(operation: &OperationDocument) -> Option<String> {
    let strategy = operation.strategy?;
    let expected = operation.forecast_ms.map(|expected| {
        let causes = forecast(&operation.forecast_causes);
        format!(", forecast: no writes for {}{causes}", whole(expected))
    });
    Some(format!("{strategy} first{}", expected.unwrap_or_default()))
}

/// What it is, with its nodes.
pub(super) fn what(operation: &OperationDocument) -> String {
    match (&operation.from, &operation.to) {
        (Some(from), Some(to)) => format!("{} {from} to {to}", operation.kind),
        (Some(node), None) | (None, Some(node)) => format!("{} {node}", operation.kind),
        (None, None) => operation.kind.clone(),
    }
}

/// When it began, how it stands, how long it took, what it is: the description comes last, for it
/// may be long.
fn step_line(step: &StepDocument, paint: Paint) -> String {
    let mark = match step.outcome {
        StepOutcome::Done => "done",
        StepOutcome::Running => "running",
        StepOutcome::Failed => "FAILED",
        StepOutcome::Unknown => "UNKNOWN",
        StepOutcome::Undone => "undone",
        StepOutcome::Skipped => "SKIPPED",
    };
    let offset = step.offset_ms.map(|offset| format!("+{}", length(offset))).unwrap_or_default();
    let took = step.duration_ms.map(length).unwrap_or_default();
    let begun = format!("{offset:>10}  {mark:<7}  {took:>9}  ");
    let mut text = format!(
        "{}  {}  {took:>9}  ",
        paint.text(Tone::Dim, &format!("{offset:>10}")),
        paint.text(step.outcome.into(), &format!("{mark:<7}")),
    );
    let what = if step.description.is_empty() { &step.name } else { &step.description };
    let (what, detail) = match &step.detail {
        Some(detail) => (format!("{what}:"), detail.as_str()),
        None => (what.clone(), ""),
    };
    let pieces = [(Tone::Plain, what.as_str()), (Tone::Dim, detail)];
    text.push_str(&paragraph(&pieces, begun.chars().count(), paint));
    text
}

/// How far a copy is, in few characters.
pub(crate) fn progress(progress: &ProgressDocument) -> String {
    let done = mebibytes(progress.done_bytes);
    match (progress.phase.as_str(), progress.total_bytes) {
        ("awaiting-start", _) => "start the server by hand".to_owned(),
        ("copying", Some(total)) => format!("{done} of {} MiB", mebibytes(total)),
        ("copying", None) => format!("{done} MiB"),
        (phase, _) => phase.to_owned(),
    }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Says of a running operation's steps what was not said yet.
#[derive(Debug, Default)]
pub(crate) struct StepLines {
    said: Vec<StepOutcome>,
}

impl StepLines {
    /// The lines of steps that ended, or were taken back, since the last call.
    pub(crate) fn news(&mut self, operation: &OperationDocument, paint: Paint) -> String {
        let mut text = String::new();
        for (place, step) in operation.steps.iter().enumerate() {
            let said = self.said.get(place).copied().unwrap_or(StepOutcome::Running);
            if step.outcome != said {
                text.push_str(&step_line(step, paint));
            }
        }
        self.said = operation.steps.iter().map(|step| step.outcome).collect();
        text
    }

    /// The step under way, without a line feed: to be overwritten.
    pub(crate) fn under_way(operation: &OperationDocument) -> Option<&str> {
        let running = |step: &&StepDocument| step.outcome == StepOutcome::Running;
        operation.steps.iter().find(running).map(|step| step.description.as_str())
    }
}
