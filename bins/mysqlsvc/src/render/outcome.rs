//! How an operation ended, what it cost, what is left to do.

use mysqlsvc_http::wire::{
    DivergenceDocument, InterruptedDocument, LossDocument, LossVerdict, OperationDocument,
    OperationOutcome,
};

use super::{
    paint::{Paint, Tone},
    paragraph::paragraph,
    time::{length, whole},
};

/// The figures, then a line for everything that somebody has to see to.
pub(crate) fn summary(operation: &OperationDocument, paint: Paint) -> String {
    let mut figures = figures(operation);
    let last = figures.len() - 1;
    for (_, figure) in &mut figures[..last] {
        figure.push(',');
    }
    let figures: Vec<_> = figures.iter().map(|(tone, text)| (*tone, text.as_str())).collect();
    let mut text = paragraph(&figures, 0, paint);
    for (tone, line) in remarks(operation) {
        text.push_str(&paragraph(&[(tone, &line)], 0, paint));
    }
    text
}

/// The outcome comes first, and is always there.
fn figures(operation: &OperationDocument) -> Vec<(Tone, String)> {
    let mut figures = vec![(operation.outcome.into(), outcome(operation.outcome).to_owned())];
    let mut add = |text| figures.push((Tone::Plain, text));
    if let Some(critical) = operation.critical_section_ms {
        add(format!("critical section {}", length(critical)));
    }
    if let Some(unavailable) = operation.write_unavailable_ms {
        let forecast =
            operation.forecast_ms.map(|forecast| format!(" (forecast {})", whole(forecast)));
        let forecast = forecast.unwrap_or_default();
        add(format!("writes unavailable for {}{forecast}", length(unavailable)));
    }
    figures.extend(operation.loss.as_ref().map(lost));
    figures
}

fn lost(loss: &LossDocument) -> (Tone, String) {
    match (loss.verdict, &loss.gtids) {
        (LossVerdict::Lossless, _) => (Tone::Plain, "nothing lost".to_owned()),
        (LossVerdict::Unknown, _) => (Tone::Uneasy, "not known whether data was lost".to_owned()),
        (LossVerdict::Lossy, Some(gtids)) => (Tone::Bad, format!("lost: {gtids}")),
        (LossVerdict::Lossy, None) => (Tone::Bad, "data was lost".to_owned()),
    }
}

fn remarks(operation: &OperationDocument) -> Vec<(Tone, String)> {
    let mut remarks = Vec::new();
    if let Some(error) = &operation.error {
        remarks.push((Tone::Bad, format!("because: {error}")));
    }
    remarks.extend(operation.diverged.as_ref().map(diverged));
    for one in &operation.interrupted {
        remarks.push((Tone::Uneasy, format!("interrupted: {}", interrupted(one))));
    }
    for left in &operation.left_behind {
        remarks.push((Tone::Uneasy, format!("left behind: {}: {}", left.node, left.reason)));
    }
    if !operation.acks_missing.is_empty() {
        let missing = operation.acks_missing.join(", ");
        let line = format!("proxies that did not say in time that they hold: {missing}");
        remarks.push((Tone::Uneasy, line));
    }
    remarks
}

/// What the old master wrote while the new one was open, too.
fn diverged(both: &DivergenceDocument) -> (Tone, String) {
    let overlap = &both.overlap;
    match &both.not_taken_over {
        _ if overlap.is_empty() => {
            (Tone::Plain, "the old master wrote nothing while both were open".to_owned())
        }
        None => {
            let line = format!(
                "written on the old master while both were open: {overlap}, and taken over by the \
                 new one"
            );
            (Tone::Plain, line)
        }
        Some(reason) => (
            Tone::Bad,
            format!(
                "diverged: written on the old master while both were open: {overlap}; the new one \
                 could not take all of them over ({reason}): carry them over by hand"
            ),
        ),
    }
}

fn interrupted(one: &InterruptedDocument) -> String {
    let session = one.session.map(|session| format!(" of session {session}")).unwrap_or_default();
    let account = Some(one.account.clone()).filter(|account| !account.is_empty());
    let age = one.age_ms.map(|age| format!("{} old", whole(age)));
    let known: Vec<_> = account.into_iter().chain(age).collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let detail = if one.detail.is_empty() { String::new() } else { format!(": {}", one.detail) };
    format!("{}{session}{known}{detail}", one.kind)
}

/// One word or two.
pub(super) fn outcome(outcome: OperationOutcome) -> &'static str {
    match outcome {
        OperationOutcome::Running => "under way",
        OperationOutcome::Succeeded => "succeeded",
        OperationOutcome::RolledBack => "rolled back",
        OperationOutcome::Unwinding => "being rolled back",
        OperationOutcome::Failed => "failed",
        OperationOutcome::Abandoned => "abandoned",
    }
}
