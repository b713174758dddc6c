//! The engine: events in, effects out. It decides everything and does nothing.
//!
//! [`Engine::handle`] is told what happened; then [`Engine::poll_effect`] is called until it is
//! empty; then the driver waits for the next event or for [`Engine::poll_timeout`]. Time is an
//! argument. What is done next is a function of the journal's fold, so a restart is a replay
//! followed by the same code ([`crate::journal`]).

mod admission;
mod adopt;
mod advance;
mod alarm;
mod asking;
mod automatic;
mod copying;
mod effect;
mod event;
mod guard;
mod named;
mod placing;
mod positions;
mod refusal;
mod routing;
mod semi_sync;
mod snapshot;
mod view;
mod warnings;
mod ways;
mod work;
mod writer;

use std::collections::VecDeque;

pub use self::{
    adopt::Adoption,
    alarm::{Alarm, AlarmId},
    automatic::MONITOR,
    effect::Effect,
    event::{Answer, CallId, Event, PersistTicket, Request, RequestTicket},
    refusal::{Reason, Refusal},
    snapshot::{Allowed, NodeSnapshot, Snapshot},
};
use self::{
    asking::Preparing, automatic::Automatic, routing::Routing, view::View, work::Work,
    writer::Writer,
};
use crate::{
    Look, NodeId, Now, Route, RouteVersion, Settings, Stored,
    intent::{Change, Intent},
    journal::{Entry, Execution, IllegalRecord, Journal, Progress, Record, StepError},
    plan::{SwitchPlanner, plan_switch},
};

/// How many route versions are reserved at a time: one durable record serves that many.
const VERSIONS: u64 = 10_000;

/// Decides for one cluster.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    planner: SwitchPlanner,
    journal: Journal,
    view: View,
    writer: Writer,
    work: Work,
    preparing: Option<Preparing>,
    automatic: Automatic,
    deferred: VecDeque<(RequestTicket, String, Request)>,
    published: Option<Route>,
    next_version: RouteVersion,
    remembered: Now,
    outbox: VecDeque<Effect>,
    halted: bool,
}

impl Engine {
    /// An engine for what a store holds: the same call for a first start and after a crash.
    ///
    /// An operation that was not committed is unwound, beginning with the next event; one that was
    /// goes on.
    pub fn new(settings: Settings, stored: &Stored, now: Now) -> Result<Self, IllegalRecord> {
        let journal = Journal::replay(&stored.entries)?;
        let next_version = RouteVersion(journal.intent().versions_reserved.0 + 1);
        let writer = Writer::behind(journal.intent());
        let mut engine = Self {
            settings,
            planner: plan_switch,
            work: Work::taking_up(journal.running().is_some()),
            journal,
            view: View::default(),
            writer,
            preparing: None,
            automatic: Automatic::default(),
            deferred: VecDeque::new(),
            published: None,
            next_version,
            remembered: now,
            outbox: VecDeque::new(),
            halted: false,
        };
        engine.interrupt(now);
        engine.reserve_versions(now);
        // Before anything else: routes must go out even while an operation cannot go on.
        engine.flush();
        if routing::held_by(engine.running()).is_some() {
            let until = now + engine.settings.hold_timeout;
            engine.work.resume_hold(until);
        }
        engine.advance(now);
        Ok(engine)
    }

