//! Advice on replication, as `GET /api/v1/clusters/{c}/advice` shows it.

use serde::{Deserialize, Serialize};

use super::{Flavor, Role};

/// Advice for every server of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceDocument {
    /// The cluster's name.
    pub cluster: String,
    /// Each server, in the order of the cluster's document.
    #[serde(default)]
    pub nodes: Vec<NodeAdviceDocument>,
}

/// Advice for one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAdviceDocument {
    /// `host:port`.
    pub addr: String,
    /// What it is registered as.
    pub role: Role,
    /// Why it could not be asked; `null` where it answered.
    #[serde(default)]
    pub error: Option<String>,
    /// Server family.
    #[serde(default)]
    pub flavor: Option<Flavor>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// How far it is behind its source; `null` where it does not replicate.
    #[serde(default)]
    pub lag: Option<LagDocument>,
    /// What could be better, the worst first.
    #[serde(default)]
    pub findings: Vec<AdviceFinding>,
}

/// The lag of a replica, split at the moment when it has received a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagDocument {
    /// `host:port` it replicates from.
    pub source: String,
    /// Age of its data in milliseconds, as the server says it; `null` while it is not connected.
    #[serde(default)]
    pub behind_ms: Option<u64>,
    /// On the source and not received yet: T2 − T1.
    pub not_sent: LagShare,
    /// Received and not executed yet: T3 − T2.
    pub not_applied: LagShare,
}

/// One part of the lag. What nobody can tell is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagShare {
    /// How many transactions stand there now.
    #[serde(default)]
    pub transactions: Option<u64>,
    /// How long the last transaction took there, or has taken so far, in milliseconds.
    #[serde(default)]
    pub ms: Option<u64>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceFinding {
    /// A stable name; `docs/advice.md` has them all.
    pub id: String,
    /// How much it matters.
    pub severity: AdviceSeverity,
    /// `host:port` of the server.
    pub node: String,
    /// What was seen.
    pub seen: String,
    /// Why it matters; empty where what was seen says it.
    #[serde(default)]
    pub why: String,
    /// Statements that change it, for one session of an administrator, in order.
    #[serde(default)]
    pub statements: Vec<String>,
    /// Lines for the option file.
    #[serde(default)]
    pub option_file: Vec<String>,
    /// Whether the change needs a restart of the server.
    #[serde(default)]
    pub restart: bool,
    /// What to mind, or to do by hand; `null` for nothing.
    #[serde(default)]
    pub note: Option<String>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdviceSeverity {
    /// Switching needs it.
    Error,
    /// Data or availability are at risk.
    Warning,
    /// It could be better. Also whatever this program is too old to know.
    #[serde(other)]
    Hint,
}

impl AdviceSeverity {
    /// The word as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_severity_of_the_future_is_a_hint() {
        let read = |word: &str| serde_json::from_value::<AdviceSeverity>(json!(word)).unwrap();
        assert_eq!(read("fatal"), AdviceSeverity::Hint);
        for severity in [AdviceSeverity::Error, AdviceSeverity::Warning, AdviceSeverity::Hint] {
            assert_eq!(read(severity.as_str()), severity);
        }
    }
}
