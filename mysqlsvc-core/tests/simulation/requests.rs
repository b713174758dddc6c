//! What operators ask for: one list, so that a new request is one line.

use mysqlsvc_core::{
    NodeId, OperationId, Role,
    engine::{Answer, Event, Refusal, Request, RequestTicket},
    plan::Strategy,
};

use crate::{
    rng::Rng,
    run::{Broken, Checked, Run},
    scenario::Wish,
    trace::Replied,
};

/// What whoever asks can see.
pub struct Sight<'a> {
    pub nodes: &'a [NodeId],
    pub master: Option<NodeId>,
    pub running: Option<OperationId>,
}

impl Sight<'_> {
    fn any(&self, rng: &mut Rng) -> NodeId {
        rng.pick(self.nodes).clone()
    }

    /// Mostly not the master.
    fn other(&self, rng: &mut Rng) -> NodeId {
        let node = self.any(rng);
        if Some(&node) == self.master.as_ref() { self.any(rng) } else { node }
    }
}

type Make = fn(&Sight<'_>, &mut Rng) -> Request;

/// What is asked for in every run, and how often.
const ALWAYS: &[(u64, Make)] = &[
    (40, |sight, rng| Request::switch(sight.other(rng))),
    (5, |sight, rng| Request::Switch {
        to: sight.any(rng),
        strategy: Strategy::Reliability,
        confirm: None,
        dry_run: true,
    }),
    (20, |sight, rng| Request::activate(sight.any(rng))),
    (10, |sight, rng| {
        let role = *rng.pick(&[Role::Master, Role::Standby, Role::Slave, Role::Slave]);
        Request::Register { node: sight.any(rng), role }
    }),
    (4, |sight, rng| Request::Unregister { node: sight.other(rng) }),
    (1, |sight, rng| Request::Unregister { node: sight.any(rng) }),
    (8, |sight, rng| {
        let operation = sight.running.unwrap_or(OperationId(rng.between(1, 5)));
        Request::Abandon { operation }
    }),
];

/// What is asked for in some runs only.
const SOMETIMES: &[(Wish, u64, Make)] = &[
    (Wish::Detach, 12, |sight, rng| Request::Detach { node: sight.any(rng) }),
    (Wish::Pause, 15, |sight, rng| Request::Pause { node: sight.any(rng) }),
    (Wish::Pause, 20, |sight, rng| Request::Resume { node: sight.any(rng) }),
    (Wish::Maintenance, 6, |_, _| Request::Maintenance { on: true }),
    (Wish::Maintenance, 6, |_, _| Request::Maintenance { on: false }),
    (Wish::Beside, 30, |sight, rng| {
        let (to, strategy) = (sight.other(rng), Strategy::Availability);
        Request::Switch { confirm: Some(to.clone()), to, strategy, dry_run: false }
    }),
];

impl Run {
    /// Somebody asks for something.
    pub fn asks(&mut self) -> Checked {
        let Some(process) = &self.process else { return Ok(()) };
        let journal = process.engine.journal();
        let nodes = self.world.nodes();
        let sight = Sight {
            nodes: &nodes,
            master: journal.intent().master().cloned(),
            running: journal.running().map(|execution| execution.operation),
        };
        let wished = SOMETIMES.iter().filter(|(wish, ..)| self.scenario.wishes.contains(wish));
        let wished = wished.map(|(_, weight, make)| (*weight, *make));
        let requests: Vec<_> = ALWAYS.iter().copied().chain(wished).collect();
        let request = self.rng.weighted(&requests)(&sight, &mut self.rng);
        self.ask(request).map(drop)
    }

    /// Asks the engine for something; the answer comes later.
    pub fn ask(&mut self, request: Request) -> Checked<RequestTicket> {
        self.tickets += 1;
        let ticket = RequestTicket(self.tickets);
        let Some(process) = &mut self.process else { return Ok(ticket) };
        process.asked.insert(ticket, request.clone());
        self.tell(Event::Asked { ticket, who: "operator".to_owned(), request })?;
        Ok(ticket)
    }

    /// A request was answered: once, and to whoever asked.
    pub fn replied(&mut self, ticket: RequestTicket, answer: &Result<Answer, Refusal>) -> Checked {
        let Some(process) = &mut self.process else { return Ok(()) };
        if process.asked.remove(&ticket).is_none() {
            let told = Replied(answer).to_string();
            return Err(Broken::Engine(format!("request {} was answered twice: {told}", ticket.0)));
        }
        self.checks.answers.insert(ticket, answer.clone());
        Ok(())
    }
}
