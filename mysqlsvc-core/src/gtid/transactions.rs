//! The transactions of a set, one by one.

use std::fmt;

use super::{GtidSet, MariaDbGtid, MySqlGtid};

/// One transaction, in the form of its flavour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gtid {
    /// `uuid[:tag]:number`, which is what `SET gtid_next` takes.
    MySql(MySqlGtid),
    /// `domain-server_id-sequence`; the parts are what `gtid_domain_id`, `server_id` and, in a
    /// later statement, as it is checked against these, `gtid_seq_no` take.
    MariaDb(MariaDbGtid),
}

/// The first transactions of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transactions {
    /// In the order of the set's text.
    pub listed: Vec<Gtid>,
    /// How many come after them; `u64::MAX` stands for more than that, too.
    pub left_out: u64,
}

impl GtidSet {
    /// The transactions that make a server hold all of this set once it has executed them, at most
    /// `limit`: what is injected as empty transactions where the set is errant.
    ///
    /// MySQL: each one. MariaDB: the last of each pair of domain and server, with which all that
    /// the pair wrote before counts as held; in each domain by their sequence, so that
    /// `gtid_strict_mode` takes them one after the other. Of places in binary logs, none.
    pub fn transactions(&self, limit: usize) -> Transactions {
        let (listed, all): (Vec<Gtid>, u64) = match self {
            Self::MySql(set) => {
                (set.transactions().take(limit).map(Gtid::MySql).collect(), set.count())
            }
            Self::MariaDb(set) => {
                let all = set.iter().fold(0, |count, _| count + 1);
                (set.iter().take(limit).map(Gtid::MariaDb).collect(), all)
            }
            // What has no identifier cannot be injected.
            Self::Positions(_) => (Vec::new(), 0),
        };
        let left_out = all - listed.len() as u64;
        Transactions { listed, left_out }
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(gtid) => gtid.fmt(f),
            Self::MariaDb(gtid) => gtid.fmt(f),
        }
    }
}
