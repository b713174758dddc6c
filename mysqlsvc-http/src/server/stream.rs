//! Event streams: at most the newest value waits for a slow reader, a heartbeat while nothing
//! changes, an end when the service ends.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::wire::HEARTBEAT_INTERVAL;

/// How long a client is asked to wait before it comes back.
const RETRY: Duration = Duration::from_secs(1);

/// What an event stream is made of.
pub(super) struct Feed<T, F> {
    values: watch::Receiver<T>,
    shutdown: CancellationToken,
    /// Makes the event of a value; none where there is nothing to say of it.
    render: F,
    greeted: bool,
}

impl<T, F> Feed<T, F>
where
    T: Clone + Send + Sync,
    F: FnMut(&T) -> Option<Event> + Send,
{
    /// Renders the present value at once and each newer one when it comes.
    pub(super) fn new(
        mut values: watch::Receiver<T>,
        shutdown: CancellationToken,
        render: F,
    ) -> Self {
        values.mark_changed();
        Self { values, shutdown, render, greeted: false }
    }

    /// The next event, or none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                // A value set just before the end is the last word on where connections go.
                biased;
                changed = self.values.changed() => changed.ok()?,
                () = self.shutdown.cancelled() => return None,
            }
            let value = self.values.borrow_and_update().clone();
            if let Some(event) = (self.render)(&value) {
                let first = !std::mem::replace(&mut self.greeted, true);
                return Some(if first { event.retry(RETRY) } else { event });
            }
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok(event), feed))
        })
    }
}

/// The answer that sends the events.
pub(super) fn event_stream<T, F>(feed: Feed<T, F>) -> Response
where
    T: Clone + Send + Sync + 'static,
    F: FnMut(&T) -> Option<Event> + Send + 'static,
{
    let heartbeat = KeepAlive::new().interval(HEARTBEAT_INTERVAL);
    let mut response = Sse::new(feed.into_stream()).keep_alive(heartbeat).into_response();
    // Reverse proxies such as nginx hold events back unless told not to.
    let no = HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", no);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_set_in_the_same_moment_as_the_end_is_still_sent() {
        for _ in 0..200 {
            let (values, receiver) = watch::channel(1);
            let shutdown = CancellationToken::new();
            let mut feed = Feed::new(receiver, shutdown.clone(), |value: &u32| {
                Some(Event::default().data(value.to_string()))
            });
            assert!(feed.next().await.is_some());
            values.send_replace(2);
            shutdown.cancel();
            assert!(feed.next().await.is_some(), "the last value was lost");
            assert!(feed.next().await.is_none(), "the stream did not end");
        }
    }
}
