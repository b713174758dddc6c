//! Runs a router on a listener, with bounds on everything.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::connection::Connection;

/// Connections open at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 2048;
/// How long the head of a request may take, and a connection lie idle.
const HEAD: Duration = Duration::from_mins(1);
/// How long requests under way may go on after the shutdown began.
const DRAIN: Duration = Duration::from_secs(5);
/// Silence on a connection before the kernel asks whether the other end is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
/// Between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How many go without an answer before the connection is ended.
const KEEPALIVE_PROBES: u32 = 3;
/// How long sent data may stay unacknowledged; heartbeats of event streams are data. The kernel's
/// own limit is about 15 min, and so long a dead proxy would count as one that follows.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// Pause after a failed accept, which mostly means that file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is cancelled: then nothing new is accepted, event streams end at once,
/// and requests under way have 5 s.
///
/// # Errors
/// Only when the listener cannot be used at all.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Some((stream, peer, place)) = next_connection(&listener, &places, &shutdown).await {
        let connection = Connection { peer: Some(peer), shutdown: shutdown.clone() };
        let router = router.clone();
        connections.spawn(async move {
            let _place = place;
            serve_connection(stream, connection, router).await;
        });
        while let Some(ended) = connections.try_join_next() {
            report_panic(ended);
        }
    }
    drop(listener);
    tracing::debug!(%address, open = connections.len(), "draining");
    // Each connection ends by itself within DRAIN.
    while let Some(ended) = connections.join_next().await {
        report_panic(ended);
    }
    Ok(())
}

/// A defect in a handler costs its connection, not the service.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection was dropped by a defect of ours");
    }
}

type Accepted = (TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// None when the service is to end.
async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<Accepted> {
    let accepting = async {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = set_options(&stream) {
                        tracing::debug!(%peer, %error, "cannot set socket options");
                    }
                    return Some((stream, peer, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = accepting => accepted,
        () = shutdown.cancelled() => None,
    }
}

/// Events are small and each is to leave at once; a peer that vanished is to be noticed.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

async fn serve_connection(stream: TcpStream, connection: Connection, router: Router) {
    let shutdown = connection.shutdown.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        router.clone().oneshot(request)
    });
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            match timeout(DRAIN, serving).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("a request was cut short by the shutdown"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_peer_that_vanishes_is_noticed_by_the_kernel_within_half_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let accepted = next_connection(&listener, &places, &CancellationToken::new()).await;
        let (stream, _, _place) = accepted.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        let probing =
            socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        let limit = Duration::from_secs(30);
        assert!(socket.tcp_keepalive_time().unwrap() + probing <= limit);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(limit));
    }
}
