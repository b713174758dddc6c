//! One engine, and a hand that feeds it: nothing here decides anything.

use mysqlsvc_core::{
    ActionError, ActionErrorKind, Flavor, GtidSet, Identity, Incarnation, IoThread, Look,
    LookError, Micros, Millis, NodeId, Now, Probe, ReadOnly, ReadOnlySet, Replication, Role,
    ServerVersion, Settings, SqlThread, StoreError, Stored, WallTime,
    backend::{Finding, Inspection, Observed},
    engine::{
        Answer, CallId, Effect, Engine, Event, PersistTicket, Reason, Refusal, Request,
        RequestTicket,
    },
    journal::{Entry, Outcome, Progress},
    plan::Strategy,
};

pub const MASTER: &str = "a:3306";
pub const STANDBY: &str = "b:3306";
pub const SLAVE: &str = "c:3306";

pub fn node(address: &str) -> NodeId {
    address.parse().unwrap()
}

pub fn gtids(text: &str) -> GtidSet {
    GtidSet::parse(Flavor::MariaDb, text).unwrap()
}

/// What a look at a server would see.
pub fn probe(id: u32, source: Option<(&str, u32)>, executed: &str) -> Probe {
    let identity = |server_id| Identity { server_id, server_uuid: None };
    Probe {
        identity: identity(id),
        flavor: Flavor::MariaDb,
        version: ServerVersion::new(10, 11, 19),
        read_only: if source.is_some() { ReadOnly::On } else { ReadOnly::Off },
        read_only_set: ReadOnlySet::ByStatement,
        executed: gtids(executed),
        committing: GtidSet::empty(Flavor::MariaDb),
        place: None,
        quiet_from: None,
        replication: source.map(|(address, id)| Replication {
            source: node(address),
            source_identity: Some(identity(id)),
            io: IoThread::Running,
            sql: SqlThread::Running,
            io_error: None,
            sql_error: None,
            lag: Some(Millis(0)),
            delay: Millis(0),
            received: gtids(executed),
        }),
        semi_sync: None,
    }
}

pub fn refused(address: &str) -> ActionError {
    ActionError {
        node: node(address),
        action: "test".to_owned(),
        kind: ActionErrorKind::Refused,
        detail: "no".to_owned(),
    }
}

/// The request of a switch that puts reliability first.
pub fn switch_to(address: &str, dry_run: bool) -> Request {
    let strategy = Strategy::Reliability;
    Request::Switch { to: node(address), strategy, confirm: None, dry_run }
}

pub struct Hand {
    pub engine: Engine,
    pub now: Now,
    /// What is durable.
    pub durable: Vec<Entry>,
    /// Effects not yet looked at by the test.
    pub pending: Vec<Effect>,
    tickets: u64,
}

impl Hand {
    pub fn new() -> Self {
        Self::start(Vec::new(), Now::default())
    }

    /// Starts an engine on what is durable: the first start, or one after a crash.
    pub fn start(durable: Vec<Entry>, now: Now) -> Self {
        Self::start_with(Settings::default(), durable, now)
    }

    fn start_with(settings: Settings, durable: Vec<Entry>, now: Now) -> Self {
        let incarnation = Incarnation(uuid::Uuid::nil());
        let stored = Stored { incarnation, entries: durable.clone() };
        let engine = Engine::new(settings, &stored, now).unwrap();
        let mut hand = Self { engine, now, durable, pending: Vec::new(), tickets: 0 };
        hand.collect();
        hand
    }

    /// Dies, is started again, and looks at everybody; what it had to write is durable then.
    pub fn crash_and_restart(self) -> Self {
        let Self { durable, now, .. } = self;
        let mut hand = Self::start(durable, now + Millis(1_000));
        hand.persist();
        hand.look_at_all("0-1-12");
        hand
    }

