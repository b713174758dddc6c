//! MariaDB's GTIDs and sets of them.

mod gtid;

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::gtid::MariaDbGtid;
use super::InvalidGtidSet;

/// A set of MariaDB transactions: for each pair of domain and server, everything up to a sequence
/// number.
///
/// Its text is one of `gtid_binlog_state`, `0-2-7,0-1-100`, sorted by domain, sequence and server,
/// for a server takes the one listed last for where the domain stands; equal sets have equal texts.
/// As a set it knows no gaps: what a pair wrote below its last sequence number counts as held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MariaDbGtidSet(BTreeMap<(u32, u32), u64>);

impl MariaDbGtidSet {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every transaction of `other` is in this set.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(pair, sequence)| self.last(*pair) >= *sequence)
    }

    /// The transactions of this set that are not in `other`, each pair by its last one. Exact as a
    /// question ("is anything missing, and up to which?"); the lower end is not kept.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let above = self.0.iter().filter(|(pair, sequence)| other.last(**pair) < **sequence);
        Self(above.map(|(pair, sequence)| (*pair, *sequence)).collect())
    }

    /// The positions of this set that a server which executed `other` has not come to: in each
    /// domain, sequence numbers grow whoever writes (`gtid_strict_mode`).
    #[must_use]
    pub fn ahead_of(&self, other: &Self) -> Self {
        let reached = |domain| {
            let in_domain = other.0.range((domain, u32::MIN)..=(domain, u32::MAX));
            in_domain.map(|(_, sequence)| *sequence).max().unwrap_or_default()
        };
        let ahead = self.0.iter().filter(|((domain, _), sequence)| **sequence > reached(*domain));
        Self(ahead.map(|(pair, sequence)| (*pair, *sequence)).collect())
    }

    /// The transactions of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.extend(other.last_of_pairs());
        both
    }

    /// The transactions that this server wrote, in whichever domain.
    #[must_use]
    pub fn written_by(&self, server_id: u32) -> Self {
        let own = self.0.iter().filter(|((_, server), _)| *server == server_id);
        Self(own.map(|(pair, sequence)| (*pair, *sequence)).collect())
    }

    /// Adds a transaction and all that its pair wrote before it. Sequence 0 adds nothing.
    pub fn insert(&mut self, gtid: MariaDbGtid) {
        if gtid.sequence > 0 {
            let last = self.0.entry((gtid.domain, gtid.server_id)).or_default();
            *last = gtid.sequence.max(*last);
        }
    }

    /// The last transaction of each pair, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = MariaDbGtid> {
        let mut all: Vec<MariaDbGtid> = self.last_of_pairs().collect();
        all.sort_unstable_by_key(|gtid| (gtid.domain, gtid.sequence, gtid.server_id));
        all.into_iter()
    }

    /// Where each domain stands, as in `gtid_slave_pos`: of each the transaction with the highest
    /// sequence number, whoever wrote it.
    #[must_use]
    pub fn position(&self) -> Self {
        let last: BTreeMap<u32, MariaDbGtid> =
            self.iter().map(|gtid| (gtid.domain, gtid)).collect();
        let mut position = Self::default();
        position.extend(last.into_values());
        position
    }

    fn last_of_pairs(&self) -> impl Iterator<Item = MariaDbGtid> {
        self.0.iter().map(|(&(domain, server_id), &sequence)| MariaDbGtid {
            domain,
            server_id,
            sequence,
        })
    }

    /// The last sequence number of a pair, 0 if there is none.
    fn last(&self, pair: (u32, u32)) -> u64 {
        self.0.get(&pair).copied().unwrap_or_default()
    }
}

impl Extend<MariaDbGtid> for MariaDbGtidSet {
    fn extend<T: IntoIterator<Item = MariaDbGtid>>(&mut self, gtids: T) {
        gtids.into_iter().for_each(|gtid| self.insert(gtid));
    }
}

impl FromStr for MariaDbGtidSet {
    type Err = InvalidGtidSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = Self::default();
        if !text.trim().is_empty() {
            for gtid in text.split(',') {
                set.insert(gtid.trim().parse()?);
            }
        }
        Ok(set)
    }
}

impl fmt::Display for MariaDbGtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, gtid) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{gtid}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for MariaDbGtidSet {
    type Error = InvalidGtidSet;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MariaDbGtidSet> for String {
    fn from(set: MariaDbGtidSet) -> Self {
        set.to_string()
    }
}
