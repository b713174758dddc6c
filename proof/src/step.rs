//! What may happen in a state.

use mysqlsvc_core::{
    IoThread, NodeId, ReadOnly,
    engine::{Effect, Event},
    testing::{
        Cut, Disturbance, Event as WorldEvent, Power, ServerSnapshot, Snapshot, WriteAnswer,
    },
};

use crate::{
    begin,
    carry::{self, How},
    scenario::{Ask, Scenario},
    state::{State, Wanted},
    verdict,
};

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The driver carries out an effect: of those that are wanted, the one at that place.
    Carry(usize, How),
    /// An answer reaches the engine.
    Deliver(usize),
    /// The monitor is killed, and started again.
    Die,
    /// Every server is looked at, now.
    LookAtAll,
    /// A look at a server begins; it ends when its turn comes.
    BeginLook(NodeId),
    /// The operator asks, by the place in what is left to ask.
    Ask(usize),
    /// The engine's next timeout comes.
    Wait,
    /// An application writes one row to a server.
    Write(NodeId),
    /// A replica receives and applies all that its source has.
    Replicate(NodeId),
    /// A replica receives all, and applies nothing.
    Receive(NodeId),
    /// A statement of ours that was late on a server is carried out.
    Late(NodeId),
    /// Something breaks, or is whole again.
    Disturb(Disturbance),
}

/// Everything that may happen.
pub(crate) fn steps(state: &State) -> Vec<Step> {
    let mut steps = Vec::new();
    if state.broken.is_some() {
        return steps;
    }
    carrying(state, &mut steps);
    if state.left.deaths > 0 {
        steps.push(Step::Die);
    }
    // The driver publishes, and stops, before it tells the engine anything more.
    let at_once = state.wanted.iter().any(|wanted| is_at_once(&wanted.effect));
    if !at_once {
        telling(state, &mut steps);
    }
    // What happens to servers and what the engine is told are independent: neither changes what the
    // other reads, nor whether it can come. So in every run the telling may be moved to the front,
    // and it ends where it ended. What the properties read, servers and published routes, telling
    // does not touch: between it and the publishing that it leads to anything may happen. A look
    // that begins before an answer is told and sees what happened after it is no exception: its
    // beginning and its sight are two steps.
    if at_once || state.answers.is_empty() {
        happening(state, &mut steps);
    }
    steps
}

fn is_at_once(effect: &Effect) -> bool {
    matches!(effect, Effect::Publish(_) | Effect::Halt { .. })
}

fn carrying(state: &State, steps: &mut Vec<Step>) {
    let mut published = false;
    for (place, Wanted { effect, .. }) in state.wanted.iter().enumerate() {
        // In order with each other.
        if is_at_once(effect) && std::mem::replace(&mut published, true) {
            continue;
        }
        steps.push(Step::Carry(place, How::Well));
        if state.left.faults > 0 {
            let faults = carry::faults(state, effect);
            steps.extend(faults.into_iter().map(|how| Step::Carry(place, how)));
        }
        if state.left.writes > 0 && matches!(effect, Effect::Run { .. }) {
            steps.push(Step::Carry(place, How::Busy));
        }
    }
}

fn telling(state: &State, steps: &mut Vec<Step>) {
    steps.extend((0..state.answers.len()).map(Step::Deliver));
    if !state.awaits_look() {
        steps.push(Step::LookAtAll);
    }
    if state.left.looks > 0 {
        steps.extend(state.nodes().into_iter().map(Step::BeginLook));
    }
    steps.extend((0..state.asks.len()).map(Step::Ask));
    if state.left.pauses > 0 && state.engine.poll_timeout().is_some() {
        steps.push(Step::Wait);
    }
}

