//! What is said of a text that is no GTID set.

use crate::Flavor;

/// As much of a refused text as is repeated: a set may be megabytes long.
const LONGEST_QUOTE: usize = 100;

/// A text that is no GTID set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {flavor} GTID set: {problem}")]
pub struct InvalidGtidSet {
    given: String,
    flavor: Flavor,
    problem: &'static str,
}

impl InvalidGtidSet {
    pub(super) fn new(flavor: Flavor, given: &str, problem: &'static str) -> Self {
        let mut characters = given.chars();
        let mut given: String = characters.by_ref().take(LONGEST_QUOTE).collect();
        if characters.next().is_some() {
            given.push('…');
        }
        Self { given, flavor, problem }
    }
}
