//! The small vocabularies: roles, states, modes, strategies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Gives an enum of the wire its `Display` and `FromStr` from one table, in the wire's spelling.
macro_rules! spelled {
    ($name:ident, $what:literal, { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// The word as it stands on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!(
                        "`{other}` is not {}: expected one of {}",
                        $what,
                        [$($text),+].join(", "),
                    )),
                }
            }
        }
    };
}

/// What the operator registered a node as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes the writes; at most one in a cluster.
    Master,
    /// First in line to become master; at most one in a cluster.
    Standby,
    /// Takes reads.
    Slave,
    /// Known to discovery, not part of the cluster.
    Unregistered,
}

spelled!(Role, "a role", {
    Master => "master",
    Standby => "standby",
    Slave => "slave",
    Unregistered => "unregistered",
});

/// What was seen of a node, derived by the monitor from its role and the last probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NodeState {
    /// Does what its role asks.
    Ok,
    /// Replicates, but is behind or cannot reach its source; the cause says which.
    Syncing,
    /// Registered, but no replication is configured.
    Detached,
    /// Replication, or for a master writing, is stopped on purpose.
    Paused,
    /// Replicates from something other than the master.
    Lost,
    /// Broken; the cause says how.
    Error,
    /// Not part of the cluster.
    Unregistered,
    /// A state this program is too old to know.
    #[serde(other)]
    Unknown,
}

spelled!(NodeState, "a node state", {
    Ok => "OK",
    Syncing => "SYNCING",
    Detached => "DETACHED",
    Paused => "PAUSED",
    Lost => "LOST",
    Error => "ERROR",
    Unregistered => "UNREGISTERED",
    Unknown => "UNKNOWN",
});

/// Which server family a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavor {
    /// Oracle MySQL and builds of it.
    Mysql,
    /// MariaDB.
    Mariadb,
}

spelled!(Flavor, "a flavor", { Mysql => "mysql", Mariadb => "mariadb" });

/// Whether proxies may connect new clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseName {
    /// They may.
    Open,
    /// They wait, because a planned switch is under way.
    Hold,
}

spelled!(PhaseName, "a phase", { Open => "open", Hold => "hold" });

/// Which half of the route a proxy serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// The one master; such a proxy holds and acknowledges.
    Master,
    /// The slaves, in turn; such a proxy only follows.
    Slave,
}

spelled!(ProxyMode, "a proxy mode", { Master => "master", Slave => "slave" });

/// What a planned switch puts first. `reliability-first` and `availability-first` are read, too.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Strategy {
    /// Freeze the old master, wait until the new one has everything, open it. Loses nothing.
    #[default]
    Reliability,
    /// Open the new master first. May leave contradicting data and must be confirmed.
    Availability,
}

impl Strategy {
    /// The word as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reliability => "reliability",
            Self::Availability => "availability",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "reliability" | "reliability-first" | "reliability_first" => Ok(Self::Reliability),
            "availability" | "availability-first" | "availability_first" => Ok(Self::Availability),
            other => {
                Err(format!("`{other}` is not a strategy: expected reliability or availability"))
            }
        }
    }
}

impl TryFrom<String> for Strategy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Strategy> for &'static str {
    fn from(strategy: Strategy) -> Self {
        strategy.as_str()
    }
}

/// An operation on one node that needs no body; the word is the last segment of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeAction {
    /// Take the node out of the roles; nothing changes on the server.
    Unregister,
    /// Make the node replicate from the master.
    Activate,
    /// Stop replicating and forget the source.
    Detach,
    /// Master: stop writes. Others: stop replication.
    Pause,
    /// The reverse of pause.
    Resume,
}

spelled!(NodeAction, "an operation on a node", {
    Unregister => "unregister",
    Activate => "activate",
    Detach => "detach",
    Pause => "pause",
    Resume => "resume",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_the_spelling_serde_uses() {
        for role in [Role::Master, Role::Standby, Role::Slave, Role::Unregistered] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        for strategy in [Strategy::Reliability, Strategy::Availability] {
            assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.as_str());
            assert_eq!(strategy.as_str().parse::<Strategy>().unwrap(), strategy);
            let old = format!("{strategy}-first");
            assert_eq!(serde_json::from_value::<Strategy>(old.into()).unwrap(), strategy);
        }
        for state in [
            NodeState::Ok,
            NodeState::Syncing,
            NodeState::Detached,
            NodeState::Paused,
            NodeState::Lost,
            NodeState::Error,
            NodeState::Unregistered,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn a_state_of_the_future_is_unknown_not_an_error() {
        let state: NodeState = serde_json::from_str("\"CLONING\"").unwrap();
        assert_eq!(state, NodeState::Unknown);
    }

    #[test]
    fn a_wrong_word_names_the_right_ones() {
        let error = "leader".parse::<Role>().unwrap_err();
        assert_eq!(
            error,
            "`leader` is not a role: expected one of master, standby, slave, unregistered"
        );
    }
}
