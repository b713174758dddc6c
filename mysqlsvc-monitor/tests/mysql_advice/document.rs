//! `docs/advice.md` and the cases here know every name.

use std::{collections::BTreeSet, fs, path::Path};

use mysqlsvc_monitor::mysql::advice::AdviceId;
use mysqlsvc_sandbox::Flavor;

use crate::cases::{NOT_HERE, at_start, cases};

fn all() -> BTreeSet<&'static str> {
    AdviceId::ALL.iter().map(|id| id.as_str()).collect()
}

#[test]
fn the_document_lists_every_finding_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/advice.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: Vec<&str> = rows.collect();
    let distinct: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(distinct, all());
    assert_eq!(listed.len(), distinct.len(), "something is listed twice");
}

#[test]
fn every_finding_is_tried_on_a_real_server() {
    let mut tried = BTreeSet::new();
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        tried.extend(cases(flavor).iter().map(|case| case.id.as_str()));
        tried.extend(at_start(flavor).found.iter().map(|id| id.as_str()));
        tried.extend(at_start(flavor).found_below.iter().map(|id| id.as_str()));
    }
    let not_here: BTreeSet<&str> = NOT_HERE.iter().map(|id| id.as_str()).collect();
    assert!(tried.is_disjoint(&not_here));
    assert_eq!(&tried | &not_here, all());
}
