//! What rules judge: the facts of one server, read at one time. Nothing here asks anything.

use std::collections::BTreeMap;

use mysqlsvc_core::{Flavor, GtidSet, Millis, Replication, ServerVersion};

use super::Advice;
use crate::mysql::dialect::Dialect;

/// Global variables by their names in lower case, in the server's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The value; none where this version has no such variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter();
        Self(pairs.map(|(name, value)| (name.into().to_lowercase(), value.into())).collect())
    }
}

/// What is known of the value of `read_only` at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtBoot {
    /// It starts read-only.
    ReadOnly,
    /// It starts writable.
    Writable,
    /// It was changed by SET since the start, and the option file is out of sight.
    Unseen,
}

/// How a server is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Its family.
    pub flavor: Flavor,
    /// Its version.
    pub version: ServerVersion,
    /// All its global variables.
    pub variables: Variables,
    /// Whether it comes back read-only.
    pub at_boot: AtBoot,
}

impl ServerSettings {
    pub(super) fn dialect(&self) -> Dialect {
        Dialect {
            flavor: self.flavor,
            version: self.version,
            by_position: Dialect::is_by_position(self.get("gtid_mode")),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)
    }

    /// The first of these names that the server knows, with its value: names change over time.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// The same where the value is a number.
    pub(super) fn number(&self, names: &[&'static str]) -> Option<(&'static str, f64)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?.parse().ok()?)))
    }

    /// Whether a switch of any of these names is on.
    pub(super) fn is_on(&self, names: &[&'static str]) -> bool {
        self.first(names).is_some_and(|(_, value)| is_on(value))
    }
}

/// As the server writes switches, whatever the letters' case.
pub(super) fn is_on(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("ON")
}

/// How a replica's connection is set up. What this version cannot show is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Channel {
    /// Whether it asks its source by GTID.
    pub by_gtid: bool,
    /// Seconds between signs of life of an idle source; 0 for none.
    pub heartbeat: Option<f64>,
    /// How often it tries to connect before it gives up; 0 for ever. MySQL only.
    pub retries: Option<u64>,
    /// Seconds that it stays behind on purpose.
    pub delay: u64,
}

/// How long transactions took, by the clocks of master and replica. MySQL only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// T2 − T1 of the last transaction received, or of the one that is coming in.
    pub sending: Option<Millis>,
    /// T3 − T1 of the last transaction applied, or the age of the oldest one being applied.
    pub whole: Option<Millis>,
}

/// The first few of a list that may be long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<T> {
    /// At most [`Few::MOST`].
    pub first: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> Few<T> {
    /// How many are kept.
    pub const MOST: usize = 10;
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: Vec::new(), more: false }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut all = all.into_iter();
        let first = all.by_ref().take(Self::MOST).collect();
        Self { first, more: all.next().is_some() }
    }
}

/// A table by the names that a statement would use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// Schema.
    pub schema: String,
    /// Table.
    pub table: String,
}

/// A scheduled event that would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnabledEvent {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `user@host` in whose name it runs.
    pub definer: String,
}

/// Everything that rules look at on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its settings.
    pub settings: ServerSettings,
    /// What it has executed.
    pub executed: GtidSet,
    /// Its replication, if it is a replica.
    pub replication: Option<Replication>,
    /// How that is set up.
    pub channel: Option<Channel>,
    /// How long transactions took.
    pub timing: Timing,
    /// Whether its replication state is kept in a transactional table; none where the variables
    /// tell, or nobody can.
    pub state_in_innodb: Option<bool>,
    /// InnoDB tables without a key that could tell their rows apart.
    pub tables_without_key: Few<TableName>,
    /// Events that are enabled.
    pub events: Few<EnabledEvent>,
    /// What registering would find of rights, accounts, filters and channels.
    pub inspected: Vec<Advice>,
}

impl Facts {
    /// A server of which nothing but its version is known.
    pub fn of(flavor: Flavor, version: ServerVersion) -> Self {
        Self {
            settings: ServerSettings {
                flavor,
                version,
                variables: Variables::default(),
                at_boot: AtBoot::ReadOnly,
            },
            executed: GtidSet::empty(flavor),
            replication: None,
            channel: None,
            timing: Timing::default(),
            state_in_innodb: None,
            tables_without_key: Few::default(),
            events: Few::default(),
            inspected: Vec::new(),
        }
    }
}
