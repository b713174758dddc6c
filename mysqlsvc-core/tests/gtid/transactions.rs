//! The transactions of a set, one by one.

use mysqlsvc_core::{
    Flavor, GtidSet,
    gtid::{Gtid, MariaDbGtid},
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::sets::{LARGEST, fixed, listed, mysql, parts};

fn texts(listed: &[Gtid]) -> Vec<String> {
    listed.iter().map(Gtid::to_string).collect()
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn of_mysql_each_is_listed_in_the_order_of_the_text(a in parts(), limit in 0_usize..60) {
        let all: Vec<String> = listed(&a)
            .into_iter()
            .map(|(server, tag, number)| {
                let tag = tag.map_or(String::new(), |tag| format!(":{tag}"));
                format!("{}{tag}:{number}", Uuid::from_u128(server))
            })
            .collect();
        let some = mysql(&a).transactions(limit);
        prop_assert_eq!(texts(&some.listed), &all[..limit.min(all.len())]);
        prop_assert_eq!(some.left_out, all.len().saturating_sub(limit) as u64);
    }

    #[test]
    fn each_is_a_set_and_all_together_are_the_set(a in parts()) {
        let set = mysql(&a);
        let all = set.transactions(usize::MAX);
        prop_assert_eq!(all.left_out, 0);
        let parse = |text: &String| GtidSet::parse(Flavor::MySql, text).unwrap();
        let together = texts(&all.listed)
            .iter()
            .map(parse)
            .fold(GtidSet::empty(Flavor::MySql), |sum, one| sum.union(&one));
        prop_assert_eq!(together, set);
    }
}

#[test]
fn only_as_many_as_asked_for_are_made() {
    let uuid = Uuid::from_u128(1);
    let text = format!("{uuid}:1-{LARGEST}:tag:1-{LARGEST}:z:1-{LARGEST}");
    let some = GtidSet::parse(Flavor::MySql, &text).unwrap().transactions(2);
    assert_eq!(texts(&some.listed), [format!("{uuid}:1"), format!("{uuid}:2")]);
    assert_eq!(some.left_out, u64::MAX - 2, "more than can be counted");
}

#[test]
fn of_mariadb_the_last_of_each_pair_stands_for_all_before_it() {
    let set = GtidSet::parse(Flavor::MariaDb, "0-1-100,0-2-7,1-1-5").unwrap();
    let all = set.transactions(10);
    assert_eq!(texts(&all.listed), ["0-2-7", "0-1-100", "1-1-5"]);
    assert_eq!(all.left_out, 0);
    let some = set.transactions(1);
    assert_eq!(some.listed, [Gtid::MariaDb(MariaDbGtid { domain: 0, server_id: 2, sequence: 7 })]);
    assert_eq!(some.left_out, 2);
}
