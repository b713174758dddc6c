//! The monitor's process: it lives, is told things, does what its engine asks for, and dies.

use std::collections::BTreeMap;

use mysqlsvc_core::{
    Action, Incarnation, Look, Micros, Millis, NodeId, Now, OperationId, ReplicationBackend as _,
    StoreError, Stored, Tag,
    engine::{CallId, Effect, Engine, Event, PersistTicket, Request, RequestTicket},
    journal::{Entry, Journal},
    testing::{Fault, FaultKind, When},
};

use crate::{
    lies::{Lie, now, perform},
    run::{Broken, Checked, Happening, Run},
    trace::{Asked, Told},
};

/// Which process of the monitor: the first has number 1.
pub type Life = u64;

/// The running process.
pub struct Process {
    pub engine: Engine,
    pub life: Life,
    /// Requests that have had no answer yet.
    pub asked: BTreeMap<RequestTicket, Request>,
    store_failed: bool,
}

/// What outlives a process.
#[derive(Debug, Default)]
pub struct Store {
    entries: Vec<Entry>,
    /// Said to be durable; lost when the monitor dies before anything else is done.
    on_its_way: Vec<Entry>,
    /// The same, folded.
    pub journal: Journal,
    pub lives: Life,
}

/// Something that was sent.
#[derive(Debug)]
pub enum Call {
    Persist { ticket: PersistTicket, entries: Vec<Entry> },
    Look { node: NodeId, begun: Now, probing: bool },
    Inspect { node: NodeId, begun: Now },
    Run { call: CallId, action: Action, tag: Tag },
    Hold { call: CallId, limit: Millis },
}

impl Store {
    fn append(&mut self, entries: &[Entry]) -> Checked {
        for entry in entries {
            let applied = self.journal.apply(entry);
            applied.map_err(|illegal| Broken::Engine(illegal.to_string()))?;
        }
        self.entries.extend_from_slice(entries);
        Ok(())
    }
}

impl Run {
    pub fn is_alive(&self, life: Life) -> bool {
        self.process.as_ref().is_some_and(|process| process.life == life)
    }

    pub fn boot(&mut self) -> Checked {
        if self.process.is_some() {
            return Ok(());
        }
        self.store.lives += 1;
        let life = self.store.lives;
        self.trace.note(self.now, || format!("monitor {life} starts"));
        let incarnation = Incarnation(uuid::Uuid::nil());
        let stored = Stored { incarnation, entries: self.store.entries.clone() };
        let settings = self.scenario.settings.clone();
        let engine = Engine::new(settings, &stored, self.world.now())
            .map_err(|illegal| Broken::Engine(illegal.to_string()))?
            .with_planner(self.scenario.planned.planner);
        self.process = Some(Process { engine, life, asked: BTreeMap::new(), store_failed: false });
        self.checks.boot(&self.store.journal);
        self.do_effects()?;
        let nodes = self.world.nodes();
        self.tell(Event::Discovered { nodes: nodes.clone() })?;
        for node in nodes {
            let first = self.latency();
            self.after(first, Happening::Tick(life, node));
        }
        Ok(())
    }

    /// The process ends, now. Of what it had sent, some still arrives, in part.
    pub fn kill(&mut self) -> Checked {
        let Some(process) = self.process.take() else { return Ok(()) };
        self.trace.note(self.now, || format!("monitor {} is killed", process.life));
        self.store.on_its_way.clear();
        for sent in self.queue.take(|what| matches!(what, Happening::Reaches(..))) {
            let Happening::Reaches(_, call) = sent else { continue };
            if self.rng.permille(500) {
                self.arrives_of_the_dead(call)?;
            }
        }
        let pause = *self.rng.pick(&[1_000, 50_000, 1_000_000, 5_000_000]);
        let pause = Micros(self.rng.between(1, pause));
        self.after(pause, Happening::Boots);
        Ok(())
    }

