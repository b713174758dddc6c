//! Effects carried out on the model cluster, well or badly, and their answers.

use std::sync::Arc;

use mysqlsvc_core::{
    Action as Act, Look, Micros, OperationId, ReplicationBackend, StoreError, Tag,
    engine::{Effect, Event},
    journal::Entry,
    testing::{Fault, FaultKind, When, World},
};

use crate::{
    begin::{at_once, start},
    scenario::Scenario,
    state::{Answer, State, Wanted},
    verdict::Broken,
};

/// How an effect is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Nothing goes wrong.
    Well,
    /// Nothing goes wrong, and applications write between any two statements of it.
    Busy,
    /// The call of the backend meets this.
    Faulty(FaultKind),
    /// The store fails; what was to be written may be durable all the same.
    StoreFails {
        /// Whether it is.
        durable: bool,
    },
}

/// Carries one effect out, of those that are wanted.
pub(crate) fn one(scenario: &Scenario, state: &mut State, place: usize, how: &How) {
    let Wanted { effect, begun, .. } = state.wanted.remove(place);
    state.tick();
    let started = state.world.now().monotonic;
    let event = match effect {
        Effect::Publish(route) => {
            state.world.publish(&route);
            None
        }
        Effect::Halt { reason } => {
            if state.store_failed {
                restart(scenario, state);
            } else {
                state.broken = Some(Broken::Halted(reason));
            }
            None
        }
        Effect::Reply { .. } => None,
        Effect::EndCopy { node } => {
            at_once(state.world.end_copy(&node));
            None
        }
        Effect::Persist { ticket, entries } => {
            let result = persist(scenario, state, &entries, how);
            Some(Event::Persisted { ticket, result })
        }
        Effect::Look { node } => {
            let seen = at_once(state.world.look(&node));
            let look = Look { begun, ended: state.tick(), seen };
            Some(Event::Looked { node, look })
        }
        Effect::Inspect { node } => {
            let result = at_once(state.world.inspect(&node));
            Some(Event::Inspected { node, begun, result })
        }
        Effect::Run { call, action, tag } => {
            let result = perform(&state.world, &action, &tag, how);
            if let How::Faulty(FaultKind::Crash { .. }) = how {
                state.crashed = true;
            }
            Some(Event::ActionEnded { call, result })
        }
        Effect::AwaitHold { call, .. } => {
            let acknowledged = vec!["proxy".to_owned()];
            Some(Event::HoldEnded { call, acknowledged, missing: Vec::new() })
        }
    };
    if let Some(event) = event {
        let took = waited(started, state.world.now().monotonic);
        let ready = if took == Micros(0) { begun } else { state.after(millis(took)) };
        state.answers.push(Answer { event, ready });
    }
}

fn perform(
    world: &World,
    action: &Act,
    tag: &Tag,
    how: &How,
) -> Result<mysqlsvc_core::backend::Observed, mysqlsvc_core::ActionError> {
    if let How::Faulty(what) = how {
        world.plan_fault(Fault { when: When::Call(1), what: what.clone() });
    }
    world.rest_writers(*how != How::Busy);
    let result = at_once(world.perform(action, tag));
    world.rest_writers(true);
    result
}

/// How long a call waited, beside the millisecond that the world counts for each.
fn waited(started: Micros, ended: Micros) -> Micros {
    Micros((ended.0 - started.0).saturating_sub(1_000))
}

fn millis(length: Micros) -> mysqlsvc_core::Millis {
    mysqlsvc_core::Millis(length.0.div_ceil(1_000))
}

fn persist(
    scenario: &Scenario,
    state: &mut State,
    entries: &[Entry],
    how: &How,
) -> Result<(), StoreError> {
    match how {
        How::StoreFails { durable } => {
            if *durable {
                append(state, entries);
            }
            state.store_failed = true;
            Err(StoreError::Failed { detail: "disk full".to_owned() })
        }
        _ if scenario.late_store => {
            state.not_durable.extend_from_slice(entries);
            Ok(())
        }
        _ => {
            append(state, entries);
            Ok(())
        }
    }
}

/// Makes entries durable.
pub(crate) fn append(state: &mut State, entries: &[Entry]) {
    for entry in entries {
        if let Err(illegal) = state.durable.apply(entry) {
            state.broken.get_or_insert(Broken::Halted(illegal.to_string()));
        }
    }
    Arc::make_mut(&mut state.store).extend_from_slice(entries);
}

/// The monitor is started again, and knows what is durable.
pub(crate) fn restart(scenario: &Scenario, state: &mut State) {
    let now = state.tick();
    state.wanted.clear();
    state.answers.clear();
    state.not_durable.clear();
    state.store_failed = false;
    state.engine = start(scenario, &state.store, now);
    state.take_effects();
    let nodes = state.nodes();
    state.tell(Event::Discovered { nodes });
}

/// An answer reaches the engine.
pub(crate) fn deliver(state: &mut State, place: usize) {
    let Answer { event, ready } = state.answers.remove(place);
    if ready > state.clock {
        state.wait_until(ready);
    }
    if matches!(event, Event::ActionEnded { .. }) {
        let late = std::mem::take(&mut state.not_durable);
        append(state, &late);
    }
    state.tell(event);
}

/// A look at every node, all at the same moment, and told at once.
pub(crate) fn look_at_all(state: &mut State) {
    let begun = state.tick();
    let seen: Vec<_> =
        state.nodes().into_iter().map(|node| (at_once(state.world.look(&node)), node)).collect();
    let ended = state.tick();
    for (seen, node) in seen {
        state.tell(Event::Looked { node, look: Look { begun, ended, seen } });
    }
}

/// Carries out and tells everything that is under way, in order.
pub(crate) fn all(scenario: &Scenario, state: &mut State) {
    while next(scenario, state) {}
}

/// Carries out or tells what is next, if anything is under way.
pub(crate) fn next(scenario: &Scenario, state: &mut State) -> bool {
    if state.broken.is_some() || state.is_at_rest() {
        return false;
    }
    if state.wanted.is_empty() {
        deliver(state, 0);
    } else {
        one(scenario, state, 0, &How::Well);
    }
    true
}

/// Everything that may go wrong with an effect.
pub(crate) fn faults(state: &State, effect: &Effect) -> Vec<How> {
    match effect {
        Effect::Persist { .. } => {
            vec![How::StoreFails { durable: false }, How::StoreFails { durable: true }]
        }
        Effect::Run { action, .. } => {
            let kinds = FaultKind::every(statements(&state.world, action));
            // A restart is a step of its own, and late means whenever.
            let late = |kind| match kind {
                FaultKind::Late { statement, .. } => {
                    FaultKind::Late { statement, calls: u64::MAX / 2 }
                }
                other => other,
            };
            let restarts = |kind: &FaultKind| {
                matches!(
                    kind,
                    FaultKind::Crash { restarts: true, .. } | FaultKind::Late { calls: 1, .. }
                )
            };
            kinds.into_iter().filter(|kind| !restarts(kind)).map(late).map(How::Faulty).collect()
        }
        _ => Vec::new(),
    }
}

/// How many statements a call has where nothing goes wrong.
fn statements(world: &World, action: &Act) -> usize {
    let trial = world.fork();
    let tag = Tag::new(OperationId(0));
    let _ = at_once(trial.perform(action, &tag));
    trial.calls().last().map_or(0, |call| call.statements)
}
