//! What the operator registered a node as.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The part a node plays in its cluster (seed 1, section 2.2.3). A cluster has at most one master
/// and at most one standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes the writes.
    Master,
    /// First in line to take over; serves reads only where the cluster says so.
    Standby,
    /// Serves reads.
    Slave,
    /// Known, but not ours to manage.
    Unregistered,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Standby => "standby",
            Self::Slave => "slave",
            Self::Unregistered => "unregistered",
        })
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given {
            "master" => Ok(Self::Master),
            "standby" => Ok(Self::Standby),
            "slave" => Ok(Self::Slave),
            _ => Err(InvalidRole(given.to_owned())),
        }
    }
}

/// A text that names no role a node can be registered as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; write master, standby or slave")]
pub struct InvalidRole(String);
