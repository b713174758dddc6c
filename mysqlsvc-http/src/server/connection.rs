//! What [`super::serve`] tells handlers of the connection a request came on.

use std::{convert::Infallible, net::SocketAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio_util::sync::CancellationToken;

/// The connection of a request. A request that came on none, as in a test, is local and is never
/// shut down.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection {
    /// The other end.
    pub(super) peer: Option<SocketAddr>,
    /// Cancelled when the service is to end: streams and waits then end by themselves.
    pub(super) shutdown: CancellationToken,
}

impl Connection {
    /// Who asks, for the audit. Without a login this is all that is known.
    pub(super) fn who(&self) -> String {
        match self.peer {
            Some(peer) if !peer.ip().is_loopback() => peer.ip().to_string(),
            _ => "local".to_owned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
