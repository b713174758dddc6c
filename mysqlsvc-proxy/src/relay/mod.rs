//! Carrying bytes both ways until the connection has ended, without losing any.
//!
//! The rules, in words:
//! - The end of one side's bytes is passed on as such; then the other side has
//!   [`Relay::half_closed`] without progress to end as well.
//! - A server that cannot be written to may still have said why: what it said is delivered, and
//!   the client's further bytes are taken and dropped until it has read that and closed. (Closing
//!   with unread bytes would reset the connection and might destroy what the client has not read.)
//! - A client that broke off ends the relay once what it sent is delivered.
//!
//! An idle connection owns no buffer.

mod direction;
mod report;

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;
use tower::Service;

use direction::{Direction, OnBrokenWriter};
pub use report::{CloseReason, RelayReport, Side};

use crate::addr::TargetAddr;
use crate::io::ConnectionInfo;

/// A client and a server to be joined: what a relay is called with.
pub struct Link<C, S> {
    /// Who the client is.
    pub info: ConnectionInfo,
    /// The stream to the client.
    pub client: C,
    /// Which server it is.
    pub target: TargetAddr,
    /// The label of the target set it was chosen from.
    pub epoch: u64,
    /// The stream to the server.
    pub server: S,
    /// What the server has said already; it is the client's.
    pub first_bytes: Vec<u8>,
    /// Ends the relay at once when cancelled.
    pub cut: CancellationToken,
}

/// Relays bytes without looking at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relay {
    /// After one side has ended, how long the other may go on without a byte delivered.
    /// Default 10 s.
    pub half_closed: Duration,
}

impl Default for Relay {
    fn default() -> Self {
        Self { half_closed: Duration::from_secs(10) }
    }
}

impl<C, S> Service<Link<C, S>> for Relay
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Response = RelayReport;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<RelayReport, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, link: Link<C, S>) -> Self::Future {
        let half_closed = self.half_closed;
        let cut = link.cut.clone();
        let mut pair = Pair::new(link);
        // Captured, not passed on: a future keeps its arguments beside what is made of them.
        Box::pin(async move {
            let mut cut = pin!(cut.cancelled());
            let relaying = poll_fn(|cx| match cut.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(pair.report(CloseReason::Cut)),
                Poll::Pending => pair.poll(cx, half_closed),
            });
            Ok(relaying.await)
        })
    }
}

/// Both directions of one connection.
struct Pair<C, S> {
    client: C,
    server: S,
    up: Direction,
    down: Direction,
    began: Instant,
    reason: Option<CloseReason>,
    linger: Option<Linger>,
}

/// The time left to the side that has not ended.
struct Linger {
    timer: Pin<Box<Sleep>>,
    delivered: u64,
}

impl<C, S> Pair<C, S>
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn new(link: Link<C, S>) -> Self {
        Self {
            client: link.client,
            server: link.server,
            up: Direction::new(Vec::new(), OnBrokenWriter::Discard),
            down: Direction::new(link.first_bytes, OnBrokenWriter::Stop),
            began: Instant::now(),
            reason: None,
            linger: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, half_closed: Duration) -> Poll<RelayReport> {
        // The server's direction first: of two ends seen in one look, its own is the telling one.
        let down = self.down.poll(cx, &mut self.server, &mut self.client).is_ready();
        if self.down.reader_broke() {
            self.up.discard();
        }
        let up = self.up.poll(cx, &mut self.client, &mut self.server).is_ready();
        if self.reason.is_none() {
            self.reason = report::first_end(self.up.end(), self.down.end());
        }
        let Some(reason) = self.reason else {
            return Poll::Pending;
        };
        let client_broke = up && self.up.reader_broke();
        if (up && down) || client_broke {
            return Poll::Ready(self.report(reason));
        }
        match self.poll_linger(cx, half_closed) {
            Poll::Ready(()) => Poll::Ready(self.report(reason.lingered())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let delivered = self.up.delivered() + self.down.delivered();
        let linger =
            self.linger.get_or_insert_with(|| Linger { timer: Box::pin(sleep(limit)), delivered });
        if linger.delivered != delivered {
            linger.delivered = delivered;
            linger.timer.as_mut().reset(Instant::now() + limit);
        }
        linger.timer.as_mut().poll(cx)
    }

    fn report(&self, reason: CloseReason) -> RelayReport {
        RelayReport {
            reason,
            to_server: self.up.delivered(),
            to_client: self.down.delivered(),
            lasted: self.began.elapsed(),
        }
    }
}

impl<C, S> fmt::Debug for Link<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("info", &self.info)
            .field("target", &self.target)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
