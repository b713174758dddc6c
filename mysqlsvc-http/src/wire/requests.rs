//! Bodies of the calls that change something. Unknown fields are refused.

use serde::{Deserialize, Serialize};

use super::{Role, Strategy};

/// Body of `POST /clusters/{c}/nodes/{addr}/register`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// `master`, `standby` or `slave`.
    pub role: Role,
}

/// Body of `POST /clusters/{c}/nodes/{addr}/activate`, which may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivateRequest {
    /// By position (MySQL without GTIDs): the place in the source's binary log that the node's data
    /// are at now, `FILE:OFFSET`. What the monitor knows of it, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Body of `POST /clusters/{c}/switch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchRequest {
    /// Address of the node to become master.
    pub to: String,
    /// Reliability first when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Only show the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// Repeats `to`. Needed for availability first, accepted everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// Body of `POST /clusters/{c}/nodes/{addr}/clone`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneRequest {
    /// Address of the node whose data it gets; chosen by the monitor when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donor: Option<String>,
    /// Only show the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// Repeats the address of the node. Needed unless `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// Body of `POST /clusters/{c}/maintenance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceRequest {
    /// Whether the monitor does nothing on its own account from now on.
    pub on: bool,
}

/// Body of `POST /clusters/{c}/adopt`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptRequest {
    /// Only show what it would come to.
    #[serde(default)]
    pub dry_run: bool,
    /// Repeats the cluster's name. Needed unless `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// Body of `POST /clusters/{c}/emergency-switch`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencySwitchRequest {
    /// Address of the node to become master; chosen by the monitor when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only show the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// Repeats the cluster's name. Needed unless `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_dry_run_is_refused() {
        let text = r#"{"to":"10.0.0.2:3306","dryrun":true}"#;
        let error = serde_json::from_str::<SwitchRequest>(text).unwrap_err();
        assert!(error.to_string().contains("unknown field `dryrun`"), "{error}");
    }

    #[test]
    fn a_switch_needs_only_its_target() {
        let request: SwitchRequest = serde_json::from_str(r#"{"to":"a:1"}"#).unwrap();
        assert!(!request.dry_run);
        assert_eq!(request.strategy, None);
    }
}
