//! How it begins: a registered cluster with data, looked at, of which something was asked.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::FutureExt;
use mysqlsvc_core::{
    Incarnation, Micros, Millis, Now, Role, Settings, Stored, WallTime,
    engine::{Engine, Event, Request, RequestTicket},
    intent::Change,
    journal::{Entry, Journal, Record},
    testing::{Disturbance, History, Rights, World, Writer},
};

use crate::{
    canonical::DAWN,
    carry,
    scenario::{Ask, Scenario},
    state::State,
};

/// What a future of the model says: it never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap_or_else(|| unreachable!("the model answers at once"))
}

/// The limits of the model's cluster. With `max_lag` at nothing, what a replica has is held against
/// the last look at the master that began before, and older looks need not be kept.
pub(crate) fn settings() -> Settings {
    Settings { max_lag: Millis(0), ..Settings::default() }
}

/// An engine for what is durable.
pub(crate) fn start(scenario: &Scenario, store: &[Entry], now: Now) -> Engine {
    let stored = Stored { incarnation: Incarnation(uuid::Uuid::nil()), entries: store.to_vec() };
    Engine::new(settings(), &stored, now)
        .unwrap_or_else(|illegal| unreachable!("what is durable is sound: {illegal}"))
        .with_planner(scenario.planner)
}

/// The state in which the scenario's first request was just asked.
pub(crate) fn begin(scenario: &Scenario) -> State {
    let world =
        World::builder(scenario.flavor).nodes(scenario.nodes).mutual(scenario.mutual).build();
    world.rest_writers(true);
    let clock = Now { monotonic: Micros(DAWN), wall: WallTime(0) };
    let mut state = State {
        engine: start(scenario, &[], clock),
        world,
        store: Arc::default(),
        durable: Journal::default(),
        not_durable: Vec::new(),
        wanted: Vec::new(),
        answers: Vec::new(),
        clock,
        left: scenario.budget,
        asks: scenario.then.to_vec(),
        store_failed: false,
        crashed: false,
        cut_off: BTreeSet::new(),
        broken: None,
    };
    state.take_effects();
    let nodes = state.world.nodes();
    state.tell(Event::Discovered { nodes });
    carry::all(scenario, &mut state);
    register(scenario, &mut state);
    carry::look_at_all(&mut state);
    carry::all(scenario, &mut state);
    let master = state.world.node(1);
    state.world.add_writer(Writer::Routed);
    state.world.add_writer(Writer::Direct { node: master, rights: Rights::Ordinary });
    state.world.run_writers();
    state.world.settle();
    carry::look_at_all(&mut state);
    carry::all(scenario, &mut state);
    for done in scenario.before {
        ask(&mut state, *done);
        carry::all(scenario, &mut state);
        state.world.settle();
        carry::look_at_all(&mut state);
        carry::all(scenario, &mut state);
    }
    forget(&state.world);
    ask(&mut state, scenario.first);
    state
}

/// The operator asks, or what is no request happens.
pub(crate) fn ask(state: &mut State, what: Ask) {
    if let Ask::Crash(number) = what {
        state.crashed = true;
        state.world.disturb(Disturbance::Crash(state.world.node(number)));
    }
    if let Some(request) = what.request(&state.world) {
        ask_for(state, request);
    }
}

fn ask_for(state: &mut State, request: Request) {
    let ticket = RequestTicket(1);
    state.tell(Event::Asked { ticket, who: "operator".to_owned(), request });
}

fn register(scenario: &Scenario, state: &mut State) {
    let roles = [Role::Master, Role::Standby].into_iter().chain(std::iter::repeat(Role::Slave));
    for (number, role) in (1..=scenario.nodes).zip(roles) {
        let node = state.world.node(number);
        ask_for(state, Request::Register { node, role });
        carry::all(scenario, state);
    }
    if scenario.mutual {
        // The replication is there already; here it is written down.
        let record = Record::Changed { change: Change::Mutual { mutual: true }, who: None };
        carry::append(state, &[Entry { at: WallTime(0), record }]);
        carry::restart(scenario, state);
        carry::all(scenario, state);
    }
}

fn forget(world: &World) {
    let kept = crate::verdict::remembered(world.history());
    world.remember_only(History { events: kept.events });
}
