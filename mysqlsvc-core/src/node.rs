//! Which server is meant: its address, as the operator and the discovery name it.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A server of the cluster by its address, `host:port`.
///
/// The host is a name, an IPv4 address, or an IPv6 address in brackets; the port is 1 to 65535.
/// Cheap to clone. Two nodes are the same when the text is: no name is resolved.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

/// Why a text is no [`NodeId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a server address: {problem}; write host:port, for example 10.0.0.1:3306")]
pub struct InvalidNodeId {
    given: String,
    problem: &'static str,
}

impl NodeId {
    /// The host as written, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self.0.rsplit_once(':').map_or(&*self.0, |(host, _)| host);
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        // `from_str` let no other text in, so the fallback is never taken.
        self.0.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default()
    }

    /// The address as one text, `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts an address together from what a server says of its source.
    pub fn from_parts(host: &str, port: u16) -> Result<Self, InvalidNodeId> {
        if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}").parse()
        } else {
            format!("{host}:{port}").parse()
        }
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let invalid = |problem| InvalidNodeId { given: given.to_owned(), problem };
        let (host, port) = given.rsplit_once(':').ok_or_else(|| invalid("the port is missing"))?;
        let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
        if host.is_empty() {
            return Err(invalid("the host is missing"));
        }
        if host.contains(':') && !bracketed {
            return Err(invalid("an IPv6 address needs brackets"));
        }
        if host.chars().any(|c| c.is_whitespace() || c.is_control() || "/@?#,".contains(c)) {
            return Err(invalid("the host has a character that no host name has"));
        }
        match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Self(format!("{}:{number}", host.to_ascii_lowercase()).into()))
            }
            _ => Err(invalid("the port is not a number from 1 to 65535")),
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_come_apart() {
        let node: NodeId = "DB-1.example:3306".parse().unwrap();
        assert_eq!((node.host(), node.port()), ("db-1.example", 3306));
        let v6: NodeId = "[::1]:3307".parse().unwrap();
        assert_eq!((v6.host(), v6.port()), ("::1", 3307));
        assert_eq!(NodeId::from_parts("::1", 3307).unwrap(), v6);
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for bad in ["", "db", "db:", ":3306", "db:0", "db:65536", "db:+80", "::1:3306", "a b:1"] {
            assert!(bad.parse::<NodeId>().is_err(), "{bad} was taken");
        }
        let said = "db".parse::<NodeId>().unwrap_err().to_string();
        assert!(said.contains("the port is missing"), "{said}");
    }
}
