//! MySQL's GTID sets.

mod gtid;
mod intervals;
mod tag;
mod text;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::RangeInclusive,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::intervals::{Intervals, LARGEST_NUMBER};
pub use self::{
    gtid::MySqlGtid,
    tag::{GtidTag, InvalidTag},
};

/// Whose transactions are counted together.
type Key = (Uuid, Option<GtidTag>);

/// A set of MySQL GTIDs: for each server UUID and tag (8.3 and later), transaction numbers from 1
/// to 2⁶³ − 2, the last that a server takes.
///
/// Its text is that of `gtid_executed` on one line, `uuid:1-5:7:tag:1-3,uuid:1`, sorted; equal sets
/// have equal texts. Cost grows with the number of intervals, not of transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MySqlGtidSet(BTreeMap<Key, Intervals>);

impl MySqlGtidSet {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every transaction of `other` is in this set.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(key, theirs)| self.0.get(key).is_some_and(|own| own.contains(theirs)))
    }

    /// The transactions of this set that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let rest = self.0.iter().map(|(key, own)| match other.0.get(key) {
            Some(theirs) => (key.clone(), own.minus(theirs)),
            None => (key.clone(), own.clone()),
        });
        Self(rest.filter(|(_, intervals)| !intervals.is_empty()).collect())
    }

    /// The transactions of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (key, theirs) in &other.0 {
            match both.0.entry(key.clone()) {
                Entry::Occupied(mut own) => {
                    let union = own.get().union(theirs);
                    own.insert(union);
                }
                Entry::Vacant(free) => {
                    free.insert(theirs.clone());
                }
            }
        }
        both
    }

    /// The transactions that this server wrote, under whichever tag.
    #[must_use]
    pub fn written_by(&self, server: Uuid) -> Self {
        let own = self.0.iter().filter(|((uuid, _), _)| *uuid == server);
        Self(own.map(|(key, intervals)| (key.clone(), intervals.clone())).collect())
    }

    /// How many transactions are in it.
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, intervals| sum.saturating_add(intervals.count()))
    }

    /// Adds one untagged transaction; a number out of range (0, above 2⁶³ − 2) names none and adds
    /// nothing.
    pub fn insert(&mut self, uuid: Uuid, number: u64) {
        self.add_interval(uuid, number..=number);
    }

    /// Adds untagged transactions. Numbers out of range (0, above 2⁶³ − 2) name none and are left
    /// out; an empty range adds nothing.
    pub fn add_interval(&mut self, uuid: Uuid, numbers: RangeInclusive<u64>) {
        let first = *numbers.start().max(&1);
        let last = *numbers.end().min(&LARGEST_NUMBER);
        if first <= last {
            self.0.entry((uuid, None)).or_default().add(first, last);
        }
    }

    /// Its intervals in order: server UUID, tag, numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, Option<&str>, RangeInclusive<u64>)> {
        self.0.iter().flat_map(|((uuid, tag), intervals)| {
            intervals
                .iter()
                .map(|(first, last)| (*uuid, tag.as_ref().map(GtidTag::as_str), first..=last))
        })
    }
}
