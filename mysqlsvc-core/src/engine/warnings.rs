//! What is no reason to refuse a switch, but to know before it is begun.

use super::Refusal;
use crate::{
    Flavor, NodeId, ServerVersion,
    backend::{Finding, Obstacle, Severity},
    plan::Plan,
};

pub(super) fn warning(id: &str, text: String) -> Finding {
    Finding { id: id.to_owned(), severity: Severity::Warning, text }
}

/// Something under way on the old master.
pub(super) fn obstacle(node: &NodeId, obstacle: &Obstacle) -> Finding {
    let what = if obstacle.forbids_freeze() {
        "it is waited for, and the switch is not begun while it is there"
    } else {
        "it is waited for a moment, then rolled back"
    };
    warning("obstacle", format!("{node}: {obstacle}; {what}"))
}

/// What would refuse the switch that a dry run shows.
pub(super) fn refused(refusal: Refusal) -> Finding {
    warning(&refusal.reason.to_string(), refusal.detail)
}

/// What availability first risks.
pub(super) fn availability_first(plan: &Plan, flavor: Option<Flavor>) -> Finding {
    let from = plan.from.as_ref().map_or_else(String::new, ToString::to_string);
    let to = &plan.to;
    let strict = match flavor {
        Some(Flavor::MariaDb) => {
            " (in MariaDB's strict mode the first transaction that both write is enough)"
        }
        _ => "",
    };
    warning(
        "may-diverge",
        format!(
            "availability first: {to} takes writes while {from} still does, for as long as it \
             takes to freeze {from}. Rows that both write may contradict each other, \
             auto-increment values may collide, and then replication breaks{strict}: what was written on \
             {from} alone is named in the result, and has to be carried over by hand"
        ),
    )
}

/// By position: a replica that stands still cannot come to the place at which everybody stops.
pub(super) fn left_behind(node: &NodeId, to: &NodeId) -> Finding {
    warning(
        "left-behind",
        format!(
            "{node} is paused, and servers replicate by position: unless it stands exactly where \
             {to} will be opened, it cannot follow it, and has to be activated with a place \
             (`mysqlsvc activate {node} --at FILE:OFFSET`) or made a copy afterwards"
        ),
    )
}

/// A node that will follow a newer one.
pub(super) fn version_order(
    node: &NodeId,
    version: ServerVersion,
    to: &NodeId,
    newer: Option<ServerVersion>,
) -> Option<Finding> {
    let newer = newer.filter(|it| (it.major, it.minor) > (version.major, version.minor))?;
    Some(warning(
        "version-order",
        format!(
            "{node} ({version}) will follow {to} ({newer}), which is newer: its replication may \
             break; upgrade it next"
        ),
    ))
}
