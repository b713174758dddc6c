//! One SSE stream from one monitor.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::RequestBuilder;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Error as SourceError, Event, EventSource};
use tokio::time::timeout;

use super::body::{excerpt, parse_problem, read_body, with_causes};
use crate::wire::{EVENT_INIT, EVENT_UPDATE};

/// Longest event that is looked at, in bytes: some ten thousand servers.
const LONGEST_EVENT: usize = 1 << 20;
/// Longest error body that is read, in bytes.
const LONGEST_PROBLEM: usize = 16 << 10;

/// Why a stream did not begin, or ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamEnd {
    #[error("no answer within {0:?}")]
    NoAnswer(Duration),
    #[error("{0}")]
    Refused(String),
    #[error("nothing was heard for {0:?}, not even a heartbeat")]
    Silent(Duration),
    #[error("the monitor closed the stream")]
    Closed,
    #[error("{0}")]
    Broken(String),
    /// Ended by us, for what it said.
    #[error("{0}")]
    NotTaken(String),
}

/// An open stream. Dropping it closes the connection.
pub(super) struct RouteStream {
    source: EventSource,
    silence: Duration,
}

/// One event that should carry a route.
pub(super) struct RouteEvent {
    pub(super) data: String,
    /// The monitor's wish for how long to wait before coming back.
    pub(super) retry: Option<Duration>,
}

impl RouteStream {
    /// Connects and waits for the head of the answer, at most `answer`. The request's client must
    /// have `silence` as its read time limit.
    pub(super) async fn open(
        request: RequestBuilder,
        answer: Duration,
        silence: Duration,
    ) -> Result<Self, StreamEnd> {
        let mut source =
            EventSource::new(request).map_err(|error| StreamEnd::Broken(error.to_string()))?;
        // Rotation and waiting are the follower's, so one source makes one attempt.
        source.set_retry_policy(Box::new(Never));
        match timeout(answer, source.next()).await {
            Err(_) => Err(StreamEnd::NoAnswer(answer)),
            Ok(Some(Ok(_))) => Ok(Self { source, silence }),
            Ok(Some(Err(error))) => Err(describe(error, silence).await),
            Ok(None) => Err(StreamEnd::Closed),
        }
    }

    /// The next event with a route. Cancellation-safe.
    pub(super) async fn next_event(&mut self) -> Result<RouteEvent, StreamEnd> {
        loop {
            let message = match self.source.next().await {
                Some(Ok(Event::Message(message))) => message,
                Some(Ok(Event::Open)) => continue,
                Some(Err(error)) => return Err(describe(error, self.silence).await),
                None => return Err(StreamEnd::Closed),
            };
            match message.event.as_str() {
                EVENT_INIT | EVENT_UPDATE if message.data.len() > LONGEST_EVENT => {
                    return Err(StreamEnd::Broken(format!(
                        "an event of {} bytes is longer than {LONGEST_EVENT}",
                        message.data.len()
                    )));
                }
                EVENT_INIT | EVENT_UPDATE => {
                    return Ok(RouteEvent { data: message.data, retry: message.retry });
                }
                other => tracing::debug!(event = other, "event of an unknown kind is left aside"),
            }
        }
    }
}

async fn describe(error: SourceError, silence: Duration) -> StreamEnd {
    match error {
        SourceError::StreamEnded => StreamEnd::Closed,
        SourceError::Transport(error) if error.is_timeout() && !error.is_connect() => {
            StreamEnd::Silent(silence)
        }
        SourceError::Transport(error) => StreamEnd::Broken(with_causes(&error)),
        SourceError::InvalidStatusCode(status, response) => {
            let limit = Duration::from_secs(1);
            let body = timeout(limit, read_body(response, LONGEST_PROBLEM)).await;
            let body = body.ok().and_then(Result::ok).unwrap_or_default();
            let detail = parse_problem(status.as_u16(), &body)
                .map_or_else(|| excerpt(&body), |problem| problem.to_string());
            StreamEnd::Refused(format!("the answer is {status}: {detail}"))
        }
        SourceError::InvalidContentType(seen, _) => StreamEnd::Refused(format!(
            "the answer is {seen:?}, not text/event-stream: is this a monitor's SSE address?"
        )),
        other => StreamEnd::Broken(with_causes(&other)),
    }
}
