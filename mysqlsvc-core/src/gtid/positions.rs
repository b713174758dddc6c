//! Sets of transactions of servers that give them no identifiers.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    InvalidGtidSet,
    coordinate::{BinaryLogName, Coordinate},
};
use crate::Flavor;

/// Whose log, and its base: a server that names its log anew begins another one.
type Log = (Uuid, String);

/// File and offset, which grow.
type Place = (u64, u64);

/// Transactions by where they are in binary logs: for each server, everything in its log up to a
/// place.
///
/// Its text is `UUID binlog.000003:157, UUID …`, sorted; equal sets have equal texts. The same
/// transaction has a place in the log of each server that executed it, so whether two sets of
/// different servers' places are the same is not to be seen by them alone
/// ([`crate::intent::Waypoint`] says it).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PositionSet(BTreeMap<Log, Place>);

impl PositionSet {
    /// The server that a replica reads from while it has not been told who that is: it was let
    /// follow an address where nobody has answered yet. Back ends put it for a Source_UUID that is
    /// empty.
    pub const UNKNOWN_SOURCE: Uuid = Uuid::nil();

    /// Everything in one server's log up to a place.
    pub fn of(server: Uuid, place: &Coordinate) -> Self {
        let mut set = Self::default();
        set.insert(server, place);
        set
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of `other` is in this set.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(log, place)| self.0.get(log).is_some_and(|own| own >= place))
    }

    /// What of this set is not in `other`, each log by its last place. Exact as a question; the
    /// lower end is not kept.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let beyond =
            |(log, place): &(&Log, &Place)| other.0.get(*log).is_none_or(|theirs| theirs < *place);
        Self(self.0.iter().filter(beyond).map(|(log, place)| (log.clone(), *place)).collect())
    }

    /// Both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (log, place) in &other.0 {
            let own = both.0.entry(log.clone()).or_default();
            *own = *place.max(own);
        }
        both
    }

    /// What is in it of one server's log.
    #[must_use]
    pub fn written_by(&self, server: Uuid) -> Self {
        let own = self.0.iter().filter(|((uuid, _), _)| *uuid == server);
        Self(own.map(|(log, place)| (log.clone(), *place)).collect())
    }

    /// What is in it of all other servers' logs.
    #[must_use]
    pub fn without(&self, server: Uuid) -> Self {
        let others = self.0.iter().filter(|((uuid, _), _)| *uuid != server);
        Self(others.map(|(log, place)| (log.clone(), *place)).collect())
    }

    /// Up to where it goes in one server's log; none where that is nowhere, or the server has
    /// named its log anew, so that it goes to a place in each.
    pub fn entry(&self, server: Uuid) -> Option<Coordinate> {
        let mut own = self.iter().filter(|(uuid, _)| *uuid == server).map(|(_, place)| place);
        own.next().filter(|_| own.next().is_none())
    }

    /// Adds everything in a server's log up to a place.
    pub fn insert(&mut self, server: Uuid, place: &Coordinate) {
        let log = (server, place.log.base().to_owned());
        let own = self.0.entry(log).or_default();
        *own = (place.log.number(), place.offset).max(*own);
    }

    /// The last places, by server.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, Coordinate)> {
        self.0.iter().map(|((uuid, base), (number, offset))| {
            (*uuid, Coordinate { log: BinaryLogName::of(base, *number), offset: *offset })
        })
    }
}

impl FromStr for PositionSet {
    type Err = InvalidGtidSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = Self::default();
        if text.trim().is_empty() {
            return Ok(set);
        }
        for item in text.split(',').map(str::trim) {
            let invalid = |problem| InvalidGtidSet::new(Flavor::MySql, item, problem);
            let (uuid, place) = item.split_once(char::is_whitespace).ok_or_else(|| {
                invalid("a server UUID and a place in its binary log are missing")
            })?;
            let uuid = uuid.parse().map_err(|_| invalid("it does not begin with a server UUID"))?;
            let place: Coordinate = place
                .trim()
                .parse()
                .map_err(|error: super::coordinate::InvalidCoordinate| invalid(error.problem))?;
            set.insert(uuid, &place);
        }
        Ok(set)
    }
}

impl fmt::Display for PositionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (uuid, place)) in self.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{uuid} {place}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for PositionSet {
    type Error = InvalidGtidSet;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PositionSet> for String {
    fn from(set: PositionSet) -> Self {
        set.to_string()
    }
}
