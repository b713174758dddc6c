//! Places in a server's binary log, where transactions have no identifiers.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// As much of a refused text as is repeated.
const LONGEST_QUOTE: usize = 100;

/// A file of a binary log, as `SHOW BINARY LOGS` names it: `binlog.000003`.
///
/// One log's files are numbered on; files of different bases have nothing to do with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryLogName {
    base: String,
    number: u64,
}

impl BinaryLogName {
    /// What the names of all files of the log begin with (`log_bin`).
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Which file of the log it is, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What [`Self::base`] and [`Self::number`] said.
    pub(crate) fn of(base: &str, number: u64) -> Self {
        Self { base: base.to_owned(), number }
    }
}

/// A place in a binary log: everything in it before this byte of this file. `binlog.000003:157`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Coordinate {
    /// The file.
    pub log: BinaryLogName,
    /// The byte in it where the next event begins; a file's first one is at 4.
    pub offset: u64,
}

/// Within one log; there is no order between places of logs of different names.
impl PartialOrd for Coordinate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let place = |it: &Self| (it.log.number, it.offset);
        (self.log.base == other.log.base).then(|| place(self).cmp(&place(other)))
    }
}

/// A text that is no place in a binary log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is not a place in a binary log: {problem}; write FILE:OFFSET, for example \
         binlog.000003:157"
)]
pub struct InvalidCoordinate {
    given: String,
    pub(super) problem: &'static str,
}

fn invalid(given: &str, problem: &'static str) -> InvalidCoordinate {
    InvalidCoordinate { given: given.chars().take(LONGEST_QUOTE).collect(), problem }
}

/// A number of digits alone: no sign, which `parse` would take.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl FromStr for BinaryLogName {
    type Err = InvalidCoordinate;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let (base, number) = given
            .rsplit_once('.')
            .ok_or_else(|| invalid(given, "the file's name does not end in a number"))?;
        let plain = |c: char| c.is_alphanumeric() || "._-+@".contains(c);
        if base.is_empty() || !base.chars().all(plain) {
            return Err(invalid(given, "the file's name has a character that no log's name has"));
        }
        let long_enough = number.len() >= 6;
        match digits(number).filter(|number| long_enough && *number > 0) {
            Some(number) => Ok(Self::of(base, number)),
            None => Err(invalid(given, "the file's name does not end in a number of six digits")),
        }
    }
}

impl FromStr for Coordinate {
    type Err = InvalidCoordinate;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let (log, offset) =
            given.rsplit_once(':').ok_or_else(|| invalid(given, "the offset is missing"))?;
        let offset = digits(offset).filter(|offset| *offset >= 4);
        let offset = offset.ok_or_else(|| invalid(given, "the offset is a number from 4"))?;
        Ok(Self { log: log.parse()?, offset })
    }
}

impl fmt::Display for BinaryLogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.base, self.number)
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.log, self.offset)
    }
}

impl TryFrom<String> for Coordinate {
    type Error = InvalidCoordinate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Coordinate> for String {
    fn from(coordinate: Coordinate) -> Self {
        coordinate.to_string()
    }
}
