//! One task owns the engine: events in, effects out.

use std::{collections::BTreeMap, sync::Arc};

use mysqlsvc_core::{
    Look, NodeId, ReplicationBackend, Store,
    driver::{Carried, Clock as _, Outside, RoutePublisher as _},
    engine::{Answer, Effect, Engine, Event, Refusal, RequestTicket},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};

use super::{
    ClusterError, Stop,
    clock::SystemClock,
    handle::Ask,
    log::{self, AlarmLog, StateLog},
    snapshots::Snapshots,
    words::ProxyWord,
};
use crate::{
    discovery::{Discovery, DiscoveryError},
    prober::{Looker, Pace, Prober},
    publish::Publisher,
};

/// The outside world of a cluster.
pub(super) type World<B, S> = Outside<B, S, Publisher, SystemClock>;

type Reply = oneshot::Sender<Result<Answer, Refusal>>;

/// The task that owns a cluster's engine.
pub(super) struct Actor<B, S> {
    pub(super) engine: Engine,
    pub(super) world: Arc<World<B, S>>,
    pub(super) discovery: Box<dyn Discovery>,
    pub(super) prober: Prober<World<B, S>>,
    pub(super) looks: mpsc::Receiver<(NodeId, Look)>,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) heard: watch::Receiver<Option<ProxyWord>>,
    pub(super) snapshots: Snapshots,
    pub(super) states: StateLog,
    pub(super) alarms: AlarmLog,
    pub(super) stop: Stop,
    pub(super) work: Work,
}

/// What is under way.
#[derive(Default)]
pub(super) struct Work {
    effects: JoinSet<Carried>,
    waiting: BTreeMap<RequestTicket, Reply>,
    answers: Vec<(Reply, Result<Answer, Refusal>)>,
    last_ticket: u64,
}

/// What the actor wakes up for, the most urgent first.
enum Wake {
    Carried(Result<Carried, JoinError>),
    Ask(Option<Ask>),
    Look(NodeId, Look),
    /// A proxy said what no other has said.
    Heard,
    Discovered(Result<Vec<NodeId>, DiscoveryError>),
    TimeOut,
    /// Nothing else is to be done, and someone may be watching.
    Show,
    /// Do not begin anything new.
    Drain,
    /// Drained, or for long enough.
    Stop,
}

