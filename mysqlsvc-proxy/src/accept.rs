//! The accept loop: it owns every connection's task, survives every error of the listener, and
//! ends with a drain.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use crate::drain::{self, DrainReport, StopSignal};
use crate::forward::Outcome;
use crate::io::Accepted;
use crate::listen::Listen;
use crate::stats::Stats;

/// Clients being told that there are too many, beside so many served; one more is closed without
/// a word.
pub(crate) fn most_turned_away(max_connections: usize) -> usize {
    max_connections.clamp(8, 256)
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Calls `session` for each connection of `listener`, at most `max_connections` at once; those
/// above go to `turn_away`.
#[derive(Debug)]
pub struct Serve<L, S, T> {
    /// Where connections come from.
    pub listener: L,
    /// What is done with each.
    pub session: S,
    /// What is done with those too many.
    pub turn_away: T,
    /// The most at once.
    pub max_connections: usize,
    /// Where accepted connections and errors are counted.
    pub stats: Stats,
    /// Cancelled when a drain's time is up; sessions end at once then.
    pub cut: CancellationToken,
}

/// The listener's rest after errors.
#[derive(Debug, Default)]
struct Backoff {
    pause: Option<Duration>,
    until: Option<Instant>,
}

impl<L, S, T> Serve<L, S, T>
where
    L: Listen,
    S: SessionService<L::Io>,
    T: SessionService<L::Io>,
{
    /// Runs until `stop` says so, then closes the listener and drains. Dropping the future aborts
    /// every session.
    pub async fn run(self, mut stop: StopSignal) -> DrainReport {
        let mut sessions = JoinSet::new();
        let mut turned_away = JoinSet::new();
        let mut backoff = Backoff::default();
        let Self { mut listener, mut session, mut turn_away, max_connections, stats, cut } = self;
        let limit = loop {
            tokio::select! {
                biased;
                limit = stop.requested() => break limit,
                Some(ended) = sessions.join_next() => note(ended),
                Some(ended) = turned_away.join_next() => note(ended),
                () = backoff.over(), if backoff.is_on() => backoff.resume(),
                accepted = next(&mut listener, &mut session, &mut turn_away), if !backoff.is_on() => match accepted {
                    Ok(accepted) => {
                        stats.accepted();
                        backoff = Backoff::default();
                        if sessions.len() < max_connections {
                            sessions.spawn(run(session.call(accepted)));
                        } else if turned_away.len() < most_turned_away(max_connections) {
                            turned_away.spawn(run(turn_away.call(accepted)));
                        }
                    }
                    Err(error) => {
                        stats.accept_failed();
                        backoff.after(&error);
                    }
                },
            }
        };
        drop(listener);
        drain::drain(sessions, limit, stop, cut).await
    }
}

/// What the accept loop asks of a service; implemented for every service that fits.
pub trait SessionService<Io>:
    Service<
        Accepted<Io>,
        Response = Outcome,
        Error = Infallible,
        Future = <Self as SessionService<Io>>::Fut,
    > + Send
    + 'static
{
    /// The service's future.
    type Fut: Future<Output = Result<Outcome, Infallible>> + Send + 'static;
}

impl<S, Io> SessionService<Io> for S
where
    S: Service<Accepted<Io>, Response = Outcome, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    type Fut = S::Future;
}

/// The next connection, once both services are ready for it.
async fn next<L, S, T>(
    listener: &mut L,
    session: &mut S,
    turn_away: &mut T,
) -> io::Result<Accepted<L::Io>>
where
    L: Listen,
    S: SessionService<L::Io>,
    T: SessionService<L::Io>,
{
    let Ok(_) = session.ready().await;
    let Ok(_) = turn_away.ready().await;
    listener.accept().await
}

async fn run(session: impl Future<Output = Result<Outcome, Infallible>>) {
    let Ok(_outcome) = session.await;
}

pub(crate) fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a session panicked; its connection is closed");
    }
}

impl Backoff {
    fn is_on(&self) -> bool {
        self.until.is_some()
    }

    async fn over(&self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
        }
    }

    fn resume(&mut self) {
        self.until = None;
    }

    /// A client that gave up before it was accepted is no reason to rest; anything else is, since
    /// most likely descriptors or memory have run out and asking again at once would spin.
    fn after(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            return;
        }
        let pause = self.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
        tracing::warn!(%error, ?pause, "cannot accept; is the limit of open files reached?");
        self.pause = Some(pause);
        self.until = Some(Instant::now() + pause);
    }
}
