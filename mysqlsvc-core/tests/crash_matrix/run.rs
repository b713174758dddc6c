//! One operation on a model world, with at most one crash of the monitor and one fault.

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures_util::FutureExt;
use mysqlsvc_core::{
    Action, Flavor, Millis, NodeId, NodeState, OperationId, ReplicationBackend, Role, Settings,
    SqlThread, StoreError, Tag,
    backend::EventName,
    driver::{Carried, Outside},
    engine::{Answer, Effect, Engine, Event, Refusal, Request, RequestTicket},
    journal::{Execution, Outcome, Progress, StepStatus},
    plan::{Act, OperationKind, Step, Strategy, SwitchPlanner, plan_switch},
    testing::{
        Cut, Disturbance, Fault, FaultKind, Rights, Snapshot, When, World, Writer,
        invariants::{
            Goal, Violation, acknowledged_rows_are_on, always, as_found, converged, epochs_grow,
            no_last_copy_erased,
        },
    },
};

use crate::store::{MemoryStore, WorldClock, WorldPublisher};

/// No run takes more effects than this; one that does goes round in circles.
const EFFECTS: usize = 2_000;
/// So many pauses mean that the operation waits for the world to be healed.
const PATIENCE: usize = 40;

/// What befalls the monitor, and at which effect of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    pub effect: usize,
    pub how: How,
}

/// What befalls the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is killed before the effect is carried out.
    Before,
    /// It is killed when the effect is carried out and its result not yet known.
    After,
    /// The store fails, if the effect is a write: it may be durable or not.
    StoreFails { durable: bool },
}

/// Which operation is run, on a cluster of a master (1), a standby (2) and two slaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Reliability first, to this node.
    Switch(u8),
    /// Availability first, to this node.
    AvailabilityFirst(u8),
    Pause(u8),
    /// Of a node that was paused before.
    Resume(u8),
    Detach(u8),
    /// Of a node that was detached before.
    Activate(u8),
    /// Of a node that has a transaction of its own.
    Clone(u8),
    /// The master's own restart, and what the monitor makes of it.
    Restart,
}

impl Job {
    fn node(self) -> u8 {
        match self {
            Self::Switch(node)
            | Self::AvailabilityFirst(node)
            | Self::Pause(node)
            | Self::Resume(node)
            | Self::Detach(node)
            | Self::Activate(node)
            | Self::Clone(node) => node,
            Self::Restart => 1,
        }
    }

    fn kind(self) -> OperationKind {
        match self {
            Self::Switch(_) | Self::AvailabilityFirst(_) => OperationKind::Switch,
            Self::Pause(_) => OperationKind::Pause,
            Self::Resume(_) => OperationKind::Resume,
            Self::Detach(_) => OperationKind::Detach,
            Self::Activate(_) => OperationKind::Activate,
            Self::Clone(_) => OperationKind::Clone,
            Self::Restart => OperationKind::Reopen,
        }
    }

    /// What has to be done before, so that it can be asked for.
    fn before(self, node: NodeId) -> Option<Request> {
        match self {
            Self::Resume(_) => Some(Request::Pause { node }),
            Self::Activate(_) => Some(Request::Detach { node }),
            _ => None,
        }
    }

    fn request(self, node: NodeId) -> Option<Request> {
        match self {
            Self::Switch(_) => Some(Request::switch(node)),
            Self::AvailabilityFirst(_) => Some(Request::Switch {
                to: node.clone(),
                strategy: Strategy::Availability,
                confirm: Some(node),
                dry_run: false,
            }),
            Self::Pause(_) => Some(Request::Pause { node }),
            Self::Resume(_) => Some(Request::Resume { node }),
            Self::Detach(_) => Some(Request::Detach { node }),
            Self::Activate(_) => Some(Request::activate(node)),
            Self::Clone(_) => Some(clone(node)),
            Self::Restart => None,
        }
    }
}

fn clone(node: NodeId) -> Request {
    Request::Clone { node: node.clone(), donor: None, confirm: Some(node), dry_run: false }
}