    /// Puts another planner in place of [`plan_switch`]: how tests plant bugs.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_planner(mut self, planner: SwitchPlanner) -> Self {
        self.planner = planner;
        self
    }

    /// Takes over what happened. Call [`Self::poll_effect`] until it is empty afterwards.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Asked { ticket, who, request } => self.asked(now, ticket, who, request),
            Event::Heard { epoch } => self.view.hear(epoch),
            Event::Discovered { nodes } => {
                self.view.discover(nodes, self.journal.intent());
                self.go_on_preparing(now);
            }
            Event::Looked { node, look } => {
                self.looked(&node, look);
                self.go_on_preparing(now);
            }
            Event::Inspected { node, begun, result } => self.inspected(now, &node, begun, result),
            Event::Persisted { ticket, result } => self.persisted(now, ticket, result),
            Event::ActionEnded { call, result } => self.action_ended(now, call, result),
            Event::HoldEnded { call, acknowledged, missing } => {
                self.hold_ended(now, call, acknowledged, missing);
            }
            Event::TimedOut => {}
        }
        self.advance(now);
        self.go_on_with_deferred(now);
        self.act_unasked(now);
        self.remember_now_and_then(now);
        self.publish_changes(now);
    }

    /// The next thing to do, if any.
    #[must_use = "an effect that is dropped is never done, and the engine waits for it"]
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.outbox.pop_front()
    }

    /// When to call [`Self::handle`] with [`Event::TimedOut`], unless another event comes first.
    /// Ask again after every event.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Now> {
        self.work.next_timeout()
    }

    /// Whether an operation is under way: nodes are then better looked at more often.
    pub fn is_operating(&self) -> bool {
        self.journal.running().is_some()
    }

    /// The fold of the journal, for whoever checks the engine from outside.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    fn intent(&self) -> &Intent {
        self.journal.intent()
    }

    fn looked(&mut self, node: &NodeId, mut look: Look) {
        if let Ok(probe) = &mut look.seen {
            self.journal.intent().complete(node, probe);
        }
        self.view.take(node, look, self.journal.intent(), self.settings.max_lag);
        self.note_restart(node);
        if self.view.look(node).is_some_and(|look| look.seen.is_err()) {
            self.work.not_seen();
        }
        self.note_part(node);
        if self.view.probe(node).is_some_and(|probe| probe.read_only.is_writable()) {
            self.work.seen_writable(node);
        }
    }

    /// A running operation that can be taken back was interrupted: hold, patience of the clients and
    /// knowledge of the freeze are gone, so it is taken back.
    fn interrupt(&mut self, now: Now) {
        let Some(execution) = self.journal.running() else {
            return;
        };
        if let Progress::Forward { next, .. } = execution.progress
            && execution.can_be_taken_back()
        {
            self.record(now, Record::Failed { step: next, error: StepError::Interrupted });
        }
    }

    /// Applies a record to the fold and hands it to the writer. A record that may not follow is a
    /// bug here or damage there; nothing more is done then.
    fn record(&mut self, now: Now, record: Record) {
        let entry = Entry { at: now.wall, record };
        match self.journal.apply(&entry) {
            Ok(()) => self.writer.add(entry),
            Err(illegal) => self.halt(illegal.to_string()),
        }
    }

    fn halt(&mut self, reason: String) {
        if !self.halted {
            self.halted = true;
            self.outbox.push_back(Effect::Halt { reason });
        }
    }

    /// Sees to it that the next versions are durably ours before they are used.
    fn reserve_versions(&mut self, now: Now) {
        let reserved = self.intent().versions_reserved;
        if reserved.0 < self.next_version.0 + VERSIONS / 10 {
            let up_to = RouteVersion(self.next_version.0 + VERSIONS);
            let change = Change::VersionsReserved { up_to };
            self.record(now, Record::Changed { change, who: None });
        }
    }

    /// Publishes the route of this moment if it says something new.
    fn publish_changes(&mut self, now: Now) {
        if self.halted || !self.may_publish(now) {
            return;
        }
        let routing = Routing {
            intent: self.journal.intent(),
            view: &self.view,
            running: self.journal.running(),
            settings: &self.settings,
            hold_expired: self.work.is_hold_expired(now),
            now,
        };
        let route = routing.route(self.next_version);
        if self.published.as_ref().is_some_and(|last| routing::say_the_same(last, &route)) {
            return;
        }
        self.next_version = RouteVersion(self.next_version.0 + 1);
        self.published = Some(route.clone());
        self.outbox.push_back(Effect::Publish(route));
        self.reserve_versions(now);
    }

    fn may_publish(&self, now: Now) -> bool {
        let intent = self.intent();
        let running = self.journal.running();
        // An empty store publishes nothing, and proxies keep what they have (CONTRACTS 2).
        let held = routing::held_by(running).filter(|_| !self.work.is_hold_expired(now));
        let settled = match &self.published {
            // Proxies that hold are told nothing until they may go on.
            Some(last) if held.is_some() && last.held_by() == held => false,
            // The route of the new master follows at once, unless something is in its way.
            Some(_) => !routing::is_pending(running) || self.work.is_hold_expired(now),
            None => {
                intent.master().is_some()
                    && intent.members.keys().all(|node| self.view.look(node).is_some())
            }
        };
        settled
            && intent.epoch == self.writer.durable_epoch()
            && self.next_version <= self.writer.durable_versions()
    }

    fn running(&self) -> Option<&Execution> {
        self.journal.running()
    }
}