    fn arrives_of_the_dead(&mut self, call: Call) -> Checked {
        match call {
            Call::Persist { entries, .. } => self.store.append(&entries),
            Call::Run { action, tag, .. } => {
                let after = usize::try_from(self.rng.below(6)).unwrap();
                let late = self.rng.permille(300);
                let what = if late {
                    FaultKind::Late { statement: after, calls: self.rng.between(1, 4) }
                } else {
                    FaultKind::Cut { after }
                };
                self.trace.note(self.now, || format!("arrives all the same: {action}, {what:?}"));
                self.world.plan_fault(Fault { when: When::Call(self.next_call()), what });
                self.check_durably_begun(&action, &tag)?;
                drop(perform(&self.world, self.scenario.planned.lie, &action, &tag));
                Ok(())
            }
            Call::Look { .. } | Call::Inspect { .. } | Call::Hold { .. } => Ok(()),
        }
    }

    pub fn tell(&mut self, event: Event) -> Checked {
        self.world.set_clock(self.now);
        let now = self.world.now();
        let Some(process) = &mut self.process else { return Ok(()) };
        if !matches!(event, Event::TimedOut) {
            self.trace.note(self.now, || Told(&event));
        }
        self.checks.told(now, &event);
        process.engine.handle(now, event);
        self.note_journal()?;
        self.do_effects()
    }

    /// Everything the engine wants is begun.
    fn do_effects(&mut self) -> Checked {
        while let Some(process) = &mut self.process {
            let Some(effect) = process.engine.poll_effect() else { return Ok(()) };
            let life = process.life;
            self.counts.effects += 1;
            self.trace.note(self.now, || format!("-> {}", Asked(&effect)));
            let dies = !self.calm && self.rng.permille(self.scenario.weather.kill);
            if dies && self.rng.permille(500) {
                return self.kill();
            }
            self.begin(life, effect)?;
            if dies {
                return self.kill();
            }
        }
        Ok(())
    }

    fn begin(&mut self, life: Life, effect: Effect) -> Checked {
        let begun = self.world.now();
        let call = match effect {
            Effect::Persist { ticket, entries } => Call::Persist { ticket, entries },
            Effect::Look { node } => Call::Look { node, begun, probing: false },
            Effect::Inspect { node } => Call::Inspect { node, begun },
            Effect::Run { call, action, tag } => Call::Run { call, action, tag },
            Effect::AwaitHold { call, limit, .. } => Call::Hold { call, limit },
            Effect::Publish(route) => {
                self.checks.published(&route)?;
                self.world.publish(&route);
                return Ok(());
            }
            Effect::Reply { ticket, answer } => return self.replied(ticket, &answer),
            Effect::Halt { reason } => return self.halted(&reason),
            Effect::EndCopy { node } => {
                let _ended = futures_util::FutureExt::now_or_never(self.world.end_copy(&node));
                return Ok(());
            }
        };
        let way = self.latency();
        self.after(way, Happening::Reaches(life, call));
        Ok(())
    }

    fn halted(&mut self, reason: &str) -> Checked {
        let Some(process) = self.process.take() else { return Ok(()) };
        if !process.store_failed {
            return Err(Broken::Engine(format!("halted: {reason}")));
        }
        let pause = self.rng.between(1_000, 2_000_000);
        self.after(Micros(pause), Happening::Boots);
        Ok(())
    }

    /// A call has arrived: it is carried out now, and its answer sets out.
    pub fn reaches(&mut self, life: Life, call: Call) -> Checked {
        let (back, answer) = match call {
            Call::Persist { ticket, entries } => {
                let result = self.persist(life, &entries)?;
                (Micros(0), Event::Persisted { ticket, result })
            }
            Call::Look { node, begun, probing } => {
                self.meet_a_fault(&node, false);
                self.catch_up_writing()?;
                let seen = now(self.world.look(&node));
                let back = self.way_back();
                let ended = begun_plus(self.world.now(), back);
                let young = self.scenario.planned.lie == Some(Lie::Young);
                let begun = if young { ended } else { begun };
                let look = Look { begun, ended, seen };
                let event = Event::Looked { node: node.clone(), look };
                if probing {
                    self.after(self.took(back), Happening::Seen(life, node, event));
                    return Ok(());
                }
                (back, event)
            }
            Call::Inspect { node, begun } => {
                self.meet_a_fault(&node, false);
                let result = now(self.world.inspect(&node));
                (self.way_back(), Event::Inspected { node, begun, result })
            }
            Call::Run { call, action, tag } => {
                self.check_durably_begun(&action, &tag)?;
                self.meet_a_fault(action.node(), true);
                let result = perform(&self.world, self.scenario.planned.lie, &action, &tag);
                self.catch_up_writing()?;
                (self.way_back(), Event::ActionEnded { call, result })
            }
            Call::Hold { call, limit } => self.hold(call, limit),
        };
        self.after(self.took(back), Happening::Answers(life, answer));
        Ok(())
    }

