//! One piece of advice: what is set, why it matters, what changes it.

use std::fmt;

use mysqlsvc_core::backend::{self, Finding};

use super::AdviceId;

/// How much it matters. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdviceSeverity {
    /// Switching needs it; registering a server that is so is refused.
    Error,
    /// Data or availability are at risk.
    Warning,
    /// It could be better, or is a matter of taste.
    Hint,
}

/// What somebody who knows would say about one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Its stable name.
    pub id: AdviceId,
    /// How much it matters.
    pub severity: AdviceSeverity,
    /// What was seen on the server, without a full stop.
    pub seen: String,
    /// Why it matters, without a full stop; empty where what was seen says it.
    pub why: String,
    /// What changes it.
    pub remedy: Remedy,
}

/// What changes a finding, in this server's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remedy {
    /// Statements to be run in one session of an administrator, in order.
    pub statements: Vec<String>,
    /// Lines for the option file, below `[mysqld]` or `[mariadbd]`. Where there are statements as
    /// well, these keep over a restart what those change at once.
    pub option_file: Vec<String>,
    /// Whether it takes effect only when the server is started again.
    pub restart: bool,
    /// What to mind; empty for nothing.
    pub note: String,
}

impl Advice {
    pub(in super::super) fn new(
        id: AdviceId,
        severity: AdviceSeverity,
        seen: impl Into<String>,
        why: impl Into<String>,
        remedy: Remedy,
    ) -> Self {
        Self { id, severity, seen: seen.into(), why: why.into(), remedy }
    }

    /// What registering says of it; nothing of what is only a hint.
    pub(in super::super) fn to_finding(&self) -> Option<Finding> {
        let severity = match self.severity {
            AdviceSeverity::Error => backend::Severity::Error,
            AdviceSeverity::Warning => backend::Severity::Warning,
            AdviceSeverity::Hint => return None,
        };
        Some(Finding { id: self.id.as_str().to_owned(), severity, text: self.to_string() })
    }
}

impl From<backend::Severity> for AdviceSeverity {
    fn from(severity: backend::Severity) -> Self {
        match severity {
            backend::Severity::Error => Self::Error,
            backend::Severity::Warning => Self::Warning,
        }
    }
}

impl Remedy {
    /// There is nothing to run: the note says what to do.
    pub(in super::super) fn note(note: impl Into<String>) -> Self {
        Self::default().minding(note)
    }

    pub(in super::super) fn statements<S: Into<String>>(
        statements: impl IntoIterator<Item = S>,
    ) -> Self {
        Self { statements: statements.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Lines that count from the next start on.
    pub(in super::super) fn at_start<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        let option_file = lines.into_iter().map(Into::into).collect();
        Self { option_file, restart: true, ..Self::default() }
    }

    #[must_use]
    pub(in super::super) fn minding(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// The statements between two others.
    #[must_use]
    pub(in super::super) fn between(
        self,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        self.after(before).before(after)
    }

    /// The statements, behind another one.
    #[must_use]
    pub(in super::super) fn after(mut self, first: impl Into<String>) -> Self {
        self.statements.insert(0, first.into());
        self
    }

    /// The statements, and another one behind them.
    #[must_use]
    pub(in super::super) fn before(mut self, last: impl Into<String>) -> Self {
        self.statements.push(last.into());
        self
    }
}

/// On one line, as findings of an inspection are shown.
impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.seen)?;
        if !self.why.is_empty() {
            write!(f, ": {}", self.why)?;
        }
        let remedy = self.remedy.to_string();
        if remedy.is_empty() { Ok(()) } else { write!(f, "; {remedy}") }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.statements.clone();
        if !self.option_file.is_empty() {
            let restart = if self.restart { ", then restart" } else { "" };
            parts.push(format!("{} in the option file{restart}", self.option_file.join(", ")));
        }
        if !self.note.is_empty() {
            parts.push(self.note.clone());
        }
        f.write_str(&parts.join("; "))
    }
}
