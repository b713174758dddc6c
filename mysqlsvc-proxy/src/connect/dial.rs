//! Opening a TCP connection.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::Service;

use super::DialError;
use crate::addr::TargetAddr;
use crate::socket::SocketOptions;

/// Dials targets over TCP; resolving a name counts into the limit.
#[derive(Clone, Copy, Debug)]
pub struct TcpDial {
    limit: Duration,
    sockets: SocketOptions,
}

impl Default for TcpDial {
    /// 2 s: time for one lost SYN to be sent again.
    fn default() -> Self {
        Self::new(Duration::from_secs(2), SocketOptions::default())
    }
}

impl TcpDial {
    /// Gives up after `limit`; sets `sockets` on what it opens.
    pub fn new(limit: Duration, sockets: SocketOptions) -> Self {
        Self { limit, sockets }
    }

    async fn dial(self, target: TargetAddr) -> Result<TcpStream, DialError> {
        let connecting = async {
            match (target.socket_addr(), target.name()) {
                (Some(address), _) => TcpStream::connect(address).await,
                (None, name) => TcpStream::connect((name.unwrap_or_default(), target.port())).await,
            }
        };
        let stream = timeout(self.limit, connecting)
            .await
            .map_err(|_| DialError::ConnectTimeout { limit: self.limit })?
            .map_err(DialError::of_connecting)?;
        self.sockets.apply(&stream).map_err(DialError::Connect)?;
        Ok(stream)
    }
}

impl Service<TargetAddr> for TcpDial {
    type Response = TcpStream;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<TcpStream, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: TargetAddr) -> Self::Future {
        Box::pin(self.dial(target))
    }
}