    fn way_back(&mut self) -> Micros {
        self.latency()
    }

    /// How long it takes from now until an answer is back: what the call took of the world's time,
    /// and its way.
    fn took(&self, back: Micros) -> Micros {
        Micros(self.world.now().monotonic.0 - self.now.0 + back.0)
    }

    fn hold(&mut self, call: CallId, limit: Millis) -> (Micros, Event) {
        let silent = if self.calm { 0 } else { self.scenario.silent };
        let proxies = (1..=self.scenario.proxies).map(|number| format!("proxy{number}"));
        let (missing, acknowledged): (Vec<_>, Vec<_>) =
            proxies.partition(|_| self.rng.permille(silent));
        let back = if missing.is_empty() { self.way_back() } else { limit.into() };
        (back, Event::HoldEnded { call, acknowledged, missing })
    }

    fn persist(&mut self, life: Life, entries: &[Entry]) -> Checked<Result<(), StoreError>> {
        let failing = !self.calm && self.rng.permille(self.scenario.weather.store);
        let Some(process) = self.process.as_mut().filter(|process| process.life == life) else {
            return Ok(Ok(()));
        };
        let failed_before = process.store_failed;
        if !failing && !failed_before {
            self.catch_up_writing()?;
            if self.scenario.planned.lie == Some(Lie::Durable) {
                self.store.on_its_way = entries.to_vec();
            } else {
                self.store.append(entries)?;
            }
            return Ok(Ok(()));
        }
        process.store_failed = true;
        if !failed_before && self.rng.permille(500) {
            self.store.append(entries)?;
        }
        self.counts.faults += 1;
        Ok(Err(StoreError::Failed { detail: "disk full".to_owned() }))
    }

    fn catch_up_writing(&mut self) -> Checked {
        let earlier = std::mem::take(&mut self.store.on_its_way);
        self.store.append(&earlier)
    }

    /// No server is changed but for an operation whose beginning is durable. That it was abandoned
    /// since does not call back what was sent.
    fn check_durably_begun(&self, action: &Action, tag: &Tag) -> Checked {
        let next = self.store.journal.next_operation();
        let begun = (1..next.0).any(|number| Tag::new(OperationId(number)) == *tag);
        if action.changes_server() && !begun {
            return Err(Broken::Engine(format!("no operation is durable, but: {action}")));
        }
        Ok(())
    }

    /// The prober looks at a node.
    pub fn probe(&mut self, life: Life, node: NodeId) {
        let begun = self.world.now();
        let way = self.latency();
        self.after(way, Happening::Reaches(life, Call::Look { node, begun, probing: true }));
    }

    pub fn look_again(&mut self, life: Life, node: NodeId) {
        let busy = self.process.as_ref().is_some_and(|process| process.engine.is_operating());
        let pause = if busy { 200_000 } else { 1_000_000 };
        self.after(Micros(pause), Happening::Tick(life, node));
    }

    pub fn next_call(&self) -> u64 {
        self.world.call_count() + 1
    }
}

fn begun_plus(now: Now, back: Micros) -> Now {
    Now {
        monotonic: Micros(now.monotonic.0 + back.0),
        wall: mysqlsvc_core::WallTime(now.wall.0 + back.0),
    }
}
