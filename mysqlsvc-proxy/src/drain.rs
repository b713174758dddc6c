//! Ending: no new connections, time for the old ones, then a cut.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::accept::note;

/// How long sessions may take to end once they were told to.
const AFTER_CUT: Duration = Duration::from_secs(2);

/// How a drain went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that stood when the drain began and ended by themselves.
    pub ended: usize,
    /// Connections that were cut.
    pub cut: usize,
}

/// Tells an accept loop to end, and how long its connections may go on.
#[derive(Debug)]
pub struct StopSignal {
    requests: watch::Receiver<Option<Duration>>,
    token: CancellationToken,
    limit: Duration,
}

impl StopSignal {
    /// Stops when a time is sent on `requests`, or with `limit` when `token` is cancelled or the
    /// sender of `requests` is gone.
    pub fn new(
        requests: watch::Receiver<Option<Duration>>,
        token: CancellationToken,
        limit: Duration,
    ) -> Self {
        Self { requests, token, limit }
    }

    /// Waits for the request to stop.
    pub(crate) async fn requested(&mut self) -> Duration {
        let asked = self.requests.wait_for(Option::is_some);
        tokio::select! {
            asked = asked => asked.ok().and_then(|asked| *asked).unwrap_or(self.limit),
            () = self.token.cancelled() => self.limit,
        }
    }

    /// Waits for another time than the one under way.
    async fn changed(&mut self) -> Duration {
        loop {
            if self.requests.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if let Some(limit) = *self.requests.borrow_and_update() {
                return limit;
            }
        }
    }
}

/// Waits for `sessions` for `limit`, or what `stop` says later; then cancels `cut`, and aborts
/// what does not end even so.
pub(crate) async fn drain(
    mut sessions: JoinSet<()>,
    limit: Duration,
    mut stop: StopSignal,
    cut: CancellationToken,
) -> DrainReport {
    let standing = sessions.len();
    let mut deadline = deadline_in(limit);
    tracing::info!(standing, ?limit, "draining");
    loop {
        tokio::select! {
            biased;
            limit = stop.changed() => deadline = deadline_in(limit),
            ended = sessions.join_next() => match ended {
                Some(ended) => note(ended),
                None => break,
            },
            () = sleep_until(deadline) => break,
        }
    }
    let left = sessions.len();
    cut.cancel();
    let deadline = Instant::now() + AFTER_CUT;
    while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, sessions.join_next()).await {
        note(ended);
    }
    sessions.shutdown().await;
    DrainReport { ended: standing - left, cut: left }
}

/// A limit too long for the clock is a day.
fn deadline_in(limit: Duration) -> Instant {
    let now = Instant::now();
    now + limit.min(Duration::from_hours(24))
}