/// What a run is.
#[derive(Clone)]
pub struct Scenario {
    pub flavor: Flavor,
    pub mutual: bool,
    /// Whether the servers give no GTIDs.
    pub by_position: bool,
    pub job: Job,
    pub crash: Option<Crash>,
    pub fault: Option<(u64, FaultKind)>,
    pub planner: SwitchPlanner,
    pub late_store: bool,
}

impl Scenario {
    pub fn new(flavor: Flavor, mutual: bool, job: Job) -> Self {
        Self {
            flavor,
            mutual,
            by_position: false,
            job,
            crash: None,
            fault: None,
            planner: plan_switch,
            late_store: false,
        }
    }

    /// On MySQL servers with `gtid_mode=OFF`.
    pub fn by_position(job: Job) -> Self {
        Self { by_position: true, ..Self::new(Flavor::MySql, false, job) }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flavor, mutual, by_position, job, crash, fault, .. } = self;
        let manner = if *by_position { " by position" } else { "" };
        write!(f, "{flavor}{manner}, mutual {mutual}, {job:?}, ")?;
        write!(f, "crash {crash:?}, fault {fault:?}")
    }
}

/// What came of a run.
pub struct Report {
    /// How many effects the operation took.
    pub effects: usize,
    /// The calls of the backend that it made: number and statements.
    pub calls: Vec<(u64, usize)>,
    pub outcome: Option<Outcome>,
    /// Whether a step was given up.
    pub skipped: bool,
    /// Whether availability first ended with servers that contradict each other.
    pub diverged: bool,
    /// What is the case in the end.
    pub after: Snapshot,
}

/// A run that broke something.
#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug when a test fails")]
pub enum Broken {
    Invariant(Violation),
    Halted(String),
    Stuck(String),
    Refused(Refusal),
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Invariant(violation)
    }
}

type Outer = Outside<World, MemoryStore, WorldPublisher, WorldClock>;

struct Run {
    scenario: Scenario,
    world: World,
    outside: Outer,
    engine: Engine,
    effects: usize,
    /// The operation that is run; those of the preparation came before.
    first: OperationId,
    counting: bool,
    store_failed: bool,
    replies: Vec<Result<Answer, Refusal>>,
}

/// Runs a scenario to its end, heals the world, and checks every invariant.
pub fn run(scenario: &Scenario) -> Result<Report, Broken> {
    let mut run = Run::prepare(scenario)?;
    let node = run.world.node(scenario.job.node());
    if let Some(before) = scenario.job.before(node.clone()) {
        run.ask(before)?;
        run.look_at_all()?;
    }
    if matches!(scenario.job, Job::Clone(_)) {
        run.world.write_errant(&node);
        // On MariaDB its applier stops at the next transaction of the master's.
        run.world.client_write(&run.world.node(1));
        run.world.settle();
        run.look_at_all()?;
    }
    if scenario.job == Job::Restart {
        run.world.disturb(Disturbance::Crash(node.clone()));
        run.look_at_all()?;
        run.world.disturb(Disturbance::Start(node.clone()));
    }
    if matches!(scenario.job, Job::Switch(_)) {
        run.world.set_events(&run.world.node(1), [tick()]);
    }
    let before = run.world.snapshot();
    let first_call = run.world.calls().len() as u64;
    run.first = run.engine.journal().next_operation();
    if let Some((call, what)) = &scenario.fault {
        run.world.plan_fault(Fault { when: When::Call(first_call + call), what: what.clone() });
    }
    run.counting = true;
    match scenario.job.request(node.clone()) {
        Some(request) => run.ask(request)?,
        None => run.look_at_all()?,
    }
    run.heal()?;
    run.world.stop_writers();
    run.world.settle();
    let calls = run.world.calls().split_off(usize::try_from(first_call).unwrap());
    let calls = calls.iter().map(|call| (call.number - first_call, call.statements)).collect();
    let outcome = run.check(&before, &node)?;
    let diverged = run.has_diverged();
    let skipped = run.execution().is_some_and(|execution| execution.has_skipped());
    Ok(Report {
        effects: run.effects,
        calls,
        outcome,
        skipped,
        diverged,
        after: run.world.snapshot(),
    })
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the model answers at once")
}

