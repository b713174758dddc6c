//! One server of a sandbox, as outsiders see it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where one server is. Its address stays the same as long as the sandbox lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Address that the host and the other servers reach it by.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The server's `server_id`, from 1.
    pub server_id: u32,
    /// Its data directory on the host.
    pub datadir: PathBuf,
    /// Name of its container, if it runs in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

impl Node {
    /// `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
