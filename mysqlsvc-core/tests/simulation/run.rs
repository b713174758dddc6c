//! One run: what happens next, and what must hold after it.

use std::collections::BTreeMap;

use mysqlsvc_core::{
    Micros, NodeId,
    engine::Event,
    testing::{Disturbance, World, Writer, invariants::Violation},
};

use crate::{
    checks::Checks,
    monitor::{Call, Life, Process, Store},
    queue::Queue,
    rng::Rng,
    scenario::Scenario,
    trace::Trace,
};

/// No run takes more happenings than this; one that does goes round in circles.
const HAPPENINGS: u64 = 60_000;

/// A run that broke something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// An invariant of DESIGN 4.
    Invariant(Violation),
    /// The engine stopped though no store had failed, or did what it must not.
    Engine(String),
    /// Something that must end did not.
    Stuck(String),
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Invariant(violation)
    }
}

pub type Checked<T = ()> = Result<T, Broken>;

/// Something that is going to happen.
#[derive(Debug)]
pub enum Happening {
    /// A call reaches its server, store or proxies.
    Reaches(Life, Call),
    /// Its answer reaches the monitor.
    Answers(Life, Event),
    /// A look of the prober has ended.
    Seen(Life, NodeId, Event),
    /// The prober looks at a node.
    Tick(Life, NodeId),
    /// The discovery is read.
    Discovers,
    /// The monitor is started.
    Boots,
    /// Operators ask for something.
    Asks,
    /// Something befalls the cluster.
    Strikes,
    /// Something is made good again.
    Mends(Disturbance),
    /// The administrator looks after a master that was started again.
    Tends(NodeId),
    /// Replicas receive and apply, applications write.
    Moves,
}

/// How much happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub happenings: u64,
    pub effects: u64,
    pub operations: u64,
    pub succeeded: u64,
    pub rolled_back: u64,
    pub abandoned: u64,
    pub lives: u64,
    pub faults: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.happenings += other.happenings;
        self.effects += other.effects;
        self.operations += other.operations;
        self.succeeded += other.succeeded;
        self.rolled_back += other.rolled_back;
        self.abandoned += other.abandoned;
        self.lives += other.lives;
        self.faults += other.faults;
    }
}

pub struct Run {
    pub scenario: Scenario,
    pub rng: Rng,
    pub world: World,
    pub queue: Queue<Happening>,
    pub now: Micros,
    pub process: Option<Process>,
    pub store: Store,
    pub checks: Checks,
    pub trace: Trace,
    /// Whether nothing goes wrong any more.
    pub calm: bool,
    pub counts: Counts,
    pub tickets: u64,
    /// Servers that lost their power are not there again before then.
    pub boots_at: BTreeMap<NodeId, Micros>,
    /// When the engine was last told that a time-out came.
    timed_out: Option<Micros>,
}

/// Runs a scenario from its first to its last moment.
pub fn run(scenario: Scenario, trace: Trace) -> (Checked<Counts>, Trace) {
    let mut run = Run::new(scenario, trace);
    let ended = run.all();
    if let Err(broken) = &ended {
        run.trace.note(run.now, || format!("BROKEN {broken:?}"));
    }
    run.counts.lives = run.store.lives;
    (ended.map(|()| run.counts), run.trace)
}

impl Run {
    fn new(scenario: Scenario, trace: Trace) -> Self {
        let world = scenario.world();
        let rng = Rng::new(scenario.seed ^ 0xD1CE);
        let mut run = Self {
            rng,
            world,
            queue: Queue::new(),
            now: Micros(0),
            process: None,
            store: Store::default(),
            checks: Checks::default(),
            trace,
            calm: true,
            counts: Counts::default(),
            tickets: 0,
            boots_at: BTreeMap::new(),
            timed_out: None,
            scenario,
        };
        run.trace.note(Micros(0), || format!("{:?}", run.scenario));
        run
    }

    fn all(&mut self) -> Checked {
        self.soon(Happening::Boots);
        self.soon(Happening::Moves);
        self.found()?;
        self.world.add_writer(Writer::Routed);
        let direct = Writer::Direct {
            node: self.world.node(1),
            rights: mysqlsvc_core::testing::Rights::Ordinary,
        };
        self.world.add_writer(direct);
        self.storm()?;
        self.calm_down()?;
        self.check_the_end()
    }

