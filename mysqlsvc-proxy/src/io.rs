//! What the forwarder asks of a byte stream, so that tests may run without a network.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::addr::{ClientAddr, LocalAddr};

/// A byte stream to a client or a server.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {
    /// Ends when the peer is seen to have gone, without taking a byte from the stream. Where that
    /// cannot be told it never ends.
    fn peer_gone(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Who a connection is from, and which address of ours it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The client.
    pub client: ClientAddr,
    /// The address it connected to.
    pub local: LocalAddr,
}

/// A connection a listener accepted.
#[derive(Debug)]
pub struct Accepted<Io> {
    /// The stream to the client.
    pub io: Io,
    /// Who it is.
    pub info: ConnectionInfo,
}

impl Stream for TcpStream {
    /// A client that has sent something is taken to be there: what it sent stands before its end.
    async fn peer_gone(&self) {
        match self.peek(&mut [0]).await {
            Ok(0) | Err(_) => {}
            Ok(_) => std::future::pending().await,
        }
    }
}

impl Stream for tokio::io::DuplexStream {}