impl Run {
    /// A registered cluster with an application that writes.
    fn prepare(scenario: &Scenario) -> Result<Self, Broken> {
        let world = World::builder(scenario.flavor)
            .nodes(4)
            .mutual(scenario.mutual)
            .by_position(scenario.by_position)
            .build();
        let store = if scenario.late_store { MemoryStore::late() } else { MemoryStore::default() };
        let outside = Outside {
            backend: world.clone(),
            store,
            publisher: WorldPublisher(world.clone()),
            clock: WorldClock(world.clone()),
        };
        let engine = start(scenario, &outside);
        let scenario = scenario.clone();
        let mut run = Self {
            scenario,
            world,
            outside,
            engine,
            effects: 0,
            first: OperationId(0),
            counting: false,
            store_failed: false,
            replies: Vec::new(),
        };
        run.discover();
        run.until_quiet()?;
        for (number, role) in
            [(1, Role::Master), (2, Role::Standby), (3, Role::Slave), (4, Role::Slave)]
        {
            run.ask(Request::Register { node: run.world.node(number), role })?;
        }
        if run.scenario.mutual {
            run.set_mutual();
        }
        run.look_at_all()?;
        run.world.add_writer(Writer::Routed);
        for number in [1, 2] {
            let node = run.world.node(number);
            run.world.add_writer(Writer::Direct { node, rights: Rights::Ordinary });
        }
        run.world.run_writers();
        run.world.replicate();
        run.outside.store.catch_up();
        Ok(run)
    }

    /// Mutual replication is there in the world already; here it is written down.
    fn set_mutual(&mut self) {
        use mysqlsvc_core::{
            Store, WallTime,
            intent::Change,
            journal::{Entry, Record},
        };
        let change = Change::Mutual { mutual: true };
        let record = Record::Changed { change, who: None };
        now(self.outside.store.append(&[Entry { at: WallTime(0), record }])).unwrap();
        self.restart();
    }

    fn discover(&mut self) {
        let nodes = self.world.nodes();
        self.engine.handle(self.world.now(), Event::Discovered { nodes });
    }

    fn ask(&mut self, request: Request) -> Result<(), Broken> {
        let asked = Event::Asked { ticket: RequestTicket(1), who: "test".to_owned(), request };
        self.engine.handle(self.world.now(), asked);
        self.until_quiet()
    }

    fn restart(&mut self) {
        self.outside.store.crash();
        self.engine = start(&self.scenario, &self.outside);
        self.discover();
    }

    fn look_at_all(&mut self) -> Result<(), Broken> {
        for node in self.world.nodes() {
            self.look(&node);
            self.until_quiet()?;
        }
        Ok(())
    }

    fn look(&mut self, node: &NodeId) {
        let Carried::Event(event) =
            now(self.outside.carry_out(Effect::Look { node: node.clone() }))
        else {
            unreachable!("a look ends in an event")
        };
        self.engine.handle(self.world.now(), event);
    }

