//! Sets to test with, as texts and spelled out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use mysqlsvc_core::{
    Flavor, GtidSet,
    gtid::{MariaDbGtid, MariaDbGtidSet},
};
use proptest::{prelude::*, test_runner::RngSeed};
use uuid::Uuid;

/// The largest transaction number MySQL takes.
pub(crate) const LARGEST: u64 = (1 << 63) - 2;

/// Random enough to find what is wrong, and the same on every run.
pub(crate) fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x6774_6964),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A MySQL transaction, spelled out: which of a few servers, tag, number.
pub(crate) type Listed = (u128, Option<&'static str>, u64);

const LONG: &str = "a_tag_of_just_32_letters_0123456";
const TAGS: [Option<&str>; 5] = [None, Some("b1"), Some("b_"), Some("_"), Some(LONG)];

/// An interval of a text: which server, tag, first number, how many more.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    server: u128,
    tag: Option<&'static str>,
    first: u64,
    more: u64,
}

/// Intervals that overlap, touch and repeat, at both ends of the numbers.
pub(crate) fn parts() -> impl Strategy<Value = Vec<Part>> {
    let first = prop_oneof![4 => 1_u64..20, 1 => LARGEST - 9..=LARGEST];
    let tag = proptest::sample::select(TAGS.to_vec());
    let part = (1_u128..4, tag, first, 0_u64..6).prop_map(|(server, tag, first, more)| Part {
        server,
        tag,
        first,
        more: more.min(LARGEST - first),
    });
    proptest::collection::vec(part, 0..16)
}

/// The parts in their order, as somebody may type them.
pub(crate) fn mysql_text(parts: &[Part], loud: bool) -> String {
    let items = parts.iter().map(|part| {
        let mut item = Uuid::from_u128(part.server).to_string();
        if let Some(tag) = part.tag {
            write!(item, ":{tag}").unwrap();
        }
        write!(item, ":{}", part.first).unwrap();
        if part.more > 0 {
            write!(item, "-{}", part.first + part.more).unwrap();
        }
        item
    });
    if loud {
        let items: Vec<String> = items.collect();
        items.join(" ,\r\n\t").replace(':', " : ").to_uppercase()
    } else {
        items.collect::<Vec<String>>().join(",")
    }
}

pub(crate) fn mysql(parts: &[Part]) -> GtidSet {
    GtidSet::parse(Flavor::MySql, &mysql_text(parts, false)).unwrap()
}

pub(crate) fn listed(parts: &[Part]) -> BTreeSet<Listed> {
    let numbers = |part: &Part| {
        let (server, tag) = (part.server, part.tag);
        (part.first..=part.first + part.more).map(move |number| (server, tag, number))
    };
    parts.iter().flat_map(numbers).collect()
}

type Intervals = Vec<(u64, u64)>;

/// The one text of a set, made from its transactions alone.
pub(crate) fn canonical(listed: &BTreeSet<Listed>) -> String {
    let mut by_server: BTreeMap<u128, BTreeMap<Option<&str>, Intervals>> = BTreeMap::new();
    for &(server, tag, number) in listed {
        let intervals = by_server.entry(server).or_default().entry(tag).or_default();
        match intervals.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => intervals.push((number, number)),
        }
    }
    let servers = by_server.into_iter().map(|(server, tags)| {
        let mut item = Uuid::from_u128(server).to_string();
        for (tag, intervals) in tags {
            if let Some(tag) = tag {
                write!(item, ":{tag}").unwrap();
            }
            for (first, last) in intervals {
                let interval =
                    if first == last { format!("{first}") } else { format!("{first}-{last}") };
                write!(item, ":{interval}").unwrap();
            }
        }
        item
    });
    servers.collect::<Vec<_>>().join(",")
}

/// A MariaDB transaction, spelled out: domain, server, sequence.
pub(crate) type Triple = (u32, u32, u64);

pub(crate) fn triples() -> impl Strategy<Value = BTreeSet<Triple>> {
    let sequence = prop_oneof![8 => 1_u64..9, 1 => u64::MAX - 1..=u64::MAX];
    proptest::collection::btree_set((0_u32..3, 1_u32..4, sequence), 0..12)
}

pub(crate) fn mariadb(triples: &BTreeSet<Triple>) -> MariaDbGtidSet {
    let mut set = MariaDbGtidSet::default();
    for &(domain, server_id, sequence) in triples {
        set.insert(MariaDbGtid { domain, server_id, sequence });
    }
    set
}

/// Two sets of one flavour, or three.
pub(crate) fn alike() -> impl Strategy<Value = [GtidSet; 3]> {
    let mysql = [parts(), parts(), parts()].prop_map(|three| three.map(|parts| mysql(&parts)));
    let mariadb = [triples(), triples(), triples()]
        .prop_map(|three| three.map(|triples| GtidSet::MariaDb(mariadb(&triples))));
    prop_oneof![mysql, mariadb]
}
