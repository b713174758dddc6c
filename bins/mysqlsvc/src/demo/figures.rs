//! What the demo found, as the document of `--json`.

use std::time::Duration;

use mysqlsvc_rig::{CheckReport, ErrorCounts, Ledger, ServerAudit, Spread, ThroughReadOnly};
use mysqlsvc_sandbox::Flavor;
use serde::Serialize;

/// One planned switch as it was seen.
#[derive(Debug, Clone)]
pub(super) struct SwitchFigures {
    pub(super) gap: Duration,
    pub(super) worst_writer: Duration,
    pub(super) critical_section: Option<Duration>,
    pub(super) errors: ErrorCounts,
}

/// The document of `demo --json` (CONTRACTS 1). Times are milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) flavor: Flavor,
    pub(super) version: String,
    pub(super) switches: usize,
    /// How many servers there are.
    pub(super) servers: usize,
    /// How many of them were looked at for rows.
    pub(super) audited: usize,
    /// Rows that the application was told are written.
    pub(super) acknowledged: u64,
    /// Those of them on the server that has fewest.
    pub(super) found: u64,
    /// Those of them that some server lacks.
    pub(super) lost: u64,
    /// Rows that nobody wrote, on the server that has most.
    pub(super) unexpected: u64,
    /// Rows sent and never answered.
    pub(super) ambiguous: u64,
    pub(super) client_errors: u64,
    pub(super) errors: ErrorCounts,
    pub(super) read_errors: u64,
    /// Longest time around each switch without an acknowledged write of any writer.
    pub(super) gap_ms: Option<Spread>,
    /// The same of the writer that waited longest.
    pub(super) worst_writer_gap_ms: Option<Spread>,
    pub(super) critical_section_ms: Option<Spread>,
    /// The same by bare SQL, measured before under the same load.
    pub(super) floor_ms: Option<Spread>,
    pub(super) checks: Checks,
}

/// What the checker saw, which looks at every server past the proxies.
#[derive(Debug, Serialize)]
pub(super) struct Checks {
    pub(super) looks: u64,
    pub(super) write_attempts: u64,
    /// Spans in which two servers took writes.
    pub(super) two_writable: usize,
    /// Attempts of a GRANT ALL user that read_only did not stop (MariaDB before 12).
    pub(super) through_read_only: Vec<ThroughReadOnly>,
}

/// What `Figures` are made of.
pub(super) struct Material<'a> {
    pub(super) flavor: Flavor,
    pub(super) version: &'a str,
    pub(super) switches: &'a [SwitchFigures],
    pub(super) servers: usize,
    pub(super) floor: &'a [Duration],
    pub(super) ledger: &'a Ledger,
    pub(super) audits: &'a [ServerAudit],
    pub(super) errors: ErrorCounts,
    pub(super) read_errors: u64,
    pub(super) checks: &'a CheckReport,
}

impl Figures {
    pub(super) fn of(material: &Material<'_>) -> Self {
        let spread = |pick: fn(&SwitchFigures) -> Option<Duration>| {
            let durations: Vec<Duration> = material.switches.iter().filter_map(pick).collect();
            Spread::of(&durations)
        };
        let audits = material.audits.iter();
        let checks = material.checks;
        Self {
            flavor: material.flavor,
            version: material.version.to_owned(),
            switches: material.switches.len(),
            servers: material.servers,
            audited: audits.len(),
            acknowledged: material.ledger.acknowledged(),
            found: audits.clone().map(|audit| audit.found).min().unwrap_or_default(),
            lost: audits.clone().map(|audit| audit.lost.len() as u64).max().unwrap_or_default(),
            unexpected: audits.map(|audit| audit.unexpected.len() as u64).max().unwrap_or_default(),
            ambiguous: material.ledger.ambiguous(),
            client_errors: material.errors.total(),
            errors: material.errors,
            read_errors: material.read_errors,
            gap_ms: spread(|switch| Some(switch.gap)),
            worst_writer_gap_ms: spread(|switch| Some(switch.worst_writer)),
            critical_section_ms: spread(|switch| switch.critical_section),
            floor_ms: Spread::of(material.floor),
            checks: Checks {
                looks: checks.looks,
                write_attempts: checks.attempts,
                two_writable: checks.overlaps.len(),
                through_read_only: checks.through_read_only.clone(),
            },
        }
    }
}
