//! What is written where, in lines.

mod header;
mod numbers;
mod outcome;
mod pulse;
mod steps;

use mysqlsvc_sandbox::Flavor;

pub(super) use header::{header, what_next};
pub(super) use outcome::{all_figures, others_operation, reckoning, switch_figures, switch_line};
pub(super) use pulse::{Pulse, pulse, steady};
pub(super) use steps::steps;

use super::screen::{Style, width};

/// Width of the first column of figures.
const LABEL: usize = 32;

/// The name as its makers write it.
pub(super) fn flavor_name(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "MariaDB",
        Flavor::MySql => "MySQL",
    }
}

/// One figure: what it is, how much, and what is to be known about it, below where there is no room.
fn figure(label: &str, value: &str, note: &str, style: Style) -> String {
    let gap = " ".repeat(LABEL.saturating_sub(width(label)));
    let line = format!("  {label}{gap}{value}");
    if note.is_empty() {
        line
    } else if width(&line) + 2 + width(note) <= style.columns() {
        format!("{line}  {}", style.dim(note))
    } else {
        format!("{line}\n      {}", style.dim(note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_room_goes_below() {
        let wide = figure("label", "1 ms", "a note", Style::new(false, 80));
        assert_eq!(wide.lines().count(), 1);
        let narrow = figure("label", "1 ms", "a note", Style::new(false, 40));
        let (first, second) = narrow.split_once('\n').unwrap();
        assert!(first.ends_with("1 ms") && second.ends_with("  a note"), "{narrow}");
    }
}
