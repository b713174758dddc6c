//! What model servers hold: rows, each written by one transaction.

use std::fmt;

use crate::{
    Flavor, GtidSet, Identity,
    gtid::{MariaDbGtid, MariaDbGtidSet, MySqlGtidSet},
};

/// One written row. The world numbers rows from 1 and never gives a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(pub u64);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.0)
    }
}

/// Which server wrote a transaction, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId {
    /// The server that wrote it first.
    pub origin: Identity,
    /// MySQL: counted per server; MariaDB: per domain, of which the model has one.
    pub number: u64,
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin.server_uuid {
            Some(uuid) => write!(f, "{uuid}:{}", self.number),
            None => write!(f, "0-{}-{}", self.origin.server_id, self.number),
        }
    }
}

/// A transaction and the row it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) id: TransactionId,
    pub(super) row: Row,
}

/// The set that a server of that flavour would name.
pub(super) fn gtid_set(
    flavor: Flavor,
    transactions: impl IntoIterator<Item = TransactionId>,
) -> GtidSet {
    match flavor {
        Flavor::MySql => {
            let mut set = MySqlGtidSet::default();
            for id in transactions {
                set.insert(id.origin.server_uuid.unwrap_or_default(), id.number);
            }
            GtidSet::MySql(set)
        }
        Flavor::MariaDb => {
            let mut set = MariaDbGtidSet::default();
            set.extend(transactions.into_iter().map(|id| MariaDbGtid {
                domain: 0,
                server_id: id.origin.server_id,
                sequence: id.number,
            }));
            GtidSet::MariaDb(set)
        }
    }
}
