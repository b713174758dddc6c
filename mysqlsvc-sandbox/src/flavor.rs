//! Which server, and how it is run.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavor {
    /// MariaDB: as processes the version of this host, from the Debian package
    /// `mariadb-server-core`; in containers 11.8, whatever the host has.
    MariaDb,
    /// MySQL, in containers only: 9.7 of Debian unstable, or 8.4 where a registry has its official
    /// image.
    MySql,
}

impl Flavor {
    /// How servers of this flavour are run when nothing else is asked for.
    pub fn default_runtime(self) -> Runtime {
        match self {
            Self::MariaDb => Runtime::Process,
            Self::MySql => Runtime::Container,
        }
    }

    /// Whether servers of this flavour can be run so.
    pub fn runs_as(self, runtime: Runtime) -> bool {
        match runtime {
            Runtime::Process => self == Self::MariaDb,
            Runtime::Container => true,
        }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        })
    }
}

impl FromStr for Flavor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "mariadb" => Ok(Self::MariaDb),
            "mysql" => Ok(Self::MySql),
            other => Err(format!("unknown flavor {other:?}: use mariadb or mysql")),
        }
    }
}

/// How the servers are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Plain processes on 127.0.0.1, each on a port of its own.
    Process,
    /// Docker containers on a private network, each on port 3306 of an address of its own.
    Container,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Container => "container",
        })
    }
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "process" => Ok(Self::Process),
            "container" => Ok(Self::Container),
            other => Err(format!("unknown runtime {other:?}: use process or container")),
        }
    }
}
