//! Reading answers with a bound.

use std::fmt::Write as _;

use reqwest::Response;

use crate::wire::Problem;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer is longer than {limit} bytes")]
    TooLong { limit: usize },
}

/// Reads the whole body, which must not be longer than `limit` bytes.
pub(super) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The problem document in an answer's body, if that is what it is.
pub(super) fn parse_problem(status: u16, body: &[u8]) -> Option<Problem> {
    let mut problem: Problem = serde_json::from_slice(body).ok()?;
    if problem.title.is_empty() && problem.detail.is_empty() {
        return None;
    }
    if problem.status == 0 {
        problem.status = status;
    }
    Some(problem)
}

/// The first line or so of a body that is not what was expected.
pub(super) fn excerpt(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    text.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// An error with its causes on one line; reqwest puts what matters last.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            let _ = write!(text, ": {inner_text}");
        }
        cause = inner.source();
    }
    text
}
