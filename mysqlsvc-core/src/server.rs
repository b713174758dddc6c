//! What kind of server a node is, and how it is told from another at the same address.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which of the two families of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavor {
    /// MySQL and those that keep to it (Percona Server).
    MySql,
    /// MariaDB.
    MariaDb,
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

/// A server's version, the three numbers that its `@@version` begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerVersion {
    /// 10 in 10.11.19.
    pub major: u16,
    /// 11 in 10.11.19.
    pub minor: u16,
    /// 19 in 10.11.19.
    pub patch: u16,
}

impl ServerVersion {
    /// A version by its numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A text that does not begin with three numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a server version; expected something like 8.4.3 or 10.11.19-MariaDB")]
pub struct InvalidVersion(String);

impl FromStr for ServerVersion {
    type Err = InvalidVersion;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let numbers = given.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or("");
        let mut parts = numbers.split('.').map(str::parse::<u16>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok(Self { major, minor, patch }),
            _ => Err(InvalidVersion(given.to_owned())),
        }
    }
}

/// How a server says which one it is. A server with another identity at a known address is a
/// different server and is never routed (DESIGN, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// `@@server_id`; distinct within a cluster, or replication drops events silently (seed 2).
    pub server_id: u32,
    /// `@@server_uuid`; MariaDB has none.
    pub server_uuid: Option<Uuid>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server_uuid {
            Some(uuid) => write!(f, "server_uuid {uuid}"),
            None => write!(f, "server_id {}", self.server_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, version) in [
            ("8.4.3", ServerVersion::new(8, 4, 3)),
            ("10.11.19-MariaDB-0+deb12u1-log", ServerVersion::new(10, 11, 19)),
            ("8.0.36-28.1", ServerVersion::new(8, 0, 36)),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
        assert!("unknown".parse::<ServerVersion>().is_err());
    }
}
