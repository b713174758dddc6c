//! The gate as a layer in front of a service that finds and dials a server.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::{Layer, Service, ServiceExt};

use super::{Gate, GateError};
use crate::connect::Connected;

/// Puts a [`Gate`] in front of a connecting service.
#[derive(Clone, Debug)]
pub struct GateLayer {
    gate: Gate,
}

/// A connecting service behind a [`Gate`].
///
/// A call waits for the gate, then calls the inner service. Where the gate shuts meanwhile and
/// the call is not done after the grace, the call is dropped, waits again and starts afresh.
/// What it returns is counted as active until its guards are dropped.
#[derive(Clone, Debug)]
pub struct Gated<S> {
    gate: Gate,
    inner: S,
}

impl GateLayer {
    /// A layer with this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: self.gate.clone(), inner }
    }
}

impl<S, Request, Io> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Connected<Io>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    Request: Clone + Send + 'static,
    Io: Send + 'static,
{
    type Response = Connected<Io>;
    type Error = GateError<S::Error>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The inner service is made ready for each attempt, behind the gate.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(pass(self.gate.clone(), self.inner.clone(), request))
    }
}

async fn pass<S, Request, Io>(
    gate: Gate,
    inner: S,
    request: Request,
) -> Result<Connected<Io>, GateError<S::Error>>
where
    S: Service<Request, Response = Connected<Io>> + Clone,
    Request: Clone,
{
    let mut budget = gate.limits().wait;
    let mut slot = gate.enter_within(&mut budget).await?;
    loop {
        tokio::select! {
            biased;
            found = inner.clone().oneshot(request.clone()) => {
                let mut connected = found.map_err(GateError::Inner)?;
                connected.keep(slot.activate());
                return Ok(connected);
            }
            () = slot.outstays(gate.limits().dial_grace) => {}
        }
        slot = slot.park(&mut budget).await?;
    }
}
