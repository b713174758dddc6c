//! What is wrong with a configuration, and where: all of it at once.

use std::{fmt, ops::Range, path::Path};

/// A configuration that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is not right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    place: Place,
    message: String,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The file as a whole.
    File {
        /// As it was given.
        file: String,
    },
    /// At a line and a column of the file.
    Line {
        /// As it was given.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
}

impl ConfigError {
    /// Everything that is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The file could not be read.
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let place = Place::File { file: file.display().to_string() };
        let message = format!("cannot read the configuration: {error}");
        Self { problems: vec![Problem { place, message }] }
    }
}

impl Problem {
    /// Where.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What, and what would be right.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::File { file } => f.write_str(file),
            Self::Line { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// Collects problems while a configuration is read.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    file: String,
    text: &'t str,
    list: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(file: &Path, text: &'t str) -> Self {
        Self { file: file.display().to_string(), text, list: Vec::new() }
    }

    /// The place of a byte range of the text.
    pub(super) fn at(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place::Line {
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    pub(super) fn whole_file(&self) -> Place {
        Place::File { file: self.file.clone() }
    }

    pub(super) fn add(&mut self, place: Place, message: impl Into<String>) {
        self.list.push(Problem { place, message: message.into() });
    }

    pub(super) fn add_at(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.add(self.at(span), message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What was read, if nothing was wrong with it.
    pub(super) fn settle<T>(mut self, read: Option<T>) -> Result<T, ConfigError> {
        match read {
            Some(read) if self.list.is_empty() => Ok(read),
            _ => {
                self.list.sort();
                self.list.dedup();
                Err(ConfigError { problems: self.list })
            }
        }
    }
}
