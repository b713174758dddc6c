//! `advise`: each server with its lag and what could be better, the worst first.

use mysqlsvc_http::wire::{
    AdviceDocument, AdviceFinding, AdviceSeverity, Flavor, LagDocument, LagShare,
    NodeAdviceDocument,
};

use super::{
    paint::{Paint, Tone},
    time::whole,
};

/// Prose is broken here; statements are not, for they are to be copied.
const WIDTH: usize = 80;
/// Where findings stand, under their severity.
const INDENT: &str = "           ";

const SEVERITIES: [AdviceSeverity; 3] =
    [AdviceSeverity::Error, AdviceSeverity::Warning, AdviceSeverity::Hint];

/// All servers.
pub(crate) fn advice(document: &AdviceDocument, paint: Paint) -> String {
    let mut nodes: Vec<&NodeAdviceDocument> = document.nodes.iter().collect();
    nodes.sort_by_key(|node| node.role);
    let mut text =
        format!("{}  {}\n", paint.text(Tone::Strong, &document.cluster), sum(&nodes, paint));
    for node in nodes {
        text.push('\n');
        text.push_str(&block(node, paint));
    }
    text
}

fn sum(nodes: &[&NodeAdviceDocument], paint: Paint) -> String {
    let mut parts = Vec::new();
    for severity in SEVERITIES {
        let all = nodes.iter().flat_map(|node| &node.findings);
        match all.filter(|finding| finding.severity == severity).count() {
            0 => {}
            1 => parts.push(paint.text(tone(severity), &format!("1 {}", severity.as_str()))),
            many => {
                parts.push(paint.text(tone(severity), &format!("{many} {}s", severity.as_str())));
            }
        }
    }
    let silent = nodes.iter().filter(|node| node.error.is_some()).count();
    if silent > 0 {
        parts.push(paint.text(Tone::Bad, &format!("{silent} could not be asked")));
    }
    if parts.is_empty() { paint.text(Tone::Good, "nothing to advise") } else { parts.join(", ") }
}

fn tone(severity: AdviceSeverity) -> Tone {
    match severity {
        AdviceSeverity::Error => Tone::Bad,
        AdviceSeverity::Warning => Tone::Uneasy,
        AdviceSeverity::Hint => Tone::Dim,
    }
}

fn block(node: &NodeAdviceDocument, paint: Paint) -> String {
    let family = node.flavor.map(|flavor| match flavor {
        Flavor::Mysql => "MySQL",
        Flavor::Mariadb => "MariaDB",
    });
    let server = family.zip(node.version.as_ref());
    let server = server.map(|(family, version)| format!("  {family} {version}"));
    let mut text = format!(
        "{}  {}{}\n",
        paint.text(Tone::Strong, &node.addr),
        node.role,
        server.unwrap_or_default()
    );
    if let Some(error) = &node.error {
        text.push_str(&prose("  not asked  ", Tone::Bad, error, paint));
        return text;
    }
    if let Some(lag) = &node.lag {
        text.push_str(&prose("  lag      ", Tone::Dim, &lag_line(lag), paint));
    }
    if node.findings.is_empty() {
        text.push_str(&paint.text(Tone::Good, "  nothing to advise"));
        text.push('\n');
    }
    for finding in &node.findings {
        text.push_str(&told(finding, paint));
    }
    text
}

fn lag_line(lag: &LagDocument) -> String {
    let whole = lag.behind_ms.map_or_else(|| "not connected".to_owned(), whole);
    format!("{whole}; not sent: {}; not applied: {}", share(lag.not_sent), share(lag.not_applied))
}

/// `3 transactions, the last took 12 ms`
fn share(share: LagShare) -> String {
    let count = match share.transactions {
        None => "unknown".to_owned(),
        Some(1) => "1 transaction".to_owned(),
        Some(many) => format!("{many} transactions"),
    };
    match share.ms {
        Some(time) => format!("{count}, the last took {}", whole(time)),
        None => count,
    }
}

