//! `docs/operations.md` says of every refusal and of every alarm what to do.

use std::collections::BTreeSet;

use mysqlsvc_core::engine::{AlarmId, Reason};

const HANDBOOK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md"));

/// The names in the first column of the table with this heading.
fn listed(heading: &str) -> Vec<String> {
    let from = HANDBOOK.lines().skip_while(|line| *line != heading).skip(2);
    let rows = from.take_while(|line| line.starts_with('|'));
    let first = rows.filter_map(|line| line.split('|').nth(1));
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned)).collect()
}

fn lists_each_once(heading: &str, all: impl Iterator<Item = &'static str>) {
    let listed = listed(heading);
    let distinct: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(distinct, all.collect());
    assert_eq!(listed.len(), distinct.len(), "something is listed twice");
}

#[test]
fn the_handbook_lists_every_reason_once() {
    let all = Reason::ALL.iter().map(|reason| reason.as_str());
    lists_each_once("| reason | what to do |", all);
}

#[test]
fn the_handbook_lists_every_alarm_once() {
    lists_each_once("| alarm | what to do |", AlarmId::ALL.iter().map(|id| id.as_str()));
}

#[test]
fn a_reason_is_stored_by_the_name_it_is_shown_by() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}
