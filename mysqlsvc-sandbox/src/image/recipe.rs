//! What the images are made of.

use std::fmt;

use crate::flavor::Flavor;

/// An image: a server, and in `/opt/mysqlsvc/template` a data directory to start from.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// What the image is called on this host.
    pub(crate) name: &'static str,
    /// Grows when what is inside changes, so that an image of an older sandbox is not used.
    pub(crate) tag: &'static str,
    /// The server's program.
    pub(crate) server: &'static str,
    /// The image of the server's makers, which is built on where it can be had.
    pub(super) official: &'static str,
    /// Where it cannot: the suite of Debian that has `packages`.
    pub(super) suite: &'static str,
    /// Server and installer, separated by commas.
    pub(super) packages: &'static str,
    /// Makes the data directory, and says the server's version last.
    pub(super) init: &'static str,
}

// `scripts/setup.sh` reads tags and official images from here.

static MYSQL: Recipe = Recipe {
    name: "mysqlsvc-sandbox-mysql",
    tag: "2",
    server: "mysqld",
    official: "mysql:8.4",
    // No release of Debian has MySQL.
    suite: "unstable",
    packages: "mysql-server-core,mysql-client-core",
    init: include_str!("mysql_init.sh"),
};

static MARIADB: Recipe = Recipe {
    name: "mysqlsvc-sandbox-mariadb",
    tag: "1",
    server: "mariadbd",
    official: "mariadb:11.8",
    // Debian 13, which stays with 11.8.
    suite: "trixie",
    packages: "mariadb-server-core,mariadb-client-core",
    init: include_str!("mariadb_init.sh"),
};

impl Recipe {
    /// The image that servers of this flavour run in.
    pub(crate) fn of(flavor: Flavor) -> &'static Self {
        match flavor {
            Flavor::MySql => &MYSQL,
            Flavor::MariaDb => &MARIADB,
        }
    }
}

/// As docker writes it.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}
