//! The application at work, in one line.

use std::fmt::Write as _;

use mysqlsvc_rig::ErrorCounts;

use super::numbers;
use crate::demo::{
    application::{Application, READERS},
    screen::Style,
};

/// How the application does now.
pub(in crate::demo) struct Pulse<'a> {
    writes_per_second: f64,
    reads_per_second: f64,
    acknowledged: u64,
    errors: ErrorCounts,
    read_errors: u64,
    master: Option<&'a str>,
}

impl<'a> Pulse<'a> {
    /// Looks at `application`; `master` is shown where it is known.
    pub(in crate::demo) fn of(application: &mut Application, master: Option<&'a str>) -> Self {
        let (writes_per_second, reads_per_second) = application.rates();
        Self {
            writes_per_second,
            reads_per_second,
            acknowledged: application.writers.acknowledged(),
            errors: application.writers.errors(),
            read_errors: application.readers.errors(),
            master,
        }
    }
}

/// The line that changes.
pub(in crate::demo) fn pulse(pulse: &Pulse<'_>, style: Style) -> String {
    let mut line = format!(
        "  {} {} writes/s   {} reads/s   {} rows acknowledged",
        style.good("●"),
        style.bold(&format!("{:>5.0}", pulse.writes_per_second)),
        style.bold(&format!("{:>5.0}", pulse.reads_per_second)),
        numbers::count(pulse.acknowledged),
    );
    let errors = pulse.errors.total() + pulse.read_errors;
    let _ = write!(line, "   {}", style.dim(&numbers::of(errors, "error")));
    if let Some(master) = pulse.master {
        let _ = write!(line, "   master {}", style.bold(master));
    }
    line
}

/// The lines that stay, before the first switch.
pub(in crate::demo) fn steady(pulse: &Pulse<'_>, writers: u32, style: Style) -> String {
    format!(
        "An application at work: {} write {} through the master proxy,\n{} read {} through the slave \
         proxy.",
        numbers::of(writers.into(), "connection"),
        style.bold(&format!("{:.0} rows/s", pulse.writes_per_second)),
        READERS,
        style.bold(&format!("{:.0} times/s", pulse.reads_per_second)),
    )
}
