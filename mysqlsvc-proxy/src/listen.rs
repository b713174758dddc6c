//! Listening for connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::addr::{ClientAddr, LocalAddr};
use crate::io::{Accepted, ConnectionInfo, Stream};
use crate::socket::SocketOptions;

/// Connections of a listening socket that the kernel holds until they are accepted.
pub const DEFAULT_BACKLOG: u32 = 4096;

/// A source of connections; TCP here, anything in tests.
pub trait Listen: Send + 'static {
    /// The stream to a client.
    type Io: Stream;

    /// Waits for the next connection. Dropping the future must lose none.
    fn accept(&mut self) -> impl Future<Output = io::Result<Accepted<Self::Io>>> + Send;
}

/// Accepts TCP connections and sets their options.
#[derive(Debug)]
pub struct TcpListen {
    listener: TcpListener,
    local: LocalAddr,
    sockets: SocketOptions,
}

/// A listener could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl TcpListen {
    /// Binds with `SO_REUSEADDR`, so that a restart need not wait for old connections to time out.
    pub fn bind(
        address: SocketAddr,
        backlog: u32,
        sockets: SocketOptions,
    ) -> Result<Self, BindError> {
        let bind = || {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4(),
                SocketAddr::V6(_) => TcpSocket::new_v6(),
            }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Self::from_listener(socket.listen(backlog)?, sockets)
        };
        bind().map_err(|source| BindError { address, source })
    }

    /// Takes a listener made elsewhere, such as one handed over by a service manager.
    pub fn from_listener(listener: TcpListener, sockets: SocketOptions) -> io::Result<Self> {
        Ok(Self { local: LocalAddr(listener.local_addr()?), listener, sockets })
    }

    /// Where it listens; the port is the real one where 0 was asked for.
    pub fn local_addr(&self) -> LocalAddr {
        self.local
    }
}

impl Listen for TcpListen {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<Accepted<TcpStream>> {
        let (io, client) = self.listener.accept().await?;
        if let Err(error) = self.sockets.apply(&io) {
            // A client that has gone already; its session will find out.
            tracing::debug!(%client, %error, "cannot set socket options");
        }
        let local = io.local_addr().map_or(self.local, LocalAddr);
        let info = ConnectionInfo { client: ClientAddr(client), local };
        Ok(Accepted { io, info })
    }
}
