//! TCP options of accepted and dialled sockets.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Options set on every socket; `TCP_NODELAY` is always on, since a delayed small packet costs
/// more than it saves in a request-and-answer protocol.
///
/// The defaults find a peer that vanished within 75 s of silence, or within 15 s where data
/// waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Probes of an idle connection; `None` turns them off.
    pub keepalive: Option<Keepalive>,
    /// How long sent data may stay unacknowledged before the kernel ends the connection
    /// (`TCP_USER_TIMEOUT`, Linux only); `None` leaves the system's default.
    pub user_timeout: Option<Duration>,
}

/// Keepalive probes; each time is cut to whole seconds by the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up.
    pub probes: u32,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            keepalive: Some(Keepalive {
                idle: Duration::from_mins(1),
                interval: Duration::from_secs(3),
                probes: 5,
            }),
            user_timeout: Some(Duration::from_secs(15)),
        }
    }
}

impl SocketOptions {
    /// Sets the options on a connected socket.
    pub fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        if let Some(keepalive) = self.keepalive {
            socket.set_tcp_keepalive(
                &TcpKeepalive::new()
                    .with_time(keepalive.idle)
                    .with_interval(keepalive.interval)
                    .with_retries(keepalive.probes),
            )?;
        }
        #[cfg(target_os = "linux")]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }
}
