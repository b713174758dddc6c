//! Standard output: for people with colours, for programs with JSON.

use std::{
    io::{self, IsTerminal as _, Write as _},
    os::fd::AsFd,
};

use rustix::termios::tcgetwinsize;
use serde::Serialize;

use crate::render::Paint;

/// Where everything that was asked for is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) terminal: bool,
    pub(crate) paint: Paint,
    /// Whether it counts what is done and not what is read: where nobody reads any more, nothing is
    /// printed, and that is no failure.
    may_be_unread: bool,
}

impl Output {
    /// Colours only on a terminal, and without `NO_COLOR`.
    pub(crate) fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            json,
            terminal,
            paint: Paint::new(terminal && wanted && !json).within(columns(terminal, io::stdout())),
            may_be_unread: false,
        }
    }

    /// For commands whose exit code tells what became of a change, whoever read of it.
    pub(crate) fn that_may_be_unread(self) -> Self {
        Self { may_be_unread: true, ..self }
    }

    /// Prints the document as JSON, or what `render` makes of it.
    pub(crate) fn show<T: Serialize>(
        self,
        document: &T,
        render: impl FnOnce(&T, Paint) -> String,
    ) -> io::Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
            self.print(&format!("{text}\n"))
        } else {
            self.print(&render(document, self.paint))
        }
    }

    /// Prints text as it is, at once.
    pub(crate) fn print(self, text: &str) -> io::Result<()> {
        match self.ask(text) {
            Err(error) if self.may_be_unread && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed,
        }
    }

    /// Prints text that must be read.
    #[expect(clippy::unused_self, reason = "printing is what an output is for")]
    pub(crate) fn ask(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// How wide the terminal is; a file takes lines of any length.
pub(crate) fn columns(terminal: bool, stream: impl AsFd) -> Option<usize> {
    let size = terminal.then(|| tcgetwinsize(stream).ok()).flatten()?;
    // A terminal that does not know says 0.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
