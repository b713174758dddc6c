//! A registered cluster of a master (1), a standby (2) and two slaves (3, 4) on the model, with an
//! application that writes through the route, and a monitor that can die.

use std::sync::Arc;

use futures_util::FutureExt;
use mysqlsvc_core::{
    Action, ActionError, Flavor, Look, Millis, NodeId, ReplicationBackend, Role, Settings, Store,
    WallTime,
    backend::Observed,
    driver::{Carried, Outside},
    engine::{Answer, Effect, Engine, Event, Reason, Refusal, Request, RequestTicket},
    intent::Change,
    journal::{Entry, Execution, Outcome, Progress, Record},
    plan::{SwitchPlanner, plan_switch},
    testing::{
        Applier, CallKind, Disturbance, Fault, FaultKind, ServerSnapshot, When, World, Writer,
        invariants::{
            Goal, Violation, acknowledged_rows_are_on, always, converged, no_last_copy_erased,
        },
    },
};

use crate::store::{MemoryStore, WorldClock, WorldPublisher};

/// No run takes more effects than this; one that does goes round in circles.
const EFFECTS: usize = 5_000;
/// So many pauses mean that the operation waits for the world to get better.
const PATIENCE: usize = 40;

/// What a backend says instead of what happened: a planted bug.
pub type Lie = fn(&World, &Action, Result<Observed, ActionError>) -> Result<Observed, ActionError>;

/// How a stage is set.
#[derive(Clone)]
pub struct Setting {
    pub flavor: Flavor,
    pub mutual: bool,
    /// Whether the servers give no GTIDs.
    pub by_position: bool,
    pub settings: Settings,
    pub planner: SwitchPlanner,
    pub lie: Lie,
}

impl Setting {
    pub fn of(flavor: Flavor) -> Self {
        let (settings, planner) = (Settings::default(), plan_switch as SwitchPlanner);
        let (mutual, by_position) = (false, false);
        Self { flavor, mutual, by_position, settings, planner, lie: |_, _, answer| answer }
    }

    pub fn by_position(self) -> Self {
        Self { by_position: true, ..self }
    }

    pub fn mutual(self, mutual: bool) -> Self {
        Self { mutual, ..self }
    }

    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    pub fn planner(self, planner: SwitchPlanner) -> Self {
        Self { planner, ..self }
    }

    pub fn lie(self, lie: Lie) -> Self {
        Self { lie, ..self }
    }

    pub fn raise(self) -> Stage {
        Stage::raise(self)
    }
}

pub struct Stage {
    pub world: World,
    pub engine: Engine,
    setting: Setting,
    outside: Outside<World, MemoryStore, WorldPublisher, WorldClock>,
    answer: Option<Result<Answer, Refusal>>,
    halted: Option<String>,
    effects: usize,
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the model answers at once")
}

impl Stage {
    pub fn new(flavor: Flavor) -> Self {
        Setting::of(flavor).raise()
    }

    fn raise(setting: Setting) -> Self {
        let world = World::builder(setting.flavor)
            .nodes(4)
            .mutual(setting.mutual)
            .by_position(setting.by_position)
            .build();
        let outside = Outside {
            backend: world.clone(),
            store: MemoryStore::default(),
            publisher: WorldPublisher(world.clone()),
            clock: WorldClock(world.clone()),
        };
        let engine = Engine::new(setting.settings.clone(), &outside.store.stored(), world.now());
        let engine = engine.unwrap();
        let (answer, halted) = (None, None);
        let mut stage = Self { world, engine, setting, outside, answer, halted, effects: 0 };
        stage.restart_monitor();
        let roles = [Role::Master, Role::Standby, Role::Slave, Role::Slave];
        for (number, role) in (1..).zip(roles) {
            let node = stage.node(number);
            stage.ask(Request::Register { node, role }).unwrap();
        }
        if stage.setting.mutual {
            stage.write_down_that_it_is_mutual();
        }
        stage.world.add_writer(Writer::Routed);
        stage.live_on();
        stage
    }

    /// Mutual replication is there in the world already.
    fn write_down_that_it_is_mutual(&mut self) {
        let record = Record::Changed { change: Change::Mutual { mutual: true }, who: None };
        now(self.outside.store.append(&[Entry { at: WallTime(0), record }])).unwrap();
        self.restart_monitor();
    }

    pub fn node(&self, number: u8) -> NodeId {
        self.world.node(number)
    }

