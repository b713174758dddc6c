//! One connection from beginning to end: connect, relay, or say why not.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use crate::connect::{Connected, Guards};
use crate::io::{Accepted, ConnectionInfo, Stream};
use crate::refusal::{Refusal, RefusalMessage};
use crate::relay::{Link, RelayReport};
use crate::stats::Stats;

/// How long a client may take to be told why it is not served.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Joins each accepted connection to a server: a connecting service in front, a relay behind.
#[derive(Clone)]
pub struct Forward<C, R> {
    connect: C,
    relay: R,
    refusals: Arc<dyn RefusalMessage>,
    stats: Stats,
    cut: CancellationToken,
}

/// Says that there are too many connections, and closes.
#[derive(Clone)]
pub struct TurnAway {
    refusals: Arc<dyn RefusalMessage>,
    stats: Stats,
    limit: usize,
}

/// How one connection went.
#[derive(Debug)]
pub enum Outcome {
    /// It reached a server.
    Relayed(RelayReport),
    /// It was told why not.
    Refused(Refusal),
    /// It went before a server was found.
    ClientLeft,
}

impl<C, R> Forward<C, R> {
    /// Refuses in the words of `refusals`, counts in `stats`, and ends everything at once when
    /// `cut` is cancelled.
    pub fn new(
        connect: C,
        relay: R,
        refusals: Arc<dyn RefusalMessage>,
        stats: Stats,
        cut: CancellationToken,
    ) -> Self {
        Self { connect, relay, refusals, stats, cut }
    }
}

impl<C, R, Io, S> Service<Accepted<Io>> for Forward<C, R>
where
    Io: Stream,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Service<ConnectionInfo, Response = Connected<S>> + Clone + Send + 'static,
    C::Error: Into<Refusal> + Send,
    C::Future: Send,
    R: Service<Link<Io, S>, Response = RelayReport, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    type Response = Outcome;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Outcome, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, accepted: Accepted<Io>) -> Self::Future {
        Box::pin(self.clone().run(accepted))
    }
}

impl<C, R> Forward<C, R> {
    /// What is held across an await here is held as long as the connection lasts; hence the box
    /// around all that is over once a server was found.
    async fn run<Io, S>(mut self, accepted: Accepted<Io>) -> Result<Outcome, Infallible>
    where
        Io: Stream,
        C: Service<ConnectionInfo, Response = Connected<S>>,
        C::Error: Into<Refusal>,
        R: Service<Link<Io, S>, Response = RelayReport, Error = Infallible>,
    {
        self.relay.ready().await?;
        let client = accepted.info.client;
        let (link, _guards) = match Box::pin(self.establish(accepted)).await {
            Ok(established) => established,
            Err(outcome) => return Ok(outcome),
        };
        let report = self.relay.call(link).await?;
        self.stats.closed(&report);
        tracing::debug!(%client, reason = %report.reason, ?report, "ended");
        Ok(Outcome::Relayed(report))
    }

    /// Finds a server for a client, or tells the client why not.
    async fn establish<Io, S>(
        &mut self,
        accepted: Accepted<Io>,
    ) -> Result<(Link<Io, S>, Guards), Outcome>
    where
        Io: Stream,
        C: Service<ConnectionInfo, Response = Connected<S>>,
        C::Error: Into<Refusal>,
    {
        let Accepted { io, info } = accepted;
        let finding = async { self.connect.ready().await?.call(info).await };
        let found = tokio::select! {
            biased;
            () = self.cut.cancelled() => Err(Refusal::ShuttingDown),
            found = finding => found.map_err(Into::into),
            () = io.peer_gone() => {
                self.stats.left_waiting();
                return Err(Outcome::ClientLeft);
            }
        };
        let mut connected = match found {
            Ok(connected) => connected,
            Err(refusal) => {
                return Err(refuse(io, info, refusal, &*self.refusals, &self.stats).await);
            }
        };
        self.stats.connected();
        tracing::debug!(client = %info.client, target = %connected.target, "connected");
        let guards = connected.take_guards();
        let link = Link {
            info,
            client: io,
            target: connected.target,
            epoch: connected.epoch,
            server: connected.io,
            first_bytes: connected.first_bytes,
            cut: self.cut.clone(),
        };
        Ok((link, guards))
    }
}

impl TurnAway {
    /// Turns clients away because `limit` connections stand.
    pub fn new(refusals: Arc<dyn RefusalMessage>, stats: Stats, limit: usize) -> Self {
        Self { refusals, stats, limit }
    }
}

impl<Io: Stream> Service<Accepted<Io>> for TurnAway {
    type Response = Outcome;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Outcome, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, accepted: Accepted<Io>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let refusal = Refusal::TooManyConnections { limit: this.limit };
            Ok(refuse(accepted.io, accepted.info, refusal, &*this.refusals, &this.stats).await)
        })
    }
}

/// Tells the client and closes. One that does not take it in time goes without.
async fn refuse<Io: Stream>(
    mut io: Io,
    info: ConnectionInfo,
    refusal: Refusal,
    refusals: &dyn RefusalMessage,
    stats: &Stats,
) -> Outcome {
    stats.refused(&refusal);
    tracing::info!(client = %info.client, reason = %refusal, "turned away");
    let message = refusals.message(&refusal);
    let _ = timeout(LAST_WORDS, async {
        io.write_all(&message).await?;
        io.shutdown().await
    })
    .await;
    Outcome::Refused(refusal)
}

impl<C: fmt::Debug, R: fmt::Debug> fmt::Debug for Forward<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("connect", &self.connect)
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TurnAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnAway").field("limit", &self.limit).finish_non_exhaustive()
    }
}
