//! Where the demo is shown: lines that stay, and below them lines that change.

mod style;

use std::{
    cell::RefCell,
    io::{self, IsTerminal as _, Write},
};

use rustix::termios::tcgetwinsize;

pub(super) use style::{Style, fit, width};

/// Assumed where there is no terminal, or it does not tell.
const COLUMNS: usize = 110;
const ROWS: usize = 24;

/// The terminal, or a file or pipe, to which only the lines that stay are written.
pub(super) struct Screen {
    to_stderr: bool,
    terminal: bool,
    style: Style,
    /// How many lines of the terminal may be overwritten next.
    live: RefCell<usize>,
}

impl Screen {
    /// On stderr where stdout is kept for a document.
    pub(super) fn open(to_stderr: bool) -> Self {
        let terminal =
            if to_stderr { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = terminal && !dumb;
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = if terminal { size(to_stderr).0 } else { COLUMNS };
        Self { to_stderr, terminal, style: Style::new(colour, columns), live: RefCell::new(0) }
    }

    /// Whether lines can change.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// Writes a line that stays.
    pub(super) fn say(&self, line: &str) {
        self.replace(&[line.to_owned()], 0);
    }

    /// Says what is being done, until the next lines come; where lines cannot change it stays.
    pub(super) fn doing(&self, what: &str) {
        if self.terminal {
            self.live(&[self.style.dim(&format!("{what} …"))]);
        } else {
            self.say(&format!("{what} …"));
        }
    }

    /// Leaves a line empty.
    pub(super) fn blank(&self) {
        self.say("");
    }

    /// Shows lines until the next ones come.
    pub(super) fn live(&self, lines: &[String]) {
        if self.terminal {
            let (columns, rows) = size(self.to_stderr);
            let shown = &lines[lines.len().saturating_sub(rows.saturating_sub(1))..];
            let fitted: Vec<String> = shown.iter().map(|line| fit(line, columns)).collect();
            self.replace(&fitted, fitted.len());
        }
    }

    /// Takes away what only showed for a while.
    pub(super) fn settle(&self) {
        self.replace(&[], 0);
    }

    /// Overwrites the lines that change. Where nobody reads any more there is nobody to tell.
    fn replace(&self, lines: &[String], live: usize) {
        let before = self.live.replace(live);
        let mut text = String::new();
        if before > 0 {
            text = format!("\x1b[{before}A\r\x1b[J");
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let written = if self.to_stderr {
            write(&mut io::stderr().lock(), &text)
        } else {
            write(&mut io::stdout().lock(), &text)
        };
        drop(written);
    }
}

fn size(of_stderr: bool) -> (usize, usize) {
    let size = if of_stderr { tcgetwinsize(io::stderr()) } else { tcgetwinsize(io::stdout()) };
    match size {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (COLUMNS, ROWS),
    }
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}