impl<B, S> Actor<B, S>
where
    B: ReplicationBackend + 'static,
    S: Store + 'static,
{
    /// Works until it is told to stop; ends with an error when going on would not be safe.
    pub(super) async fn run(mut self) -> Result<(), ClusterError> {
        let ended = self.work().await;
        self.work.effects.shutdown().await;
        self.prober.stop().await;
        ended
    }

    async fn work(&mut self) -> Result<(), ClusterError> {
        self.show();
        self.settle()?;
        loop {
            match self.wake().await {
                Wake::Carried(carried) => self.carried(carried?)?,
                Wake::Ask(Some(ask)) => self.asked(ask)?,
                // Nobody is left who could ask; watching goes on until it is stopped.
                Wake::Ask(None) => self.asks.close(),
                Wake::Look(node, look) => self.handle(Event::Looked { node, look })?,
                Wake::Heard => self.heard()?,
                Wake::Discovered(Ok(nodes)) => self.handle(Event::Discovered { nodes })?,
                Wake::Discovered(Err(error)) => tracing::warn!(%error, "roles stay as they are"),
                Wake::TimeOut => self.handle(Event::TimedOut)?,
                Wake::Show => self.show(),
                Wake::Drain => self.drain(),
                Wake::Stop => return Ok(()),
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        // A record that is still being written is part of what is under way.
        let idle = !self.engine.is_operating()
            && self.work.waiting.is_empty()
            && self.work.effects.is_empty();
        if self.stop.is_draining() && idle {
            return Wake::Stop;
        }
        let timeout = self.engine.poll_timeout().map(|at| self.world.clock.instant_of(at));
        let due = self.snapshots.due();
        let (drains, asks_open) = (!self.stop.is_draining(), !self.asks.is_closed());
        tokio::select! {
            biased;
            () = self.stop.at_once() => Wake::Stop,
            Some(carried) = self.work.effects.join_next() => Wake::Carried(carried),
            ask = self.asks.recv(), if asks_open => Wake::Ask(ask),
            Some((node, look)) = self.looks.recv() => Wake::Look(node, look),
            () = at(timeout) => Wake::TimeOut,
            Ok(()) = self.heard.changed() => Wake::Heard,
            nodes = self.discovery.next() => Wake::Discovered(nodes),
            () = self.stop.drain(), if drains => Wake::Drain,
            () = at(due) => Wake::Show,
        }
    }

    fn asked(&mut self, ask: Ask) -> Result<(), ClusterError> {
        let Ask { who, request, reply } = ask;
        self.work.last_ticket += 1;
        let ticket = RequestTicket(self.work.last_ticket);
        tracing::debug!(%who, ?request, "asked");
        self.work.waiting.insert(ticket, reply);
        self.handle(Event::Asked { ticket, who, request })
    }

    /// Held against the epoch of this very moment: a snapshot may be older than the route that a
    /// proxy speaks of.
    fn heard(&mut self) -> Result<(), ClusterError> {
        let (ours, incarnation) =
            (self.engine.journal().intent().epoch, self.world.publisher.incarnation());
        let word = self.heard.borrow_and_update().clone();
        let Some(word) = word.filter(|word| word.outranks(ours, incarnation)) else {
            return Ok(());
        };
        log::outranked(&word, ours);
        self.handle(Event::Heard { epoch: word.epoch })
    }

    fn handle(&mut self, event: Event) -> Result<(), ClusterError> {
        self.engine.handle(self.world.clock.now(), event);
        self.settle()
    }

    /// Begins everything the engine wants, and then tells whoever is to know.
    fn settle(&mut self) -> Result<(), ClusterError> {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                // In order with each other, and before whatever waits for them.
                Effect::Publish(route) => self.world.publisher.publish(route),
                Effect::Reply { ticket, answer } => self.answer(ticket, answer),
                Effect::Halt { reason } => return Err(ClusterError::Halted { reason }),
                effect => {
                    if let Effect::Persist { entries, .. } = &effect {
                        log::records(entries);
                    }
                    let world = Arc::clone(&self.world);
                    self.work.effects.spawn(async move { world.carry_out(effect).await });
                }
            }
        }
        self.snapshots.touch();
        // A copy may take hours.
        let fast = self.engine.is_operating() && !self.engine.is_copying();
        self.prober.set_pace(if fast { Pace::Fast } else { Pace::Calm });
        if !self.work.answers.is_empty() {
            // Whoever is told finds it in the snapshot.
            self.show();
        }
        for (reply, answer) in self.work.answers.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(answer);
        }
        Ok(())
    }

    fn carried(&mut self, carried: Carried) -> Result<(), ClusterError> {
        match carried {
            Carried::Event(event) => self.handle(event),
            Carried::Nothing => Ok(()),
            Carried::Reply { ticket, answer } => {
                self.answer(ticket, answer);
                self.settle()
            }
            Carried::Halt { reason } => Err(ClusterError::Halted { reason }),
        }
    }

    fn answer(&mut self, ticket: RequestTicket, answer: Result<Answer, Refusal>) {
        if let Ok(answer) = &answer {
            log::answer(answer);
        }
        if let Some(reply) = self.work.waiting.remove(&ticket) {
            self.work.answers.push((reply, answer));
        }
    }

    fn show(&mut self) {
        let snapshot = self.snapshots.show(&self.engine);
        self.states.tell(&snapshot);
        self.alarms.tell(&snapshot);
        let nodes = snapshot.nodes.iter().map(|node| node.node.clone()).collect();
        self.prober.watch(&nodes);
    }

    /// Takes no more requests; those that wait unread are told so by their channel's end.
    fn drain(&mut self) {
        self.stop.begin_drain();
        self.asks.close();
        while self.asks.try_recv().is_ok() {}
        if self.engine.is_operating() {
            tracing::info!("stopping once the operation under way is over");
        }
    }
}

/// Waits until a moment; for ever, if there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[async_trait::async_trait]
impl<B, S> Looker for World<B, S>
where
    B: ReplicationBackend + 'static,
    S: Store + 'static,
{
    async fn look(&self, node: &NodeId) -> Look {
        let begun = self.clock.now();
        let seen = self.backend.look(node).await;
        Look { begun, ended: self.clock.now(), seen }
    }

    fn now(&self) -> mysqlsvc_core::Now {
        self.clock.now()
    }
}