fn told(finding: &AdviceFinding, paint: Paint) -> String {
    let tone = tone(finding.severity);
    let title = format!("  {:<9}", finding.severity.as_str());
    let mut text = format!("{}{}\n", paint.text(tone, &title), finding.id);
    text.push_str(&prose(INDENT, Tone::Plain, &sentence(&finding.seen), paint));
    text.push_str(&prose(INDENT, Tone::Plain, &sentence(&finding.why), paint));
    for statement in &finding.statements {
        text.push_str(&literal(&format!("{statement};"), paint));
    }
    if !finding.option_file.is_empty() {
        let when = match (finding.statements.is_empty(), finding.restart) {
            (_, true) => "In the option file, then restart:",
            (true, false) => "In the option file:",
            (false, false) => "And in the option file, for the next start:",
        };
        text.push_str(&prose(INDENT, Tone::Plain, when, paint));
        for line in &finding.option_file {
            text.push_str(&literal(line, paint));
        }
    }
    if let Some(note) = &finding.note {
        let restart = finding.restart && finding.option_file.is_empty();
        let note = if restart { format!("{note}, then restart") } else { note.clone() };
        text.push_str(&prose(INDENT, Tone::Dim, &sentence(&note), paint));
    }
    text
}

/// What is to be copied, however long.
fn literal(text: &str, paint: Paint) -> String {
    format!("{INDENT}  {}\n", paint.text(Tone::Strong, text))
}

/// A text that begins with a name in the server's own spelling keeps it.
fn sentence(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let first = text.split(' ').next().unwrap_or_default();
    let is_name = first.contains(|letter: char| !letter.is_ascii_lowercase() && letter != ',');
    let mut letters = text.chars();
    let begin = match letters.next() {
        Some(letter) if !is_name => letter.to_uppercase().to_string(),
        Some(letter) => letter.to_string(),
        None => String::new(),
    };
    format!("{begin}{}.", letters.as_str())
}

/// Words behind a title, broken at the width, each line after the first as far in as the first.
fn prose(title: &str, tone: Tone, words: &str, paint: Paint) -> String {
    let room = WIDTH.saturating_sub(title.len());
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let is_title = !title.trim().is_empty();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        match place {
            0 if is_title => text.push_str(&paint.text(tone, title)),
            _ => text.extend(std::iter::repeat_n(' ', title.len())),
        }
        text.push_str(&if is_title { line.clone() } else { paint.text(tone, line) });
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> AdviceDocument {
        let why = "a crash of the machine loses transactions that replicas have already, or that \
                   were acknowledged; afterwards the servers differ";
        serde_json::from_value(json!({"cluster": "main", "nodes": [
            {"addr": "10.0.0.2:3306", "role": "slave", "flavor": "mariadb", "version": "10.11.19",
             "lag": {"source": "10.0.0.1:3306", "behind_ms": 4000,
                "not_sent": {"transactions": 0}, "not_applied": {"transactions": 1, "ms": 4000}},
             "findings": [
                {"id": "sync-binlog-not-1", "severity": "warning", "node": "10.0.0.2:3306",
                 "seen": "sync_binlog is 0", "why": why,
                 "statements": ["SET GLOBAL sync_binlog = 1"], "option_file": ["sync_binlog=1"]},
                {"id": "replica-skips-errors", "severity": "hint", "node": "10.0.0.2:3306",
                 "seen": "slave_skip_errors is 1062", "why": "it differs", "restart": true,
                 "note": "remove slave_skip_errors from the option file"}]},
            {"addr": "10.0.0.1:3306", "role": "master", "flavor": "mariadb", "version": "10.11.19"},
            {"addr": "10.0.0.3:3306", "role": "slave", "error": "cannot connect: refused"}]}))
        .unwrap()
    }

    #[test]
    fn advice_is_grouped_by_node_and_fits_a_terminal() {
        let expected = "\
main  1 warning, 1 hint, 1 could not be asked

10.0.0.1:3306  master  MariaDB 10.11.19
  nothing to advise

10.0.0.2:3306  slave  MariaDB 10.11.19
  lag      4000 ms; not sent: 0 transactions; not applied: 1 transaction, the
           last took 4000 ms
  warning  sync-binlog-not-1
           sync_binlog is 0.
           A crash of the machine loses transactions that replicas have already,
           or that were acknowledged; afterwards the servers differ.
             SET GLOBAL sync_binlog = 1;
           And in the option file, for the next start:
             sync_binlog=1
  hint     replica-skips-errors
           slave_skip_errors is 1062.
           It differs.
           Remove slave_skip_errors from the option file, then restart.

10.0.0.3:3306  slave
  not asked  cannot connect: refused
";
        let text = advice(&document(), Paint::new(false));
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn colours_tell_how_much_it_matters() {
        let text = advice(&document(), Paint::new(true));
        assert!(text.contains("\x1b[33m  warning  \x1b[0msync-binlog-not-1"), "{text}");
        assert!(text.contains("\x1b[31m  not asked  \x1b[0m"), "{text}");
    }
}