    pub fn tell(&mut self, event: Event) {
        self.now = Now {
            monotonic: Micros(self.now.monotonic.0 + 1_000),
            wall: WallTime(self.now.wall.0 + 1_000),
        };
        self.engine.handle(self.now, event);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.pending.push(effect);
        }
    }

    /// Takes the pending effects out.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.pending)
    }

    /// Takes the one pending effect out that fits, and leaves the others.
    pub fn take_one<T>(&mut self, what: &str, fit: impl Fn(&Effect) -> Option<T>) -> T {
        let found = self.pending.iter().position(|effect| fit(effect).is_some());
        let Some(place) = found else { panic!("no {what} among {:#?}", self.pending) };
        fit(&self.pending.remove(place)).unwrap()
    }

    pub fn take_persist(&mut self) -> (PersistTicket, Vec<Entry>) {
        self.take_one("persist", |effect| match effect {
            Effect::Persist { ticket, entries } => Some((*ticket, entries.clone())),
            _ => None,
        })
    }

    pub fn take_run(&mut self) -> (CallId, String) {
        self.take_one("run", |effect| match effect {
            Effect::Run { call, action, .. } => Some((*call, action.to_string())),
            _ => None,
        })
    }

    /// Makes the pending persist durable.
    pub fn persist(&mut self) {
        let (ticket, entries) = self.take_persist();
        self.durable.extend(entries);
        self.tell(Event::Persisted { ticket, result: Ok(()) });
    }

    pub fn fail_persist(&mut self) {
        let (ticket, _) = self.take_persist();
        let error = StoreError::Failed { detail: "disk full".to_owned() };
        self.tell(Event::Persisted { ticket, result: Err(error) });
    }

    /// Answers the pending action, which must begin with `words`.
    pub fn answer(&mut self, words: &str, result: Result<Observed, ActionError>) {
        let (call, action) = self.take_run();
        assert!(action.starts_with(words), "expected `{words}`, got `{action}`");
        self.tell(Event::ActionEnded { call, result });
    }

    /// The old master is seen to hold what it had at its freeze, as it must before it is thawed.
    pub fn is_whole(&mut self) {
        self.answer("wait until a:3306", Ok(Observed::Nothing));
    }

    /// Lets the time pass that the engine wants to wait.
    pub fn pass_time(&mut self) {
        if let Some(until) = self.engine.poll_timeout() {
            self.now = until;
        }
        self.tell(Event::TimedOut);
    }

    /// Lets time pass until something is to be done to a server.
    pub fn until_run(&mut self) {
        for _ in 0..100 {
            if self.pending.iter().any(|effect| matches!(effect, Effect::Run { .. })) {
                return;
            }
            assert!(self.engine.poll_timeout().is_some(), "nothing will ever be done");
            self.pass_time();
        }
        panic!("nothing is done, however long it is waited for");
    }

    pub fn hold(&mut self) {
        let call = self.take_one("hold", |effect| match effect {
            Effect::AwaitHold { call, .. } => Some(*call),
            _ => None,
        });
        self.tell(Event::HoldEnded { call, acknowledged: vec!["p".to_owned()], missing: vec![] });
    }

    pub fn look(&mut self, address: &str, seen: Result<Probe, LookError>) {
        let begun = self.now;
        let look = Look { begun, ended: begun, seen };
        self.tell(Event::Looked { node: node(address), look });
    }

    pub fn ask(&mut self, request: Request) -> RequestTicket {
        self.tickets += 1;
        let ticket = RequestTicket(self.tickets);
        self.tell(Event::Asked { ticket, who: "dba".to_owned(), request });
        ticket
    }

    pub fn register(&mut self, address: &str, role: Role, seen: Probe) {
        self.ask(Request::Register { node: node(address), role });
        self.pending.retain(|effect| !matches!(effect, Effect::Inspect { .. }));
        self.inspect(address, seen);
        self.persist();
    }

    pub fn look_at_all(&mut self, executed: &str) {
        self.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), executed)));
        self.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), executed)));
        self.look(MASTER, Ok(probe(1, None, executed)));
    }

    /// A cluster of three, registered, seen and routed.
    pub fn cluster() -> Self {
        Self::cluster_with(Settings::default())
    }

    pub fn cluster_with(settings: Settings) -> Self {
        let mut hand = Self::start_with(settings, Vec::new(), Now::default());
        hand.persist();
        hand.tell(Event::Discovered { nodes: vec![node(MASTER)] });
        hand.register(MASTER, Role::Master, probe(1, None, "0-1-9"));
        let nodes = [MASTER, STANDBY, SLAVE].map(node).to_vec();
        hand.tell(Event::Discovered { nodes });
        hand.register(STANDBY, Role::Standby, probe(2, Some((MASTER, 1)), "0-1-9"));
        hand.register(SLAVE, Role::Slave, probe(3, Some((MASTER, 1)), "0-1-9"));
        hand.look_at_all("0-1-9");
        hand.take();
        hand
    }

    /// Answers an inspection that finds nothing wrong.
    pub fn inspect(&mut self, address: &str, seen: Probe) {
        self.inspect_with(address, seen, vec![]);
    }

    pub fn inspect_with(&mut self, address: &str, probe: Probe, findings: Vec<Finding>) {
        let begun = self.now;
        let result = Ok(Inspection { findings, ..Inspection::clean(probe) });
        self.tell(Event::Inspected { node: node(address), begun, result });
    }

    /// Asks for a switch to the standby, and answers the looks it asks for.
    pub fn ask_switch(&mut self, dry_run: bool) -> RequestTicket {
        let ticket = self.ask(switch_to(STANDBY, dry_run));
        self.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
        self.inspect(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9"));
        self.inspect(MASTER, probe(1, None, "0-1-9"));
        self.pending
            .retain(|effect| !matches!(effect, Effect::Look { .. } | Effect::Inspect { .. }));
        ticket
    }

    /// The answer to the last request.
    pub fn reply(&mut self) -> Result<Answer, Refusal> {
        self.take_one("reply", |effect| match effect {
            Effect::Reply { answer, .. } => Some(answer.clone()),
            _ => None,
        })
    }

    pub fn refusal(&mut self) -> Reason {
        self.reply().unwrap_err().reason
    }

    /// Asks for something about one node, which is inspected; nothing is looked for beside that.
    pub fn ask_of(&mut self, request: Request, address: &str, seen: Probe) {
        self.ask(request);
        self.inspect(address, seen);
        self.pending
            .retain(|effect| !matches!(effect, Effect::Look { .. } | Effect::Inspect { .. }));
    }

    pub fn state(&self, address: &str) -> String {
        let snapshot = self.engine.snapshot();
        let found = snapshot.nodes.iter().find(|seen| seen.node == node(address));
        found.unwrap().state.to_string()
    }

    pub fn alarms(&self) -> Vec<&'static str> {
        self.engine.snapshot().alarms.iter().map(|alarm| alarm.id.as_str()).collect()
    }

    /// How the last operation ended.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.engine.journal().history().last()?.progress {
            Progress::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Brings a switch up to the freeze having been answered.
    pub fn freeze(&mut self) {
        self.ask_switch(false);
        self.persist();
        self.answer("wait until b:3306", Ok(Observed::Nothing));
        self.answer("wait for what", Ok(Observed::Interrupts(vec![])));
        self.hold();
        self.persist();
        self.answer("freeze a:3306", Ok(Observed::Position(gtids("0-1-12"))));
    }
}
