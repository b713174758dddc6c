//! The HTTP client all callers here share the settings of.

use std::time::Duration;

use reqwest::redirect::Policy;

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up an HTTP client: {0}")]
pub struct TransportError(#[from] reqwest::Error);

/// `silence` bounds every single wait for bytes, the head of an answer included; without it the
/// caller bounds the whole call.
pub(super) fn http_client(
    connect: Duration,
    silence: Option<Duration>,
) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(connect)
        .tcp_nodelay(true)
        .user_agent(concat!("mysqlsvc/", env!("CARGO_PKG_VERSION")));
    if let Some(silence) = silence {
        builder = builder.read_timeout(silence);
    }
    Ok(builder.build()?)
}
