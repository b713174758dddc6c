//! One state of everything: the engine, the world, what is under way between them, and how much
//! may still go wrong.

use std::{
    collections::BTreeSet,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use mysqlsvc_core::{
    Micros, Millis, NodeId, Now,
    engine::{Effect, Engine, Event},
    journal::{Entry, Journal},
    testing::World,
};

use crate::{
    canonical::Canon,
    scenario::{Ask, Budget},
    verdict::Broken,
};

/// One state. Clones go their own ways.
pub struct State {
    /// The shipped engine.
    pub engine: Engine,
    /// The model cluster.
    pub world: World,
    /// What is durable, and its fold.
    pub(crate) store: Arc<Vec<Entry>>,
    pub(crate) durable: Journal,
    /// A planted bug: said to be durable, and not yet so.
    pub(crate) not_durable: Vec<Entry>,
    /// What the engine wants done, in the order in which it said so.
    pub(crate) wanted: Vec<Wanted>,
    /// What was done and has not been told to the engine.
    pub(crate) answers: Vec<Answer>,
    pub(crate) clock: Now,
    /// What may still happen.
    pub(crate) left: Budget,
    /// What may yet be asked.
    pub(crate) asks: Vec<Ask>,
    /// Whether the store has failed since the monitor was started.
    pub(crate) store_failed: bool,
    /// Whether a server has crashed: it boots read-only, and a replica that was paused replicates.
    pub(crate) crashed: bool,
    /// Servers that the monitor cannot reach.
    pub(crate) cut_off: BTreeSet<NodeId>,
    /// What went wrong, the first time something did. Nothing follows such a state.
    pub(crate) broken: Option<Broken>,
}

/// An effect on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) effect: Effect,
    /// When the monitor began with it.
    pub(crate) begun: Now,
    /// Whether it is a look that later looks may overtake.
    pub(crate) slow: bool,
}

/// An answer on its way in.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) event: Event,
    /// It cannot be there before: what it answers took that long.
    pub(crate) ready: Now,
}

impl State {
    /// A moment later: whatever happens next happens after all that was.
    pub(crate) fn tick(&mut self) -> Now {
        self.clock.monotonic.0 += 1;
        self.clock
    }

    /// Time passes, to a little after that moment.
    pub(crate) fn wait_until(&mut self, moment: Now) {
        let micros = moment.monotonic.0.max(self.clock.monotonic.0);
        self.clock.monotonic = Micros((micros / 1000 + 2) * 1000);
    }

    /// So long after now.
    pub(crate) fn after(&self, length: Millis) -> Now {
        self.clock + length
    }

    /// Tells the engine, and takes over what it wants now.
    pub(crate) fn tell(&mut self, event: Event) {
        let now = self.tick();
        self.engine.handle(now, event);
        self.take_effects();
    }

    pub(crate) fn take_effects(&mut self) {
        let begun = self.clock;
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                // Whoever asked was told; nothing follows from it.
                Effect::Reply { .. } => {}
                effect => self.wanted.push(Wanted { effect, begun, slow: false }),
            }
        }
    }

    /// Whether nothing is under way between engine and world: a wait for time or for better days.
    pub fn is_at_rest(&self) -> bool {
        self.wanted.is_empty() && self.answers.is_empty()
    }

    /// All servers.
    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.world.nodes()
    }

    /// Whether a look that the engine asked for is under way: no other begins before it is over.
    pub(crate) fn awaits_look(&self) -> bool {
        self.wanted.iter().any(|wanted| !wanted.slow && is_look(&wanted.effect))
    }

    /// Whether a look has begun of which the engine does not know yet.
    fn is_looking(&self) -> bool {
        let seen = |event: &Event| matches!(event, Event::Looked { .. } | Event::Inspected { .. });
        self.wanted.iter().any(|wanted| is_look(&wanted.effect))
            || self.answers.iter().any(|answer| seen(&answer.event))
    }

    fn number(&self) -> u64 {
        self.canon().finish(self.clock)
    }
    fn canon(&self) -> Canon {
        let mut canon = Canon::new(self.is_looking());
        canon.add(&self.engine);
        canon.add(&self.world);
        canon.add(&self.durable);
        canon.add(&self.not_durable);
        for Wanted { effect, begun, slow } in &self.wanted {
            canon.add(effect);
            canon.add(&(is_look(effect).then_some(begun), slow));
        }
        for Answer { event, ready } in &self.answers {
            canon.add(event);
            canon.add(&(*ready > self.clock).then_some(ready));
        }
        canon.add(&(self.left, &self.asks));
        canon.add(&(self.store_failed, self.crashed, self.broken.is_some()));
        canon
    }
}

fn is_look(effect: &Effect) -> bool {
    matches!(effect, Effect::Look { .. } | Effect::Inspect { .. })
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            // A clone of a world is the same world.
            world: self.world.fork(),
            store: Arc::clone(&self.store),
            durable: self.durable.clone(),
            not_durable: self.not_durable.clone(),
            wanted: self.wanted.clone(),
            answers: self.answers.clone(),
            clock: self.clock,
            left: self.left,
            asks: self.asks.clone(),
            store_failed: self.store_failed,
            crashed: self.crashed,
            cut_off: self.cut_off.clone(),
            broken: self.broken.clone(),
        }
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.number().hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

impl Eq for State {}

/// Short: counterexamples are read by their actions.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = self.engine.journal().running().map(|running| running.progress);
        f.debug_struct("State")
            .field("progress", &progress)
            .field("wanted", &self.wanted.iter().map(|one| &one.effect).collect::<Vec<_>>())
            .field("answers", &self.answers)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
