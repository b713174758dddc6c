//! An operation and what became of it.

use serde::{Deserialize, Serialize};

use super::{ForecastCause, OperationId, PlanDocument, StepClass, Strategy};

/// One operation, under way or ended. Durations are milliseconds with fractions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationDocument {
    /// Its id.
    pub id: OperationId,
    /// The cluster it changes.
    #[serde(default)]
    pub cluster: String,
    /// `activate`, `clone`, `detach`, `pause`, `resume`, `switch`, `emergency-switch`; of the monitor's own
    /// account `reopen` and `semi-sync`.
    pub kind: String,
    /// Address of the old master; for an operation on one node, of that node.
    #[serde(default)]
    pub from: Option<String>,
    /// Address of the new master.
    #[serde(default)]
    pub to: Option<String>,
    /// What a switch puts first; `null` for what is no switch.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// Who asked.
    #[serde(default)]
    pub who: Option<String>,
    /// When it began: RFC 3339, UTC.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When it ended: RFC 3339, UTC.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// What was going to be done, as journalled before it began.
    #[serde(default)]
    pub plan: Option<PlanDocument>,
    /// What was done, in order.
    #[serde(default)]
    pub steps: Vec<StepDocument>,
    /// How it stands.
    pub outcome: OperationOutcome,
    /// How long applications were expected not to be able to write, in milliseconds; to be
    /// compared with `write_unavailable_ms`.
    #[serde(default)]
    pub forecast_ms: Option<u64>,
    /// What the forecast was made of.
    #[serde(default)]
    pub forecast_causes: Vec<ForecastCause>,
    /// How long no server of the cluster took writes, as the monitor can tell, in milliseconds.
    #[serde(default)]
    pub write_unavailable_ms: Option<f64>,
    /// From the freeze of the old master to the opening of the new one, in milliseconds.
    #[serde(default)]
    pub critical_section_ms: Option<f64>,
    /// What was lost; `null` until it is known.
    #[serde(default)]
    pub loss: Option<LossDocument>,
    /// Where two servers took writes at once (availability first): what the old one wrote
    /// meanwhile, and whether the new one has it. `null` until it is known.
    #[serde(default)]
    pub diverged: Option<DivergenceDocument>,
    /// Transactions that were open on the old master when it was frozen, and so were rolled back,
    /// unless they ended in the moment between.
    #[serde(default)]
    pub interrupted: Vec<InterruptedDocument>,
    /// Nodes that could not be brought along.
    #[serde(default)]
    pub left_behind: Vec<LeftBehind>,
    /// Ids of proxies that did not acknowledge the hold in time.
    #[serde(default)]
    pub acks_missing: Vec<String>,
    /// What went wrong, in words a DBA can act on.
    #[serde(default)]
    pub error: Option<String>,
    /// How far the copy is that is being made; `null` while none is.
    #[serde(default)]
    pub progress: Option<ProgressDocument>,
}

/// How far a copy is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressDocument {
    /// `preparing`, `copying`, `applying`, `restarting`, `awaiting-start`: the last says that the
    /// server has to be started by hand.
    pub phase: String,
    /// Bytes that have come over.
    pub done_bytes: u64,
    /// Bytes that will come over, as the servers estimate; `null` where they do not.
    #[serde(default)]
    pub total_bytes: Option<u64>,
}

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// Under way.
    Running,
    /// Did what was asked; `left_behind` may still name nodes.
    Succeeded,
    /// Failed before the pivot; the cluster is as it was found.
    RolledBack,
    /// Failed before the pivot; some node could not be reached and is undone on first contact.
    Unwinding,
    /// Failed.
    Failed,
    /// Given up by the operator.
    Abandoned,
}

impl OperationOutcome {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Unwinding)
    }
}

/// One step that was begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepDocument {
    /// Stable short name, as in the plan.
    pub name: String,
    /// What it does, for people.
    #[serde(default)]
    pub description: String,
    /// Address of the server it acts on.
    #[serde(default)]
    pub node: Option<String>,
    /// On which side of the pivot it stands.
    #[serde(default)]
    pub class: Option<StepClass>,
    /// When it began: RFC 3339, UTC.
    #[serde(default)]
    pub start: Option<String>,
    /// When it began, in milliseconds since the operation began.
    #[serde(default)]
    pub offset_ms: Option<f64>,
    /// How long it took, in milliseconds; `null` while it runs.
    #[serde(default)]
    pub duration_ms: Option<f64>,
    /// How it stands.
    pub outcome: StepOutcome,
    /// What was observed, or what went wrong.
    #[serde(default)]
    pub detail: Option<String>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Begun.
    Running,
    /// Done.
    Done,
    /// Not done; nothing changed.
    Failed,
    /// Sent, and no answer came.
    Unknown,
    /// Taken back.
    Undone,
    /// Optional, and left out.
    Skipped,
}

/// What an operation lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossDocument {
    /// The verdict.
    pub verdict: LossVerdict,
    /// The GTIDs in question, as a set in the server's form.
    #[serde(default)]
    pub gtids: Option<String>,
    /// What the verdict rests on.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Whether acknowledged transactions were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossVerdict {
    /// None were.
    Lossless,
    /// It cannot be told.
    Unknown,
    /// Some were; they are named.
    Lossy,
}

/// What was written on the old master while the new one was open, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DivergenceDocument {
    /// The GTIDs that the old master had executed when it was frozen and the new one had not when
    /// it was opened, as a set in the server's form; empty for none.
    pub overlap: String,
    /// Why the new master could not take all of them over; `null` where it has them.
    #[serde(default)]
    pub not_taken_over: Option<String>,
}

/// A transaction that a freeze rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptedDocument {
    /// What it was: `open transaction`, `prepared XA transaction`, `table lock`, `DDL`.
    pub kind: String,
    /// Its session, as the server numbers them.
    #[serde(default)]
    pub session: Option<u64>,
    /// Its account, `user@host`; empty where the server does not tell.
    #[serde(default)]
    pub account: String,
    /// How long it had been under way, in milliseconds.
    #[serde(default)]
    pub age_ms: Option<u64>,
    /// Its statement, shortened; empty where the server does not tell.
    #[serde(default)]
    pub detail: String,
}

/// A node an operation could not bring along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// Its address.
    pub node: String,
    /// Why, and what to do.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_the_contracts_words() {
        let words = ["running", "succeeded", "rolled_back", "unwinding", "failed", "abandoned"];
        for word in words {
            let outcome: OperationOutcome = serde_json::from_value(word.into()).unwrap();
            assert_eq!(serde_json::to_value(outcome).unwrap(), word);
            assert_eq!(outcome.is_final(), !["running", "unwinding"].contains(&word));
        }
    }

    #[test]
    fn an_operation_with_only_what_must_be_there_is_read_and_names_all_fields_when_written() {
        let text = r#"{"id":"1","kind":"switch","outcome":"running"}"#;
        let operation: OperationDocument = serde_json::from_str(text).unwrap();
        let written = serde_json::to_value(&operation).unwrap();
        for field in [
            "kind",
            "from",
            "to",
            "strategy",
            "who",
            "plan",
            "steps",
            "outcome",
            "forecast_ms",
            "forecast_causes",
            "write_unavailable_ms",
            "critical_section_ms",
            "loss",
            "diverged",
            "interrupted",
            "left_behind",
        ] {
            assert!(written.get(field).is_some(), "{field}");
        }
        assert_eq!(serde_json::from_value::<OperationDocument>(written).unwrap(), operation);
    }
}
