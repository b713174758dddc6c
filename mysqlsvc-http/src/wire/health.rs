//! `GET /healthz` and `GET /readyz`, of the monitor and of the proxy's admin address.

use serde::{Deserialize, Serialize};

/// Whether a program is well. Answered with 200 when `ok`, else with 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthDocument {
    /// The sum of the checks.
    pub status: HealthStatus,
    /// The program's version.
    #[serde(default)]
    pub version: String,
    /// What was looked at.
    #[serde(default)]
    pub checks: Vec<HealthCheck>,
}

impl HealthDocument {
    /// Sums up the checks: well when every one is.
    pub fn of(version: impl Into<String>, checks: Vec<HealthCheck>) -> Self {
        let status = if checks.iter().all(|check| check.ok) {
            HealthStatus::Ok
        } else {
            HealthStatus::Failing
        };
        Self { status, version: version.into(), checks }
    }
}

/// The sum of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All well.
    Ok,
    /// Some check failed.
    Failing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// In words.
    #[serde(default)]
    pub detail: String,
}
