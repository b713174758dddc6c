//! Lists of servers inside a route.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::NodeState;

/// One server a proxy may connect to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// IP address or host name. The field's name comes from the original service.
    pub container_ip: String,
    /// TCP port, 1 to 65535.
    pub container_port: u16,
    /// What the monitor last saw; absent in the original's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeState>,
    /// How old the data is, in milliseconds; absent for a master and where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
}

impl Container {
    /// A server of which only the place is known.
    pub fn at(host: impl Into<String>, port: u16) -> Self {
        Self { container_ip: host.into(), container_port: port, state: None, lag_ms: None }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn address(&self) -> String {
        if self.container_ip.contains(':') {
            format!("[{}]:{}", self.container_ip, self.container_port)
        } else {
            format!("{}:{}", self.container_ip, self.container_port)
        }
    }

    /// The inverse of [`Container::address`].
    pub fn from_address(address: &str) -> Result<Self, String> {
        let wrong = || format!("`{address}` is not an address: expected HOST:PORT");
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or_else(wrong)?,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || port == 0 || host.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Self::at(host, port))
    }
}

/// The servers of one role.
///
/// Written as `{"containers":[…]}`; the original's flat `["host:port",…]` is read as well, so that
/// a proxy can be upgraded before its monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Containers {
    /// In the order in which they are to be tried.
    pub containers: Vec<Container>,
}

impl From<Vec<Container>> for Containers {
    fn from(containers: Vec<Container>) -> Self {
        Self { containers }
    }
}

impl<'de> Deserialize<'de> for Containers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContainersVisitor)
    }
}

struct ContainersVisitor;

impl<'de> Visitor<'de> for ContainersVisitor {
    type Value = Containers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"containers\":[…]} or a list of \"host:port\"")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Containers::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut containers = Vec::new();
        while let Some(address) = list.next_element::<String>()? {
            let container = Container::from_address(&address).map_err(serde::de::Error::custom)?;
            containers.push(container);
        }
        Ok(Containers { containers })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut containers = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "containers" {
                containers = map.next_value::<Option<Vec<Container>>>()?.unwrap_or_default();
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(Containers { containers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways() {
        for address in ["10.0.0.1:3306", "mysql-server-1:3306", "[fd00::1]:3307"] {
            assert_eq!(Container::from_address(address).unwrap().address(), address);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for address in ["", "host", "host:", ":3306", "host:0", "host:70000", "a b:1", "::1:3306"] {
            let error = Container::from_address(address).unwrap_err();
            assert!(error.contains("expected HOST:PORT"), "{address}: {error}");
        }
    }
}