    pub fn store(&self) -> &MemoryStore {
        &self.outside.store
    }

    /// kill -9 of the monitor, and its next start.
    pub fn restart_monitor(&mut self) {
        let stored = self.outside.store.stored();
        let settings = self.setting.settings.clone();
        let engine = Engine::new(settings, &stored, self.world.now());
        self.engine = engine.expect("what is durable is sound").with_planner(self.setting.planner);
        self.halted = None;
        let nodes = self.world.nodes();
        self.tell(Event::Discovered { nodes });
        self.run();
    }

    /// The monitor starts again with other settings, and brings the cluster in line with them.
    pub fn manage(&mut self, settings: Settings) {
        self.setting.settings = settings;
        self.restart_monitor();
        for _ in 0..6 {
            self.live_on();
        }
    }

    pub fn tell(&mut self, event: Event) {
        self.engine.handle(self.world.now(), event);
    }

    /// Asks, and does all that follows, to its end or until it can only wait.
    pub fn ask(&mut self, request: Request) -> Result<Answer, Refusal> {
        self.begin(request);
        self.run();
        self.answer.take().expect("every request is answered")
    }

    fn begin(&mut self, request: Request) {
        let (ticket, who) = (RequestTicket(1), "dba".to_owned());
        self.tell(Event::Asked { ticket, who, request });
    }

    pub fn refusal(&mut self, request: Request) -> Reason {
        self.ask(request).expect_err("it is refused").reason
    }

    /// A switch that is let in, and how it ended; none while it waits for the world to get better.
    pub fn switch(&mut self, to: u8) -> Option<Outcome> {
        let to = self.node(to);
        self.operate(Request::switch(to))
    }

    /// An operation that is let in, and how it ended.
    pub fn operate(&mut self, request: Request) -> Option<Outcome> {
        self.ask(request).expect("it is let in");
        self.outcome()
    }

    /// Asks, and does what follows until this effect would be next; it is left undone.
    pub fn ask_until(&mut self, request: Request, next: impl Fn(&Effect) -> bool) -> Effect {
        self.begin(request);
        for _ in 0..EFFECTS {
            let effect = self.engine.poll_effect().expect("it comes to this before its end");
            if next(&effect) {
                return effect;
            }
            self.carry_out(effect);
        }
        panic!("it goes round in circles");
    }

    /// Asks, and lets the monitor die after so many effects; false if it was all over before.
    pub fn dies_after(&mut self, request: Request, effects: usize) -> bool {
        self.begin(request);
        for _ in 0..effects {
            let Some(effect) = self.engine.poll_effect() else { return false };
            self.carry_out(effect);
        }
        self.restart_monitor();
        true
    }

