//! What registering and activating check on a server beyond a look.

use serde::{Deserialize, Serialize};

use super::{EventName, Obstacle};
use crate::{GtidSet, Probe};

/// A thorough look at one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// What a plain look sees.
    pub probe: Probe,
    /// Transactions that its binary log no longer holds, so that a replica lacking them cannot
    /// follow it; none where the server cannot tell. By position: its own log up to the beginning
    /// of the first file that it still has, `{own: first file:4}`.
    pub purged: Option<GtidSet>,
    /// What is wrong with its settings and rights, each with the way out. Empty is good.
    pub findings: Vec<Finding>,
    /// What a freeze would wait for, or break.
    pub obstacles: Vec<Obstacle>,
    /// The scheduled events that are enabled: they run here, and nowhere else.
    pub events: Vec<EventName>,
    /// What keeps it from being made a copy of another, or another from being made one of it.
    pub copying: Vec<Finding>,
}

impl Inspection {
    /// One that found nothing wrong and nothing under way.
    pub fn clean(probe: Probe) -> Self {
        let (findings, obstacles, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { probe, purged: None, findings, obstacles, events, copying: Vec::new() }
    }
}

/// One thing that is not as it must or should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A stable name, such as `grant-missing` or `log-bin-off`.
    pub id: String,
    /// Whether it forbids registering.
    pub severity: Severity,
    /// What was seen, why it matters, the statement or setting that mends it.
    pub text: String,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Said, but registering goes on.
    Warning,
    /// Registering is refused.
    Error,
}