    /// Carries effects out until there are none and nothing is waited for, or the operation only
    /// waits for the world to get better.
    fn until_quiet(&mut self) -> Result<(), Broken> {
        let mut pauses = 0;
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                self.carry_out(effect)?;
            }
            match self.engine.poll_timeout() {
                Some(until) if pauses < PATIENCE && self.engine.is_operating() => {
                    pauses += 1;
                    let left = until.since(self.world.now()).0.div_ceil(1_000);
                    self.world.pass(Millis(left));
                    self.engine.handle(self.world.now(), Event::TimedOut);
                }
                _ => return Ok(()),
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), Broken> {
        if self.counting {
            self.effects += 1;
            if self.effects > EFFECTS {
                return Err(Broken::Stuck("it goes round in circles".to_owned()));
            }
        }
        let here = self.effects;
        let crash = self.scenario.crash.filter(|crash| self.counting && crash.effect == here);
        match (crash.map(|crash| crash.how), &effect) {
            (Some(How::Before), _) => {
                self.restart();
                return Ok(());
            }
            (Some(How::After), _) => {
                drop(now(self.outside.carry_out(effect)));
                self.restart();
                return Ok(());
            }
            (Some(How::StoreFails { durable }), Effect::Persist { ticket, .. }) => {
                let ticket = *ticket;
                if durable {
                    drop(now(self.outside.carry_out(effect)));
                }
                let result = Err(StoreError::Failed { detail: "disk full".to_owned() });
                self.engine.handle(self.world.now(), Event::Persisted { ticket, result });
                self.store_failed = true;
                return Ok(());
            }
            (Some(How::StoreFails { .. }) | None, _) => {}
        }
        let is_run = matches!(effect, Effect::Run { .. });
        match now(self.outside.carry_out(effect)) {
            Carried::Event(event) => self.engine.handle(self.world.now(), event),
            Carried::Nothing => {}
            Carried::Reply { answer, .. } => self.replies.push(answer),
            // It stops, as it must, and is started again with a store that works.
            Carried::Halt { .. } if self.store_failed => {
                self.store_failed = false;
                self.restart();
            }
            Carried::Halt { reason } => return Err(Broken::Halted(reason)),
        }
        if is_run {
            self.outside.store.catch_up();
        }
        Ok(())
    }

    /// Everything that went wrong goes right again, and the operation comes to its end.
    fn heal(&mut self) -> Result<(), Broken> {
        for round in 0..6 {
            if round == 3 {
                self.world.forget_faults();
            }
            self.mend_all();
            self.look_at_all()?;
            // What the monitor does unasked waits a while after it failed.
            self.world.pass(Millis(2_000));
        }
        if self.engine.is_operating() {
            let running = self.engine.journal().running();
            return Err(Broken::Stuck(format!("{running:#?}")));
        }
        Ok(())
    }

    fn mend_all(&self) {
        for node in self.world.nodes() {
            for better in [
                Disturbance::Resume(node.clone()),
                Disturbance::Start(node.clone()),
                Disturbance::Unlock(node.clone()),
                Disturbance::Mend(Cut::Monitor(node.clone())),
            ] {
                self.world.disturb(better);
            }
        }
        self.world.settle();
    }

    fn check(&mut self, before: &Snapshot, to: &NodeId) -> Result<Option<Outcome>, Broken> {
        let history = self.world.history();
        let availability_first = matches!(self.scenario.job, Job::AvailabilityFirst(_));
        if availability_first {
            no_last_copy_erased(&history)?;
            epochs_grow(&history)?;
        } else {
            always(&history)?;
        }
        let outcome = self.outcome();
        let intent = self.engine.journal().intent();
        let master = intent.master().expect("there is a master");
        if !availability_first {
            acknowledged_rows_are_on(master, &history, &self.world.snapshot())?;
        }
        let diverged = self.has_diverged();
        let moved = self.scenario.job.kind() == OperationKind::Switch;
        match outcome {
            Some(Outcome::Succeeded) if moved => {
                assert_eq!(master, to);
                let goal = self.goal(to);
                if !diverged {
                    converged(&goal, &self.world.snapshot())?;
                }
                if matches!(self.scenario.job, Job::Switch(_)) {
                    self.events_run_on(to);
                }
            }
            Some(Outcome::Succeeded) if self.scenario.job.kind() == OperationKind::Clone => {
                let master = master.clone();
                self.is_a_copy(&master, to)?;
            }
            // What it comes to is compared with an undisturbed run's end.
            Some(Outcome::Succeeded) => {}
            Some(Outcome::Abandoned) => unreachable!("nobody asks for it"),
            Some(Outcome::RolledBack) | None => {
                assert!(!moved || master != to);
                if self.scenario.job != Job::Restart {
                    let mut before = before.clone();
                    before.servers.retain(|node, _| !self.forsaken().contains(node));
                    // A replica that boots replicates, paused or not; an alarm says so.
                    if matches!(self.scenario.fault, Some((_, FaultKind::Crash { .. }))) {
                        before.servers.retain(|_, server| server.sql != Some(SqlThread::Stopped));
                        // Nor is a master opened that restarts while another holds what it lacks.
                        let diverged = self.scenario.job.kind() == OperationKind::Clone;
                        before.servers.retain(|node, _| !diverged || node != master);
                    }
                    as_found(&before, &self.world.snapshot())?;
                }
            }
        }
        Ok(outcome)
    }