    /// Does what the engine wants, until there is nothing more, or only the world can help.
    pub fn run(&mut self) {
        let mut pauses = 0;
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                self.carry_out(effect);
            }
            match self.engine.poll_timeout() {
                Some(until) if pauses < PATIENCE && self.engine.is_operating() => {
                    pauses += 1;
                    let left = until.since(self.world.now()).0.div_ceil(1_000);
                    self.world.pass(Millis(left));
                    self.tell(Event::TimedOut);
                }
                _ => return,
            }
        }
    }

    /// Does one effect; the backend's answer may be a lie.
    pub fn carry_out(&mut self, effect: Effect) {
        self.effects += 1;
        assert!(self.effects < EFFECTS, "it goes round in circles: {effect:?}");
        let action = match &effect {
            Effect::Run { action, .. } => Some(action.clone()),
            _ => None,
        };
        match now(self.outside.carry_out(effect)) {
            Carried::Event(Event::ActionEnded { call, result }) => {
                let action = action.expect("what ended was begun");
                let result = (self.setting.lie)(&self.world, &action, result);
                self.tell(Event::ActionEnded { call, result });
            }
            Carried::Event(event) => self.tell(event),
            Carried::Nothing => {}
            Carried::Reply { answer, .. } => self.answer = Some(answer),
            Carried::Halt { reason } => self.halted = Some(reason),
        }
    }

    pub fn has_halted(&self) -> bool {
        self.halted.is_some()
    }

    /// The prober's round: replication goes on, everybody is looked at.
    pub fn live_on(&mut self) {
        self.world.settle();
        self.look_at_all();
    }

    pub fn look_at_all(&mut self) {
        for node in self.world.nodes() {
            self.look(node);
        }
        self.run();
    }

    /// One look, and nothing of what follows from it yet.
    pub fn look(&mut self, node: NodeId) {
        self.carry_out(Effect::Look { node });
    }

    /// A look whose answer comes late; all this happens before it does.
    pub fn look_slowly(&mut self, node: NodeId, meanwhile: impl FnOnce(&mut Self)) {
        let begun = self.world.now();
        let seen = now(self.world.look(&node));
        meanwhile(self);
        let look = Look { begun, ended: self.world.now(), seen };
        self.tell(Event::Looked { node, look });
    }

    /// Some seconds in which the prober goes round.
    pub fn some_time(&mut self) {
        for _ in 0..4 {
            self.world.pass(Millis(2_000));
            self.world.run_writers();
            self.live_on();
        }
    }

    pub fn disturb(&mut self, disturbance: Disturbance) {
        self.world.disturb(disturbance);
    }

    /// At the first call of that kind to that node.
    pub fn at(&mut self, kind: CallKind, node: u8, what: FaultKind) {
        let when = When::Action { kind, node: self.node(node), after: 0 };
        self.world.plan_fault(Fault { when, what });
    }

    /// The standby stops applying just as the master is frozen.
    pub fn candidate_stops_at_the_freeze(&mut self) {
        let held = Disturbance::Applier(self.node(2), Applier::Held);
        self.at(CallKind::Freeze, 1, FaultKind::Disturb(held));
    }

    pub fn state(&self, node: u8) -> String {
        let snapshot = self.engine.snapshot();
        let found = snapshot.nodes.iter().find(|seen| seen.node == self.node(node));
        found.expect("it is known").state.to_string()
    }

    pub fn alarms(&self) -> Vec<&'static str> {
        self.engine.snapshot().alarms.iter().map(|alarm| alarm.id.as_str()).collect()
    }

    /// The last operation that is over.
    pub fn last(&self) -> Arc<Execution> {
        self.engine.journal().history().last().expect("there was an operation").clone()
    }

    /// How the last operation ended; none while one is under way.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.last().progress {
            Progress::Ended(outcome) if !self.engine.is_operating() => Some(outcome),
            _ => None,
        }
    }

    /// The server as it is, not as it is seen.
    pub fn server(&self, node: u8) -> ServerSnapshot {
        self.world.snapshot().servers[&self.node(node)].clone()
    }

    /// The servers that an application can write to.
    pub fn writable(&self) -> Vec<u8> {
        (1..=4).filter(|node| self.server(*node).read_only.is_writable()).collect()
    }

    /// Whom an application is led to that wants to write.
    pub fn routed(&self) -> Option<NodeId> {
        let route = self.engine.snapshot().route?;
        route.master.map(|master| master.node)
    }

    /// Everything that must hold at every moment; and nothing that was acknowledged is missing on
    /// today's master.
    pub fn check(&self) -> Result<(), Violation> {
        let history = self.world.history();
        always(&history)?;
        let master = self.engine.journal().intent().master().expect("there is a master");
        acknowledged_rows_are_on(master, &history, &self.world.snapshot())
    }

    /// No statement of ours erased the last copy of a received transaction.
    pub fn must_not_erase(&self) {
        assert_eq!(no_last_copy_erased(&self.world.history()), Ok(()));
    }

    pub fn must_hold(&self) {
        if let Err(violation) = self.check() {
            panic!("{violation}\n{}", self.world.history());
        }
    }

    /// This one is the master and writable, all others replicate from it and have all it has.
    pub fn is_whole(&self, master: u8) -> Result<(), Violation> {
        let intent = self.engine.journal().intent();
        let node = self.node(master);
        assert_eq!(intent.master(), Some(&node));
        let followers = intent.members.keys().filter(|member| **member != node).cloned().collect();
        let mutual = if intent.mutual { intent.standby().cloned() } else { None };
        let left_behind = std::collections::BTreeSet::new();
        converged(&Goal { master: node, followers, mutual, left_behind }, &self.world.snapshot())
    }

    /// Everything holds, and once all is replicated everybody has everything.
    pub fn must_be_whole(&mut self, master: u8) {
        self.live_on();
        // The application wrote while everybody was looked at.
        self.world.settle();
        self.must_hold();
        if let Err(violation) = self.is_whole(master) {
            panic!("{violation}\n{}", self.world.history());
        }
    }
}
