//! Tags of MySQL's transactions.

use std::{fmt, str::FromStr};

/// The longest tag MySQL takes (MySQL manual, "GTID Format and Storage").
const LONGEST_TAG: usize = 32;

/// What MySQL 8.3 and later can mark transactions with: up to 32 letters, digits and underscores,
/// the first no digit. Kept in lower case, as the server does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GtidTag(String);

/// A text that is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tag is at most 32 letters, digits and underscores, the first no digit")]
pub struct InvalidTag;

impl GtidTag {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GtidTag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if begins && text.len() <= LONGEST_TAG && text.bytes().all(known) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidTag)
        }
    }
}

impl fmt::Display for GtidTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
