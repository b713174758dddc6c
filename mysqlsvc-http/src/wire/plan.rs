//! What an operation is going to do.

use serde::{Deserialize, Serialize};

use super::Strategy;

/// The ordered steps of one operation, shown by a dry run and journalled before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDocument {
    /// `switch`, `emergency-switch` and so on.
    pub kind: String,
    /// Address of the old master.
    #[serde(default)]
    pub from: Option<String>,
    /// Address of the new master.
    #[serde(default)]
    pub to: Option<String>,
    /// What a switch puts first; `null` for what is no switch.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// How long applications are expected not to be able to write, in milliseconds; `null` where
    /// nothing is frozen before the other is opened. An estimate: what is kept are the limits.
    #[serde(default)]
    pub forecast_ms: Option<u64>,
    /// What the forecast is made of.
    #[serde(default)]
    pub forecast_causes: Vec<ForecastCause>,
    /// In the order in which they run.
    pub steps: Vec<PlannedStep>,
    /// What the operator should know first, one line each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What `confirm` must repeat, where it is demanded.
    #[serde(default)]
    pub confirm: Option<String>,
}

/// One part of a forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastCause {
    /// What takes the time.
    pub what: String,
    /// How long, in milliseconds.
    pub ms: u64,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Stable short name.
    pub name: String,
    /// What it does, for people.
    pub description: String,
    /// Address of the server it acts on.
    #[serde(default)]
    pub node: Option<String>,
    /// On which side of the pivot it stands.
    pub class: StepClass,
    /// Whether it may be left out, and then is reported.
    #[serde(default)]
    pub optional: bool,
}

/// On which side of the pivot a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepClass {
    /// Before the pivot; has an undo.
    Try,
    /// The pivot: one durable record.
    Commit,
    /// After the pivot; only goes forward.
    Must,
}
