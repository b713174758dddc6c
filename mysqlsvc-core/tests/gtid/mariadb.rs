//! MariaDB's sets do what sets do that list each transaction a pair wrote, without gaps.

use std::collections::{BTreeMap, BTreeSet};

use mysqlsvc_core::{GtidSet, gtid::MariaDbGtidSet};
use proptest::prelude::*;

use crate::sets::{Triple, fixed, mariadb, triples};

/// Small numbers only, so that all below can be listed.
fn few() -> impl Strategy<Value = BTreeSet<Triple>> {
    proptest::collection::btree_set((0_u32..3, 1_u32..4, 1_u64..9), 0..12)
}

/// Everything that the set holds, spelled out.
fn below(triples: &BTreeSet<Triple>) -> BTreeSet<Triple> {
    triples.iter().flat_map(|&(d, s, last)| (1..=last).map(move |n| (d, s, n))).collect()
}

/// The highest sequence number of each domain.
fn stand(triples: &BTreeSet<Triple>) -> BTreeMap<u32, u64> {
    let mut stand = BTreeMap::new();
    for &(domain, _, sequence) in triples {
        let highest = stand.entry(domain).or_insert(sequence);
        *highest = sequence.max(*highest);
    }
    stand
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn sets_do_what_listed_sets_do(a in few(), b in few()) {
        let (x, y) = (mariadb(&a), mariadb(&b));
        prop_assert_eq!(x.union(&y), mariadb(&(&a | &b)));
        prop_assert_eq!(x.contains(&y), below(&a).is_superset(&below(&b)));
        let missing: BTreeSet<_> = &below(&a) - &below(&b);
        prop_assert_eq!(x.minus(&y), mariadb(&missing));
        prop_assert_eq!(x == y, below(&a) == below(&b));
    }

    #[test]
    fn a_position_is_come_to_by_the_highest_sequence_of_its_domain(a in triples(), b in triples()) {
        let (x, y) = (mariadb(&a), mariadb(&b));
        let reached = stand(&b);
        let ahead: BTreeSet<Triple> = x
            .iter()
            .map(|gtid| (gtid.domain, gtid.server_id, gtid.sequence))
            .filter(|(domain, _, sequence)| reached.get(domain).is_none_or(|last| last < sequence))
            .collect();
        prop_assert_eq!(x.ahead_of(&y), mariadb(&ahead));
        prop_assert_eq!(x.ahead_of(&y.position()), mariadb(&ahead));
        prop_assert_eq!(x.position().ahead_of(&y).is_empty(), ahead.is_empty());
        let (x, y) = (GtidSet::MariaDb(x), GtidSet::MariaDb(y));
        prop_assert_eq!(x.needed_beyond(&y), GtidSet::MariaDb(mariadb(&ahead)));
    }

    #[test]
    fn the_position_has_the_highest_sequence_of_each_domain(a in triples()) {
        let set = mariadb(&a);
        let position = set.position();
        let stands: Vec<_> = position.iter().map(|gtid| (gtid.domain, gtid.sequence)).collect();
        prop_assert_eq!(stands, stand(&a).into_iter().collect::<Vec<_>>());
        prop_assert!(position.iter().all(|gtid| set.iter().any(|held| held == gtid)));
    }

    #[test]
    fn what_is_listed_last_of_a_domain_is_where_it_stands(a in triples()) {
        let set = mariadb(&a);
        let mut last = BTreeMap::new();
        for gtid in &set.to_string().split(',').filter(|gtid| !gtid.is_empty()).collect::<Vec<_>>() {
            let parts: Vec<&str> = gtid.split('-').collect();
            last.insert(parts[0].parse::<u32>().unwrap(), parts[2].parse::<u64>().unwrap());
        }
        prop_assert_eq!(last, stand(&a));
    }
}

#[test]
fn a_position_is_come_to_by_whoever_wrote_last_in_the_domain() {
    let set = |text: &str| text.parse::<MariaDbGtidSet>().unwrap();
    let purged = set("0-1-100,1-1-7");
    assert_eq!(purged.ahead_of(&set("0-2-120,1-1-7")), set(""));
    assert_eq!(purged.ahead_of(&set("0-2-99,1-1-7")), set("0-1-100"));
    assert_eq!(purged.ahead_of(&set("0-2-120")), set("1-1-7"));
    assert_eq!(set("0-1-100,0-2-7,1-1-7").position(), purged);
}
