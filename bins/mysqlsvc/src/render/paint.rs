//! Colours, few and with a meaning.

use mysqlsvc_http::wire::{NodeState, OperationOutcome, StepOutcome};

/// Whether colours are wanted, and how wide the page is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    colours: bool,
    columns: Option<usize>,
}

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing in particular.
    Plain,
    /// Of less interest.
    Dim,
    /// To be seen first.
    Strong,
    /// Well.
    Good,
    /// Not yet well, or on purpose not.
    Uneasy,
    /// Broken.
    Bad,
}

impl Paint {
    pub(crate) fn new(colours: bool) -> Self {
        Self { colours, columns: None }
    }

    /// For a page so wide; without it lines may be of any length.
    pub(crate) fn within(self, columns: Option<usize>) -> Self {
        Self { columns, ..self }
    }

    /// How wide the page is; none where that does not matter.
    pub(super) fn columns(self) -> Option<usize> {
        self.columns
    }

    /// Whether every line of a text, told without colours, fits on the page.
    pub(super) fn fits(self, plain: &str) -> bool {
        let widest = plain.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        self.columns.is_none_or(|columns| widest <= columns)
    }

    /// A line that is to be overwritten: on the page it must be no more than one.
    pub(crate) fn cut(self, line: &str) -> String {
        match self.columns {
            // The last column stays free: some terminals break the line there.
            Some(columns) if line.chars().count() >= columns => {
                line.chars().take(columns.saturating_sub(2)).chain(['…']).collect()
            }
            _ => line.to_owned(),
        }
    }

    /// The same page without colours.
    pub(super) fn plain(self) -> Self {
        Self { colours: false, ..self }
    }

    /// The text in its colour.
    pub(crate) fn text(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colours => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Dim => "2",
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Uneasy => "33",
            Tone::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

impl From<NodeState> for Tone {
    fn from(state: NodeState) -> Self {
        match state {
            NodeState::Ok => Self::Good,
            NodeState::Syncing | NodeState::Detached | NodeState::Paused => Self::Uneasy,
            NodeState::Lost | NodeState::Error => Self::Bad,
            NodeState::Unregistered | NodeState::Unknown => Self::Dim,
        }
    }
}

impl From<OperationOutcome> for Tone {
    fn from(outcome: OperationOutcome) -> Self {
        match outcome {
            OperationOutcome::Succeeded => Self::Good,
            OperationOutcome::Running => Self::Strong,
            OperationOutcome::RolledBack | OperationOutcome::Unwinding => Self::Uneasy,
            OperationOutcome::Failed | OperationOutcome::Abandoned => Self::Bad,
        }
    }
}

impl From<StepOutcome> for Tone {
    fn from(outcome: StepOutcome) -> Self {
        match outcome {
            StepOutcome::Done => Self::Good,
            StepOutcome::Running => Self::Strong,
            StepOutcome::Undone | StepOutcome::Skipped => Self::Uneasy,
            StepOutcome::Failed | StepOutcome::Unknown => Self::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_to_be_overwritten_is_cut_to_one() {
        let paint = Paint::new(false);
        assert_eq!(paint.cut("wait until"), "wait until");
        assert_eq!(paint.within(Some(11)).cut("wait until"), "wait until");
        assert_eq!(paint.within(Some(10)).cut("wait until"), "wait unt…");
    }
}
