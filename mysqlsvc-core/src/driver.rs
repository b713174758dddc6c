//! Effects out, events back: the part of a driver that every driver shares. It has no policy; how
//! many effects run side by side is up to the caller.

use async_trait::async_trait;

use crate::{
    Look, Millis, Now, OperationId, ReplicationBackend, Route, Store,
    engine::{Answer, Effect, Event, Refusal, RequestTicket},
};

/// Whoever tells proxies about routes and hears that they hold.
#[async_trait]
pub trait RoutePublisher: Send + Sync {
    /// Makes a route known to every proxy. Does not wait for them.
    fn publish(&self, route: Route);

    /// Waits, for at most `limit`, until every live proxy that the hold of this operation was sent
    /// to has said that it holds.
    async fn await_hold(&self, operation: OperationId, limit: Millis) -> HoldReport;
}

/// Which proxies hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldReport {
    /// By id.
    pub acknowledged: Vec<String>,
    /// By id.
    pub missing: Vec<String>,
}

/// Whoever knows what time it is.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Now;
}

/// The outside world of one cluster.
#[derive(Debug)]
pub struct Outside<B, S, P, C> {
    /// The servers.
    pub backend: B,
    /// The store.
    pub store: S,
    /// The proxies.
    pub publisher: P,
    /// The time.
    pub clock: C,
}

/// What came of an effect.
#[expect(clippy::large_enum_variant, reason = "made and taken apart at once, never stored")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// To be handed to [`crate::engine::Engine::handle`].
    Event(Event),
    /// Nothing to hand back.
    Nothing,
    /// To be handed to whoever asked.
    Reply {
        /// Who.
        ticket: RequestTicket,
        /// What.
        answer: Result<Answer, Refusal>,
    },
    /// The process is to stop.
    Halt {
        /// Why.
        reason: String,
    },
}

impl<B, S, P, C> Outside<B, S, P, C>
where
    B: ReplicationBackend,
    S: Store,
    P: RoutePublisher,
    C: Clock,
{
    /// Does one effect.
    ///
    /// [`Effect::Publish`] is done before the first await, so effects may run side by side and
    /// still publish in order; an [`Effect::Persist`] is never given out while another is running.
    pub async fn carry_out(&self, effect: Effect) -> Carried {
        match effect {
            Effect::Persist { ticket, entries } => {
                let result = self.store.append(&entries).await;
                Carried::Event(Event::Persisted { ticket, result })
            }
            Effect::Look { node } => {
                let begun = self.clock.now();
                let seen = self.backend.look(&node).await;
                let look = Look { begun, ended: self.clock.now(), seen };
                Carried::Event(Event::Looked { node, look })
            }
            Effect::Inspect { node } => {
                let begun = self.clock.now();
                let result = self.backend.inspect(&node).await;
                Carried::Event(Event::Inspected { node, begun, result })
            }
            Effect::Run { call, action, tag } => {
                let result = self.backend.perform(&action, &tag).await;
                Carried::Event(Event::ActionEnded { call, result })
            }
            Effect::AwaitHold { call, operation, limit } => {
                let HoldReport { acknowledged, missing } =
                    self.publisher.await_hold(operation, limit).await;
                Carried::Event(Event::HoldEnded { call, acknowledged, missing })
            }
            Effect::EndCopy { node } => {
                self.backend.end_copy(&node).await;
                Carried::Nothing
            }
            Effect::Publish(route) => {
                self.publisher.publish(route);
                Carried::Nothing
            }
            Effect::Reply { ticket, answer } => Carried::Reply { ticket, answer },
            Effect::Halt { reason } => Carried::Halt { reason },
        }
    }
}
