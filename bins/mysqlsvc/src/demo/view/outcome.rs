//! What came of a switch, of all of them, and of the rows.

use std::{fmt::Write as _, time::Duration};

use mysqlsvc_http::wire::{OperationDocument, OperationOutcome};
use mysqlsvc_rig::{CheckReport, ErrorCounts, Gap, ServerAudit, Spread};

use super::{figure, numbers};
use crate::demo::{figures::Figures, screen::Style, switching::Switched};

/// The first switch, in full.
pub(in crate::demo) fn switch_figures(
    switched: &Switched,
    floor: &[Duration],
    style: Style,
) -> Vec<String> {
    let figures = &switched.figures;
    let section = figures.critical_section.map_or("not known".to_owned(), numbers::duration);
    let mut lines = vec![
        figure("freeze to open", &style.bold(&section), &floor_note(Spread::of(floor)), style),
        figure(
            "longest gap between two writes",
            &style.bold(&numbers::duration(figures.gap)),
            &format!("of one connection {}", numbers::duration(figures.worst_writer)),
            style,
        ),
        figure("errors of the application", &errors(&figures.errors, style), "", style),
    ];
    for left in &switched.operation.left_behind {
        lines.push(figure("left behind", &style.bad(&left.node), &left.reason, style));
    }
    if !switched.operation.acks_missing.is_empty() {
        let missing = switched.operation.acks_missing.join(", ");
        lines.push(figure("proxies that did not hold", &style.bad(&missing), "", style));
    }
    lines
}

fn floor_note(floor: Option<Spread>) -> String {
    match floor {
        Some(floor) => format!(
            "bare SQL, same load: {} median, {} worst",
            numbers::milliseconds(floor.p50),
            numbers::milliseconds(floor.max)
        ),
        None => String::new(),
    }
}

/// Cuts, and refusals of the master that was, are what a switch costs; the rest is not.
fn errors(errors: &ErrorCounts, style: Style) -> String {
    let parts = [
        (errors.cut, "cut", false),
        (errors.refused_before_reconnecting, "refused, then reconnected", false),
        (errors.connect_failed, "login failed", true),
        (errors.other, "other", true),
        (errors.refused_on_fresh_connection, "refused on a new connection", true),
    ];
    let seen = parts.into_iter().filter(|(count, ..)| *count > 0);
    let seen: Vec<String> = seen
        .map(|(count, what, wrong)| {
            let text = format!("{} {what}", numbers::count(count));
            if wrong { style.bad(&text) } else { text }
        })
        .collect();
    if seen.is_empty() { style.good("none") } else { seen.join(", ") }
}

/// A later switch, in one line.
pub(in crate::demo) fn switch_line(
    number: u32,
    of: u32,
    switched: &Switched,
    style: Style,
) -> String {
    let figures = &switched.figures;
    let section = figures.critical_section.map_or("?".to_owned(), numbers::duration);
    format!(
        "  {} → {:<21} freeze to open {section:>7}  gap {:>7}  {}",
        style.dim(&format!("{number:>3}/{of}")),
        switched.operation.to.as_deref().unwrap_or("?"),
        numbers::duration(figures.gap),
        errors(&figures.errors, style),
    )
}

/// A switch that somebody else asked for.
pub(in crate::demo) fn others_operation(
    operation: &OperationDocument,
    gap: Gap,
    style: Style,
) -> String {
    let what = match (&operation.from, &operation.to) {
        (Some(from), Some(to)) => format!("{} {from} → {to}", operation.kind),
        (Some(node), None) | (None, Some(node)) => format!("{} {node}", operation.kind),
        (None, None) => operation.kind.clone(),
    };
    if operation.outcome != OperationOutcome::Succeeded {
        let reason = operation.error.as_deref().unwrap_or("no reason given");
        let outcome = format!("{:?}", operation.outcome).to_lowercase();
        return format!("  {} {what}  {outcome}: {reason}", style.bad("✗"));
    }
    let section = match operation.critical_section_ms {
        Some(section) => format!("freeze to open {}, ", numbers::milliseconds(section)),
        None => String::new(),
    };
    format!(
        "  {} {what}  {section}longest gap between two writes {}",
        style.good("✓"),
        numbers::duration(gap.application)
    )
}

/// Several switches together.
pub(in crate::demo) fn all_figures(figures: &Figures, style: Style) -> Vec<String> {
    let show = |label: &str, spread: Option<Spread>, note: &str| {
        let value = match spread {
            Some(spread) => format!(
                "{} median, {} worst",
                style.bold(&numbers::milliseconds(spread.p50)),
                style.bold(&numbers::milliseconds(spread.max))
            ),
            None => "not known".to_owned(),
        };
        figure(label, &value, note, style)
    };
    vec![
        style.bold(&format!("{} switches", figures.switches)),
        String::new(),
        show("freeze to open", figures.critical_section_ms, &floor_note(figures.floor_ms)),
        show("longest gap between two writes", figures.gap_ms, ""),
        show("  of one connection", figures.worst_writer_gap_ms, ""),
        figure("errors of the application", &errors(&figures.errors, style), "", style),
    ]
}

/// Rows, writability, and who is the master now.
pub(in crate::demo) fn reckoning(
    figures: &Figures,
    audits: &[ServerAudit],
    checks: &CheckReport,
    master: &str,
    style: Style,
) -> Vec<String> {
    let on_each = if audits.iter().all(|audit| audit.found == figures.acknowledged) {
        format!("found on each of {}", numbers::of(audits.len() as u64, "server"))
    } else {
        let found = audits.iter().map(|audit| format!("{} on {}", audit.found, audit.address));
        format!("found: {}", found.collect::<Vec<_>>().join(", "))
    };
    let lost = match figures.lost {
        0 => style.good("0"),
        lost => style.bad(&numbers::count(lost)),
    };
    let unexpected = match figures.unexpected {
        0 => style.good("0"),
        rows => style.bad(&numbers::count(rows)),
    };
    let in_doubt = match figures.ambiguous {
        0 => String::new(),
        rows => format!("{} in doubt: cut before the answer came", numbers::of(rows, "row")),
    };
    let writable = match checks.overlaps.len() {
        0 => style.good("never"),
        spans => style.bad(&numbers::of(spans as u64, "time")),
    };
    let mut looked = format!("{} past the proxies", numbers::of(checks.looks, "look"));
    if checks.attempts > 0 {
        let _ = write!(looked, ", {}", numbers::of(checks.attempts, "write attempt"));
    }
    let mut lines = vec![
        figure(
            "rows acknowledged",
            &style.bold(&numbers::count(figures.acknowledged)),
            &on_each,
            style,
        ),
        figure("rows lost", &lost, &in_doubt, style),
        figure("rows that nobody wrote", &unexpected, "", style),
        figure("two servers writable at once", &writable, &looked, style),
        figure("errors of readers", &reader_errors(figures.read_errors, style), "", style),
    ];
    let through: u64 = checks.through_read_only.iter().map(|one| one.attempts).sum();
    if through > 0 {
        let note = "MariaDB before 12 does not stop such a user; a freeze ends its sessions";
        let attempts = numbers::of(through, "write");
        lines.push(figure("GRANT ALL through read_only", &attempts, note, style));
    }
    lines.push(figure("master now", &style.bold(master), "", style));
    lines
}

fn reader_errors(errors: u64, style: Style) -> String {
    if errors == 0 { style.good("none") } else { style.busy(&numbers::count(errors)) }
}
