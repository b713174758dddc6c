//! Addresses as types, so that a client's can never be dialled nor a target's be listened on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

/// Where a client connects from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub SocketAddr);

/// The address of ours that a client connected to, or that a listener is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalAddr(pub SocketAddr);

/// A server that connections may be forwarded to: an IP address or a name, with a port of 1 to
/// 65535. A name is resolved anew at each dial.
///
/// ```
/// # use mysqlsvc_proxy::TargetAddr;
/// let by_address: TargetAddr = "10.0.0.1:3306".parse().unwrap();
/// let by_name: TargetAddr = "db-1.example:3306".parse().unwrap();
/// assert_eq!(by_name.to_string(), "db-1.example:3306");
/// assert!("db-1.example".parse::<TargetAddr>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetAddr {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Host {
    Ip(IpAddr),
    Name(Arc<str>),
}

/// The text is not `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a target: give HOST:PORT, such as 10.0.0.1:3306 or [::1]:3306")]
pub struct InvalidTarget {
    given: String,
}

// === impl ClientAddr, LocalAddr ===

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl TargetAddr ===

impl TargetAddr {
    /// The address, or `None` when the target is known by name.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            Host::Name(_) => None,
        }
    }

    /// The name, or `None` when the target is known by address.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Ip(_) => None,
            Host::Name(name) => Some(name),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl From<SocketAddr> for TargetAddr {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Ip(address.ip()), port: address.port() }
    }
}

impl FromStr for TargetAddr {
    type Err = InvalidTarget;

    fn from_str(given: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget { given: given.to_owned() };
        if let Ok(address) = given.parse::<SocketAddr>() {
            return if address.port() == 0 { Err(invalid()) } else { Ok(address.into()) };
        }
        let (name, port) = given.rsplit_once(':').ok_or_else(invalid)?;
        match port.parse::<u16>() {
            Ok(port) if port != 0 && is_host_name(name) => {
                Ok(Self { host: Host::Name(name.into()), port })
            }
            _ => Err(invalid()),
        }
    }
}

/// Letters, digits, dots, hyphens and underscores: what a resolver is asked for, and no more.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

impl fmt::Display for TargetAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart_and_print_as_given() {
        for given in ["10.0.0.1:3306", "[::1]:3306", "db_1.example-net:1"] {
            let target: TargetAddr = given.parse().unwrap();
            assert_eq!(target.to_string(), given);
        }
        let name: TargetAddr = "localhost:3306".parse().unwrap();
        assert_eq!((name.name(), name.socket_addr()), (Some("localhost"), None));
    }

    #[test]
    fn what_is_not_host_and_port_is_refused() {
        for given in ["", "db", ":1", "db:0", "1.2.3.4:0", "db:70000", "::1:3306", "a b:1", "a/b:1"]
        {
            assert!(given.parse::<TargetAddr>().is_err(), "{given}");
        }
    }
}
