//! Free TCP ports for servers on loopback.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use uuid::Uuid;

use crate::error::SandboxError;

/// Below the kernel's default range for outgoing connections, so that no connection can take the
/// port of a server that is down for a moment. A port that the kernel chose (port 0) could be.
const RANGE: Range<u16> = 11_000..32_000;

const ATTEMPTS: u32 = 1000;

/// Too few free ports were found on 127.0.0.1.
#[derive(Debug, thiserror::Error)]
#[error("no {wanted} free ports were found on 127.0.0.1 in {RANGE:?} ({last})")]
pub struct PortsError {
    wanted: usize,
    last: io::Error,
}

/// `count` distinct ports of 127.0.0.1 that nobody listens on, from 11000 to 31999. Another program
/// may still take one before the server does; the server then fails to start, and the caller
/// chooses again.
pub fn free(count: usize) -> Result<Vec<u16>, PortsError> {
    let mut held = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        if held.len() == count {
            break;
        }
        let port = random_port();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => held.push((port, listener)),
            Err(error) => last = error,
        }
    }
    if held.len() < count {
        return Err(PortsError { wanted: count, last });
    }
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

/// `count` ports from `base` on.
pub(crate) fn from_base(base: u16, count: usize) -> Result<Vec<u16>, SandboxError> {
    let ports: Option<Vec<u16>> =
        (0..count).map(|i| u16::try_from(i).ok().and_then(|i| base.checked_add(i))).collect();
    ports.filter(|_| base > 0).ok_or_else(|| SandboxError::Option {
        option: "--base-port",
        problem: format!("{base} and the {count} nodes do not fit into ports 1 to 65535"),
    })
}

fn random_port() -> u16 {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    RANGE.start + u16::from_be_bytes([high, low]) % (RANGE.end - RANGE.start)
}
