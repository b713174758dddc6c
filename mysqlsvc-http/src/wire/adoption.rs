//! What a cluster would be taken up as.

use serde::{Deserialize, Serialize};

use super::ProxyMode;

/// What the servers and the proxies say, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptionDocument {
    /// The epoch it would begin with: above this store's and above that of every proxy heard.
    pub epoch: u64,
    /// Address of the master.
    pub master: String,
    /// Address of the standby. Only replication in both directions shows who it is, unless this
    /// store still knows.
    #[serde(default)]
    pub standby: Option<String>,
    /// Addresses of the slaves.
    #[serde(default)]
    pub slaves: Vec<String>,
    /// Whether the master replicates from the standby too.
    #[serde(default)]
    pub mutual: bool,
    /// Whether the master takes writes. One that does not is not opened by this.
    #[serde(default)]
    pub writable: bool,
    /// The proxy whose word counts, if one takes no route of this store: it is only its word.
    #[serde(default)]
    pub heard: Option<HeardDocument>,
    /// What does not fit, and what could not be seen, one line each.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a proxy said when it connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardDocument {
    /// How it calls itself.
    pub proxy: String,
    /// What it serves.
    pub mode: ProxyMode,
    /// Where it connected from; `local` for this machine.
    pub address: String,
    /// Epoch of the route it has.
    pub epoch: u64,
    /// Whether that route comes from another store than this one.
    pub other_store: bool,
}
