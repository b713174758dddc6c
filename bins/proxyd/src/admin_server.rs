//! Serves the admin pages with bounds: a crowd at this address must not cost clients their
//! connections.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// Connections to the admin address at once; more wait in the kernel's queue.
pub(crate) const MOST_ADMIN_CONNECTIONS: usize = 16;
/// How long the head of a request may take, and a connection lie idle.
const HEAD: Duration = Duration::from_secs(5);
/// How long one connection may last at all, whatever it does.
const LONGEST: Duration = Duration::from_mins(1);
/// Pause after a failed accept, which mostly means that file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the future is dropped, which closes every connection.
pub(crate) async fn serve(listener: TcpListener, pages: Router) {
    let places = Arc::new(Semaphore::new(MOST_ADMIN_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        match next_connection(&listener, &places).await {
            Ok((stream, place)) => {
                let pages = pages.clone();
                connections.spawn(async move {
                    let _place = place;
                    serve_connection(stream, pages).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the admin address");
                sleep(ACCEPT_PAUSE).await;
            }
        }
        while let Some(ended) = connections.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a connection to the admin address was dropped");
            }
        }
    }
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve_connection(stream: TcpStream, pages: Router) {
    let service =
        service_fn(move |request: Request<Incoming>| pages.clone().oneshot(request.map(Body::new)));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(LONGEST, serving).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the admin address broke"),
        Err(_) => tracing::debug!("a connection to the admin address lasted {LONGEST:?}; closed"),
    }
}