fn happening(state: &State, steps: &mut Vec<Step>) {
    let snapshot = state.world.snapshot();
    for (node, server) in &snapshot.servers {
        let cut = Cut::Monitor(node.clone());
        if state.left.writes > 0 && server.read_only == ReadOnly::Off {
            steps.push(Step::Write(node.clone()));
        }
        if may_replicate(server, &snapshot) {
            steps.push(Step::Replicate(node.clone()));
            if state.left.lags > 0 {
                steps.push(Step::Receive(node.clone()));
            }
        }
        if server.waiting > 0 {
            steps.push(Step::Late(node.clone()));
        }
        if state.cut_off.contains(node) {
            steps.push(Step::Disturb(Disturbance::Mend(cut.clone())));
        }
        match server.power {
            Power::Down => steps.push(Step::Disturb(Disturbance::Start(node.clone()))),
            Power::Hung => steps.push(Step::Disturb(Disturbance::Resume(node.clone()))),
            Power::Up if state.left.faults > 0 => {
                let broken = [
                    Disturbance::Cut(cut),
                    Disturbance::Crash(node.clone()),
                    Disturbance::Hang(node.clone()),
                ];
                steps.extend(broken.map(Step::Disturb));
            }
            Power::Up => {}
        }
    }
}

/// Whether anything may come to a replica, or be found missing at its source: not where both have
/// the same and all is applied.
fn may_replicate(server: &ServerSnapshot, snapshot: &Snapshot) -> bool {
    let source = server.source.as_ref().and_then(|source| snapshot.servers.get(source));
    let differs = source.is_some_and(|source| source.executed != server.executed);
    server.unapplied > 0 || (server.io == Some(IoThread::Running) && differs)
}

/// The state after a step; none where nothing happens.
pub(crate) fn after(scenario: &Scenario, before: &State, step: &Step) -> Option<State> {
    let mut state = before.clone();
    if take(scenario, &mut state, step) {
        verdict::judge(&mut state);
        Some(state)
    } else {
        None
    }
}

/// The same, with what happened in the world.
pub(crate) fn watched(
    scenario: &Scenario,
    before: &State,
    step: &Step,
) -> Option<(State, Vec<WorldEvent>)> {
    let mut state = before.clone();
    let happens = take(scenario, &mut state, step);
    let events = state.world.history().events;
    verdict::judge(&mut state);
    happens.then_some((state, events))
}

/// Whether it happens at all.
fn take(scenario: &Scenario, state: &mut State, step: &Step) -> bool {
    match step {
        Step::Carry(place, how) => {
            spend(state, how);
            carry::one(scenario, state, *place, how);
        }
        Step::Deliver(place) => carry::deliver(state, *place),
        Step::Die => {
            state.left.deaths -= 1;
            carry::restart(scenario, state);
        }
        Step::LookAtAll => carry::look_at_all(state),
        Step::BeginLook(node) => {
            state.left.looks -= 1;
            let begun = state.tick();
            let effect = Effect::Look { node: node.clone() };
            state.wanted.push(Wanted { effect, begun, slow: true });
        }
        Step::Ask(place) => {
            let ask: Ask = state.asks.remove(*place);
            begin::ask(state, ask);
        }
        Step::Wait => {
            let Some(until) = state.engine.poll_timeout() else { return false };
            state.left.pauses -= 1;
            state.wait_until(until);
            state.tell(Event::TimedOut);
        }
        Step::Write(node) => {
            state.left.writes -= 1;
            return matches!(state.world.client_write(node), WriteAnswer::Acknowledged(_));
        }
        Step::Replicate(node) => {
            state.world.receive(node, usize::MAX);
            state.world.apply(node, usize::MAX);
        }
        Step::Receive(node) => {
            state.left.lags -= 1;
            return state.world.receive(node, usize::MAX) > 0;
        }
        Step::Late(node) => state.world.deliver_late(node),
        Step::Disturb(disturbance) => disturb(state, disturbance),
    }
    true
}

fn spend(state: &mut State, how: &How) {
    match how {
        How::Well => {}
        How::Busy => state.left.writes -= 1,
        How::Faulty(_) | How::StoreFails { .. } => state.left.faults -= 1,
    }
}

fn disturb(state: &mut State, disturbance: &Disturbance) {
    match disturbance {
        Disturbance::Cut(Cut::Monitor(node)) => {
            state.left.faults -= 1;
            state.cut_off.insert(node.clone());
        }
        Disturbance::Mend(Cut::Monitor(node)) => {
            state.cut_off.remove(node);
        }
        Disturbance::Crash(_) => {
            state.left.faults -= 1;
            state.crashed = true;
        }
        Disturbance::Hang(_) => state.left.faults -= 1,
        _ => {}
    }
    state.world.disturb(disturbance.clone());
}
