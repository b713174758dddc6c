//! Errors, as RFC 9457 puts them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Content type of a [`Problem`].
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// Why a call was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable name of the kind of problem, a URI reference (`/problems/not-allowed`). RFC 9457's
    /// default for an absent one is `about:blank`.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind in a few words, the same for all of one kind.
    #[serde(default)]
    pub title: String,
    /// The HTTP status code, 400 to 599.
    #[serde(default)]
    pub status: u16,
    /// What happened this time and what to do about it.
    #[serde(default)]
    pub detail: String,
    /// For a refused operation: the precondition that does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        match &self.reason {
            Some(reason) if *reason != self.detail => write!(f, " ({reason})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_goes_both_ways_with_the_rfcs_names() {
        let text = r#"{"type":"/problems/not-allowed","title":"Not allowed now","status":409,"detail":"10.0.0.2:3306 is LOST; activate it first","reason":"state"}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&problem).unwrap(), text);
        assert_eq!(
            problem.to_string(),
            "Not allowed now: 10.0.0.2:3306 is LOST; activate it first (state)"
        );
    }
}
