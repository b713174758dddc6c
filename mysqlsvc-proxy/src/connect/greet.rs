//! Waiting until a server that speaks first has said that it will serve.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;
use tower::{Layer, Service, ServiceExt};

use super::DialError;
use crate::addr::TargetAddr;

/// Judges the first bytes of a server; the only thing here that depends on a protocol.
pub trait Greeting: Send + Sync + 'static {
    /// What `bytes`, all that came so far, say.
    fn judge(&self, bytes: &[u8]) -> Verdict;
}

/// What the first bytes of a server say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few to tell.
    More,
    /// It will serve.
    Serves,
    /// It will not, for this reason.
    Refuses(String),
}

/// A stream with what was read from it to judge its greeting.
#[derive(Debug)]
pub struct Greeted<Io> {
    /// The stream.
    pub io: Io,
    /// What was read; empty where no greeting was asked for.
    pub first_bytes: Vec<u8>,
}

/// Adds the wait for a greeting to a dialling service.
#[derive(Clone)]
pub struct GreetLayer {
    greeting: Option<Arc<dyn Greeting>>,
    limit: Duration,
}

/// A dialling service that returns once the server's greeting was judged.
#[derive(Clone, Debug)]
pub struct Greet<D> {
    layer: GreetLayer,
    dial: D,
}

/// The most a server may say before it can be judged.
const MOST: usize = 4096;

impl GreetLayer {
    /// Waits up to `limit` for what `greeting` calls enough.
    pub fn new(greeting: Arc<dyn Greeting>, limit: Duration) -> Self {
        Self { greeting: Some(greeting), limit }
    }

    /// Waits for nothing: for protocols in which the client speaks first.
    pub fn off() -> Self {
        Self { greeting: None, limit: Duration::ZERO }
    }

    async fn await_greeting<Io>(self, mut io: Io) -> Result<Greeted<Io>, DialError>
    where
        Io: AsyncRead + Unpin,
    {
        let first_bytes = match self.greeting {
            None => Vec::new(),
            Some(greeting) => timeout(self.limit, read_greeting(&mut io, &*greeting))
                .await
                .map_err(|_| DialError::Silent { limit: self.limit })??,
        };
        Ok(Greeted { io, first_bytes })
    }
}

async fn read_greeting<Io>(io: &mut Io, greeting: &dyn Greeting) -> Result<Vec<u8>, DialError>
where
    Io: AsyncRead + Unpin,
{
    let mut bytes = Vec::with_capacity(256);
    loop {
        if io.read_buf(&mut bytes).await.map_err(DialError::Read)? == 0 {
            return Err(DialError::Closed);
        }
        match greeting.judge(&bytes) {
            Verdict::Serves => return Ok(bytes),
            Verdict::Refuses(reason) => return Err(DialError::Refused { reason }),
            Verdict::More if bytes.len() >= MOST => {
                let reason = format!("its first {} bytes are no greeting", bytes.len());
                return Err(DialError::Refused { reason });
            }
            Verdict::More => {}
        }
    }
}

impl<D> Layer<D> for GreetLayer {
    type Service = Greet<D>;

    fn layer(&self, dial: D) -> Greet<D> {
        Greet { layer: self.clone(), dial }
    }
}

impl<D> Service<TargetAddr> for Greet<D>
where
    D: Service<TargetAddr, Error = DialError> + Clone + Send + 'static,
    D::Response: AsyncRead + Unpin + Send + 'static,
    D::Future: Send,
{
    type Response = Greeted<D::Response>;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Self::Response, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: TargetAddr) -> Self::Future {
        let (layer, dial) = (self.layer.clone(), self.dial.clone());
        Box::pin(async move { layer.await_greeting(dial.oneshot(target).await?).await })
    }
}

impl fmt::Debug for GreetLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GreetLayer")
            .field("on", &self.greeting.is_some())
            .field("limit", &self.limit)
            .finish()
    }
}
