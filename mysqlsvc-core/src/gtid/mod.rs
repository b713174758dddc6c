//! Sets of global transaction identifiers, in the form of each flavour.

mod coordinate;
mod invalid;
mod mariadb;
mod mysql;
mod positions;
mod transactions;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    coordinate::{BinaryLogName, Coordinate, InvalidCoordinate},
    invalid::InvalidGtidSet,
    mariadb::{MariaDbGtid, MariaDbGtidSet},
    mysql::{GtidTag, InvalidTag, MySqlGtid, MySqlGtidSet},
    positions::PositionSet,
    transactions::{Gtid, Transactions},
};
use crate::{Flavor, Identity};

/// A set of transactions.
///
/// Sets of different flavours have no transaction in common; the empty set of either flavour is
/// contained in everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GtidSet {
    /// `uuid[:tag]:intervals`, see the MySQL manual, "GTID Format and Storage".
    MySql(MySqlGtidSet),
    /// The last sequence number of each pair of domain and server, which is what
    /// `gtid_binlog_state` holds.
    MariaDb(MariaDbGtidSet),
    /// Places in binary logs, where a MySQL server gives no GTIDs (`gtid_mode=OFF`).
    Positions(PositionSet),
}

impl GtidSet {
    /// The empty set of a flavour.
    pub fn empty(flavor: Flavor) -> Self {
        match flavor {
            Flavor::MySql => Self::MySql(MySqlGtidSet::default()),
            Flavor::MariaDb => Self::MariaDb(MariaDbGtidSet::default()),
        }
    }

    /// Reads a set as a server of that flavour writes it, or places in binary logs as they are
    /// written here; white space and line ends are allowed.
    /// What a server takes but never writes (`5-3`, `,,`, a server without numbers) is refused, for
    /// it is a slip of the pen.
    pub fn parse(flavor: Flavor, text: &str) -> Result<Self, InvalidGtidSet> {
        match flavor {
            // No GTID has a dot, and each place has one.
            Flavor::MySql if text.contains('.') => text.parse().map(Self::Positions),
            Flavor::MySql => text.parse().map(Self::MySql),
            Flavor::MariaDb => text.parse().map(Self::MariaDb),
        }
    }

    /// Which flavour's form it has.
    pub fn flavor(&self) -> Flavor {
        match self {
            Self::MySql(_) | Self::Positions(_) => Flavor::MySql,
            Self::MariaDb(_) => Flavor::MariaDb,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::MySql(set) => set.is_empty(),
            Self::MariaDb(set) => set.is_empty(),
            Self::Positions(set) => set.is_empty(),
        }
    }

    /// Whether every transaction of `other` is in this set.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(this), Self::MySql(other)) => this.contains(other),
            (Self::MariaDb(this), Self::MariaDb(other)) => this.contains(other),
            (Self::Positions(this), Self::Positions(other)) => this.contains(other),
            _ => other.is_empty(),
        }
    }

    /// The transactions of this set that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::MySql(this), Self::MySql(other)) => Self::MySql(this.minus(other)),
            (Self::MariaDb(this), Self::MariaDb(other)) => Self::MariaDb(this.minus(other)),
            (Self::Positions(this), Self::Positions(other)) => Self::Positions(this.minus(other)),
            _ => self.clone(),
        }
    }

    /// What a replica that executed `executed` would still need of this set of purged transactions
    /// to follow their server.
    #[must_use]
    pub fn needed_beyond(&self, executed: &Self) -> Self {
        match (self, executed) {
            (Self::MariaDb(this), Self::MariaDb(executed)) => {
                Self::MariaDb(this.ahead_of(executed))
            }
            _ => self.minus(executed),
        }
    }

    /// The places in binary logs that it is made of; none where it is made of GTIDs.
    pub fn positions(&self) -> Option<&PositionSet> {
        match self {
            Self::Positions(set) => Some(set),
            Self::MySql(_) | Self::MariaDb(_) => None,
        }
    }

    /// The transactions that this server wrote itself. Replication never brings these back to it:
    /// a replica passes over what bears its own `server_id`.
    #[must_use]
    pub fn written_by(&self, server: &Identity) -> Self {
        match (self, server.server_uuid) {
            (Self::MySql(set), Some(uuid)) => Self::MySql(set.written_by(uuid)),
            (Self::Positions(set), Some(uuid)) => Self::Positions(set.written_by(uuid)),
            (Self::MySql(_) | Self::Positions(_), None) => Self::empty(Flavor::MySql),
            (Self::MariaDb(set), _) => Self::MariaDb(set.written_by(server.server_id)),
        }
    }

    /// The transactions of both. Of another flavour's set, nothing is taken over; nor of places, if
    /// there are GTIDs already, or the reverse.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::MySql(this), Self::MySql(other)) => Self::MySql(this.union(other)),
            (Self::MariaDb(this), Self::MariaDb(other)) => Self::MariaDb(this.union(other)),
            (Self::Positions(this), Self::Positions(other)) => Self::Positions(this.union(other)),
            // The empty set of a flavour is empty in both of its forms.
            _ if self.is_empty() && self.flavor() == other.flavor() => other.clone(),
            _ => self.clone(),
        }
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(set) => set.fmt(f),
            Self::MariaDb(set) => set.fmt(f),
            Self::Positions(set) => set.fmt(f),
        }
    }
}