    fn events_run_on(&self, master: &NodeId) {
        let servers = self.world.snapshot().servers;
        let running = servers.iter().filter(|(_, server)| !server.events.is_empty());
        assert_eq!(running.map(|(node, _)| node).collect::<Vec<_>>(), [master]);
    }

    /// A copy that did not become whole is named, and another one mends it.
    fn is_a_copy(&mut self, master: &NodeId, node: &NodeId) -> Result<(), Broken> {
        let left = self.execution().and_then(|execution| execution.left_undone().cloned());
        if left.is_some() {
            let snapshot = self.engine.snapshot();
            let seen = snapshot.nodes.into_iter().find(|seen| seen.node == *node).unwrap();
            let is_due = self.engine.journal().intent().is_copy_due(node);
            assert!(!is_due || seen.state != NodeState::Ok, "{left:?}, and it looks whole");
            self.counting = false;
            self.replies.clear();
            self.ask(clone(node.clone()))?;
            if let Some(Err(refusal)) = self.replies.last() {
                return Err(Broken::Refused(refusal.clone()));
            }
            self.world.settle();
        }
        Ok(converged(&self.whole(master), &self.world.snapshot())?)
    }

    fn has_diverged(&self) -> bool {
        self.execution().is_some_and(|execution| execution.diverged().is_some())
    }

    fn execution(&self) -> Option<&Arc<Execution>> {
        let kind = self.scenario.job.kind();
        let mut since = self.engine.journal().history().filter(|it| it.operation >= self.first);
        since.find(|it| it.plan.kind == kind)
    }

    /// The nodes that are said not to be as they were found.
    fn forsaken(&self) -> BTreeSet<NodeId> {
        let Some(execution) = self.execution() else { return BTreeSet::new() };
        let steps = execution.plan.steps.iter().zip(&execution.steps);
        steps
            .filter(|(_, record)| matches!(record.status, StepStatus::Forsaken(_)))
            .filter_map(|(planned, _)| planned.action().map(|action| action.node().clone()))
            .collect()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.execution().map(|execution| match execution.progress {
            Progress::Ended(outcome) => outcome,
            other => unreachable!("an operation in history has ended, not {other:?}"),
        })
    }

    fn whole(&self, master: &NodeId) -> Goal {
        let intent = self.engine.journal().intent();
        let followers = intent.members.keys().filter(|node| *node != master).cloned().collect();
        let mutual = if intent.mutual { intent.standby().cloned() } else { None };
        Goal { master: master.clone(), followers, mutual, left_behind: BTreeSet::new() }
    }

    fn goal(&self, master: &NodeId) -> Goal {
        let mut goal = self.whole(master);
        let Some(execution) = self.execution() else { return goal };
        for (planned, record) in execution.plan.steps.iter().zip(&execution.steps) {
            let Step::Must { act: Act::Server(action), .. } = planned else { continue };
            if !matches!(record.status, StepStatus::Skipped(_)) {
                continue;
            }
            match action {
                Action::Follow { node, .. } if node != master => {
                    goal.left_behind.insert(node.clone());
                }
                // What was given up on the master itself is reported, and the operator does it.
                _ if execution.diverged().is_some() => {}
                given_up => {
                    let tag = Tag::new(execution.operation);
                    let done = now(self.world.perform(given_up, &tag));
                    assert!(done.is_ok(), "{given_up} cannot be done later: {done:?}");
                }
            }
        }
        goal
    }
}

/// The scheduled event of the cluster that is switched.
fn tick() -> EventName {
    EventName { schema: "app".to_owned(), name: "tick".to_owned() }
}

fn start(scenario: &Scenario, outside: &Outer) -> Engine {
    let stored = outside.store.stored();
    Engine::new(Settings::default(), &stored, outside.backend.now())
        .expect("what is durable is sound")
        .with_planner(scenario.planner)
}
