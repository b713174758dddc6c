//! Sets of places in binary logs: their laws, against sets that list each byte, and their texts.

use std::collections::BTreeSet;

use mysqlsvc_core::{
    Flavor, GtidSet, Identity,
    gtid::{Coordinate, PositionSet},
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::sets::fixed;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

/// A place: which server, which of two names of its log, file, byte.
type Spelled = (u128, bool, u64, u64);

fn places() -> impl Strategy<Value = Vec<Spelled>> {
    let place = (1_u128..4, any::<bool>(), 1_u64..3, 4_u64..7);
    proptest::collection::vec(place, 0..6)
}

fn coordinate((_, named_anew, file, offset): Spelled) -> Coordinate {
    let base = if named_anew { "mysql-bin" } else { "binlog" };
    format!("{base}.{file:06}:{offset}").parse().unwrap()
}

fn set(places: &[Spelled]) -> PositionSet {
    let mut set = PositionSet::default();
    for place in places {
        set.insert(Uuid::from_u128(place.0), &coordinate(*place));
    }
    set
}

/// Every byte up to each place; files have 10 bytes.
fn listed(places: &[Spelled]) -> BTreeSet<Spelled> {
    let bytes = |(server, base, file, offset): &Spelled| {
        let (server, base) = (*server, *base);
        (0..file * 10 + offset).map(move |byte| (server, base, byte / 10, byte % 10))
    };
    places.iter().flat_map(bytes).collect()
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn they_are_sets(x in places(), y in places()) {
        let (a, b) = (set(&x), set(&y));
        let (all_a, all_b) = (listed(&x), listed(&y));
        prop_assert_eq!(a.is_empty(), all_a.is_empty());
        prop_assert_eq!(a.contains(&b), all_a.is_superset(&all_b));
        prop_assert_eq!(a.minus(&b).is_empty(), all_b.is_superset(&all_a));
        prop_assert_eq!(a == b, all_a == all_b);
        let both: Vec<_> = x.iter().chain(&y).copied().collect();
        prop_assert_eq!(a.union(&b), set(&both));
        prop_assert_eq!(a.minus(&b).union(&b), a.union(&b));
        prop_assert_eq!(a.written_by(Uuid::from_u128(1)).union(&a.without(Uuid::from_u128(1))), a);
    }

    #[test]
    fn their_texts_are_read_again(x in places()) {
        let given = set(&x);
        prop_assert_eq!(given.to_string().parse::<PositionSet>().unwrap(), given.clone());
        let sets = GtidSet::Positions(given);
        if !sets.is_empty() {
            prop_assert_eq!(&GtidSet::parse(Flavor::MySql, &sets.to_string()).unwrap(), &sets);
        }
        let text = serde_json::to_string(&sets).unwrap();
        prop_assert_eq!(serde_json::from_str::<GtidSet>(&text).unwrap(), sets);
    }
}

#[test]
fn a_text_is_a_server_and_a_place() {
    let text = format!("{A} binlog.000003:157, {B} my.log-1.1000000:4");
    let set: PositionSet = text.parse().unwrap();
    assert_eq!(set.to_string(), text);
    assert_eq!(set.entry(A.parse().unwrap()).unwrap().to_string(), "binlog.000003:157");
    let twice: PositionSet = format!("{A} x.000001:9, {A} y.000001:4").parse().unwrap();
    assert_eq!(twice.entry(A.parse().unwrap()), None, "which of the two is not known");
}

#[test]
fn places_of_one_log_are_in_order_and_of_two_are_not() {
    let place = |text: &str| text.parse::<Coordinate>().unwrap();
    assert!(place("binlog.000009:900") < place("binlog.000010:4"));
    assert!(place("binlog.999999:4") < place("binlog.1000000:4"));
    assert_eq!(place("a.000001:4").partial_cmp(&place("b.000001:5")), None);
}

#[test]
fn nonsense_is_refused_with_its_reason() {
    for (text, reason) in [
        ("binlog.000003", "the offset is missing"),
        ("binlog.000003:", "from 4"),
        ("binlog.000003:3", "from 4"),
        ("binlog.000003:+5", "from 4"),
        ("binlog.000003:99999999999999999999", "from 4"),
        ("binlog:157", "does not end in a number"),
        ("binlog.3:157", "six digits"),
        ("binlog.000000:157", "six digits"),
        (".000003:157", "a character"),
        ("bin'log.000003:157", "a character"),
        ("bin log.000003:157", "a character"),
    ] {
        let said = text.parse::<Coordinate>().unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
        let said = format!("{A} {text}").parse::<PositionSet>().unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
    }
    for text in ["binlog.000003:157", "x binlog.000003:157", &format!("{A} a.000001:4,")] {
        assert!(text.parse::<PositionSet>().is_err(), "{text}");
    }
}

#[test]
fn the_empty_set_has_no_manner() {
    let places = GtidSet::parse(Flavor::MySql, &format!("{A} binlog.000003:157")).unwrap();
    let (nothing, other) = (GtidSet::empty(Flavor::MySql), GtidSet::empty(Flavor::MariaDb));
    for union in [places.union(&nothing), nothing.union(&places), places.union(&other)] {
        assert_eq!(union, places);
    }
    assert_eq!(other.union(&places), other);
    assert!(places.contains(&nothing) && !nothing.contains(&places));
    assert_eq!(places.minus(&nothing), places);
    assert_eq!(places.flavor(), Flavor::MySql);
    let gtids = GtidSet::parse(Flavor::MySql, &format!("{A}:1-5")).unwrap();
    assert_eq!(gtids.union(&places), gtids, "GTIDs and places say nothing of each other");
    let wrote = Identity { server_id: 1, server_uuid: A.parse().ok() };
    assert_eq!(places.written_by(&wrote), places);
    assert!(places.written_by(&Identity { server_uuid: B.parse().ok(), ..wrote }).is_empty());
    assert_eq!(places.transactions(10).listed, []);
}