    /// Faults and requests, for as long as the scenario says.
    fn storm(&mut self) -> Checked {
        self.trace.note(self.now, || "the storm begins");
        self.calm = false;
        let end = self.now.0 + self.scenario.storm.0;
        for _ in 0..self.scenario.requests {
            let at = self.rng.between(self.now.0, end);
            // Often more than one person wants something.
            for _ in 0..self.rng.weighted(&[(8, 1), (2, 2), (1, 3)]) {
                self.queue.put(Micros(at), Happening::Asks);
            }
        }
        self.soon(Happening::Strikes);
        self.soon(Happening::Discovers);
        self.until(Micros(end), |_| false)?;
        self.trace.note(self.now, || "the storm is over");
        self.calm = true;
        Ok(())
    }

    pub fn soon(&mut self, what: Happening) {
        self.queue.put(self.now, what);
    }

    pub fn after(&mut self, time: Micros, what: Happening) {
        self.queue.put(Micros(self.now.0 + time.0), what);
    }

    /// Lets things happen until a condition holds or the time has come; says whether it holds.
    pub fn until(&mut self, end: Micros, held: impl Fn(&Self) -> bool) -> Checked<bool> {
        while !held(self) {
            let next = self.next_at();
            if next > end {
                self.now = end;
                return Ok(false);
            }
            self.step(next)?;
        }
        Ok(true)
    }

    fn engine_timeout(&self) -> Option<Micros> {
        let engine = &self.process.as_ref()?.engine;
        engine.poll_timeout().map(|until| until.monotonic.max(self.now))
    }

    fn next_at(&self) -> Micros {
        let happens = self.queue.next_at().unwrap_or(Micros(u64::MAX));
        self.engine_timeout().map_or(happens, |until| until.min(happens))
    }

    fn step(&mut self, at: Micros) -> Checked {
        self.counts.happenings += 1;
        if self.counts.happenings > HAPPENINGS {
            return Err(Broken::Stuck("it goes round in circles".to_owned()));
        }
        self.now = at;
        self.world.set_clock(at);
        if self.engine_timeout().is_some_and(|until| until <= at) {
            if self.timed_out == Some(at) {
                return Err(Broken::Engine("it asks for a time-out that has been".to_owned()));
            }
            self.timed_out = Some(at);
            self.tell(Event::TimedOut)?;
        } else if let Some((_, what)) = self.queue.pop() {
            self.happen(what)?;
        }
        self.check_now()
    }

    fn happen(&mut self, what: Happening) -> Checked {
        match what {
            Happening::Reaches(life, call) => self.reaches(life, call),
            Happening::Answers(life, event) if self.is_alive(life) => self.tell(event),
            Happening::Seen(life, node, event) if self.is_alive(life) => {
                self.tell(event)?;
                self.look_again(life, node);
                Ok(())
            }
            Happening::Tick(life, node) if self.is_alive(life) => {
                self.probe(life, node);
                Ok(())
            }
            Happening::Answers(..) | Happening::Seen(..) | Happening::Tick(..) => Ok(()),
            Happening::Discovers => self.discovers(),
            Happening::Boots => self.boot(),
            Happening::Asks => self.asks(),
            Happening::Strikes => self.strikes(),
            Happening::Mends(better) => {
                self.mend(better);
                Ok(())
            }
            Happening::Tends(node) => self.tend(&node),
            Happening::Moves => {
                self.moves();
                Ok(())
            }
        }
    }

    /// Data move, and applications write.
    fn moves(&mut self) {
        let nodes = self.world.nodes();
        for node in &nodes {
            let most = if self.calm { 1_000 } else { *self.rng.pick(&[0, 1, 3, 1_000]) };
            self.world.receive(node, most);
            self.world.apply(node, most);
        }
        if self.rng.permille(if self.calm { 50 } else { 300 }) {
            self.world.run_writers();
        }
        let pause = if self.calm { 100_000 } else { self.rng.between(5_000, 100_000) };
        self.after(Micros(pause), Happening::Moves);
    }

    /// How long a message takes now.
    pub fn latency(&mut self) -> Micros {
        let network = self.scenario.network;
        let rare = !self.calm && self.rng.permille(network.rarely);
        let most = if rare { network.rare } else { network.usual };
        Micros(self.rng.between(most.0 / 10, most.0))
    }
}
