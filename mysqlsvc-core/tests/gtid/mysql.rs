//! MySQL's sets do what sets do that list each transaction.

use std::collections::BTreeSet;

use mysqlsvc_core::gtid::MySqlGtidSet;
use proptest::prelude::*;
use uuid::Uuid;

use crate::sets::{LARGEST, canonical, fixed, listed, mysql, mysql_text, parts};

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn a_set_prints_its_one_text_however_it_was_typed(a in parts(), loud: bool) {
        let set: MySqlGtidSet = mysql_text(&a, loud).parse().unwrap();
        let all = listed(&a);
        prop_assert_eq!(set.to_string(), canonical(&all));
        prop_assert_eq!(set.count(), all.len() as u64);
        prop_assert_eq!(set.is_empty(), all.is_empty());
    }

    #[test]
    fn sets_do_what_listed_sets_do(a in parts(), b in parts()) {
        let (x, y) = (mysql(&a), mysql(&b));
        let (a, b) = (listed(&a), listed(&b));
        prop_assert_eq!(x.union(&y).to_string(), canonical(&(&a | &b)));
        prop_assert_eq!(x.minus(&y).to_string(), canonical(&(&a - &b)));
        prop_assert_eq!(x.needed_beyond(&y).to_string(), canonical(&(&a - &b)));
        prop_assert_eq!(x.contains(&y), a.is_superset(&b));
        prop_assert_eq!(x == y, a == b);
    }

    #[test]
    fn a_difference_is_disjoint_and_the_rest_is_common(a in parts(), b in parts()) {
        let (x, y) = (mysql(&a), mysql(&b));
        let (difference, common) = (x.minus(&y), x.minus(&x.minus(&y)));
        prop_assert_eq!(difference.minus(&y), difference.clone());
        prop_assert_eq!(y.minus(&difference), y.clone());
        prop_assert!(y.contains(&common));
        prop_assert_eq!(difference.union(&common), x);
    }

    #[test]
    fn adding_intervals_in_any_order_gives_the_same_set(
        parts in proptest::collection::vec((1_u64..60, 0_u64..9), 0..20),
    ) {
        let uuid = Uuid::from_u128(7);
        let mut set = MySqlGtidSet::default();
        let mut numbers = BTreeSet::new();
        for (first, more) in parts {
            set.add_interval(uuid, first..=first + more);
            numbers.extend((first..=first + more).map(|number| (7, None, number)));
        }
        prop_assert_eq!(set.to_string(), canonical(&numbers));
    }
}

#[test]
fn billions_of_transactions_cost_what_their_intervals_cost() {
    let uuid = Uuid::from_u128(1);
    let mut all = MySqlGtidSet::default();
    all.add_interval(uuid, 0..=u64::MAX);
    assert_eq!(all.count(), LARGEST);
    assert_eq!(all.to_string(), format!("{uuid}:1-9223372036854775806"));
    let mut even = MySqlGtidSet::default();
    for number in 1..=100_000 {
        even.insert(uuid, 2 * number);
    }
    let odd = all.minus(&even);
    assert_eq!(odd.count(), all.count() - 100_000);
    assert!(all.contains(&odd) && !odd.contains(&even));
    assert_eq!(odd.union(&even), all);
}

/// Inserted one by one at the front, these would move terabytes.
#[test]
fn a_text_of_very_many_intervals_in_falling_order_is_read() {
    let uuid = Uuid::from_u128(1);
    let most = 400_000_u64;
    let falling: Vec<String> = (1..=most).rev().map(|n| format!("{uuid}:{}", 3 * n)).collect();
    let set: MySqlGtidSet = falling.join(",").parse().unwrap();
    assert_eq!(set.count(), most);
    assert_eq!(set.iter().next(), Some((uuid, None, 3..=3)));
}
