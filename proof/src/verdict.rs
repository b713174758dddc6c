//! What must hold in every state, by the checkers that every other test uses, too.

use std::{collections::BTreeSet, fmt};

use mysqlsvc_core::{
    Action, Epoch, NodeState, RouteNode,
    journal::{Execution, Journal, Progress},
    plan::{Step, Strategy},
    testing::{
        Event, History,
        invariants::{
            Violation, acknowledged_rows_are_on, always, epochs_grow, no_last_copy_erased,
        },
    },
};

use crate::state::State;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// An invariant.
    Invariant(Violation),
    /// The engine stopped, and not for the store.
    Halted(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invariant(violation) => violation.fmt(f),
            Self::Halted(reason) => write!(f, "halted: {reason}"),
        }
    }
}

/// Reads what happened since the last state, and cuts the history to what later checks need.
pub(crate) fn judge(state: &mut State) {
    let history = state.world.history();
    let journal = state.engine.journal();
    let verdict = if journal.running().is_some_and(may_be_open_twice) {
        no_last_copy_erased(&history).and_then(|()| epochs_grow(&history))
    } else {
        always(&history)
    };
    let verdict = match verdict {
        Ok(()) if !may_lack(journal) => writable_have_everything(state, &history),
        verdict => verdict,
    };
    if let Err(violation) = verdict {
        state.broken.get_or_insert(Broken::Invariant(violation));
        return;
    }
    state.world.remember_only(remembered(history));
}

/// The one exception to invariants 1 and 2: from the opening of the new master to the freeze of the
/// old one, availability first.
fn may_be_open_twice(running: &Execution) -> bool {
    let freezes = |step: &Step| matches!(step.action(), Some(Action::Freeze { .. }));
    let freeze = running.plan.steps.iter().position(freezes);
    let before_freeze = match running.progress {
        Progress::Forward { next, .. } => freeze.is_some_and(|freeze| next <= freeze),
        Progress::Unwinding { .. } | Progress::Ended(_) => false,
    };
    is_availability_first(running) && before_freeze
}

/// The one exception to invariant 3: what was written on the old master then, until the new one has
/// taken it over, and for good where it could not.
fn may_lack(journal: &Journal) -> bool {
    journal.running().is_some_and(is_availability_first)
        || journal.history().any(|over| over.diverged().is_some())
}

fn is_availability_first(execution: &Execution) -> bool {
    execution.is_committed() && execution.plan.strategy == Strategy::Availability
}

/// Invariant 3 at every moment: whoever takes writes has every row that was acknowledged.
fn writable_have_everything(state: &State, history: &History) -> Result<(), Violation> {
    let writable = history.events.iter().rev().find_map(|event| match event {
        Event::Writable(nodes) => Some(nodes),
        _ => None,
    });
    let Some(writable) = writable.filter(|nodes| !nodes.is_empty()) else { return Ok(()) };
    let snapshot = state.world.snapshot();
    writable.iter().try_for_each(|node| acknowledged_rows_are_on(node, history, &snapshot))
}

/// The part of a history on which what the checkers say of its future depends: the last route and
/// who is writable under it, the master of each epoch, what was acknowledged. A checker that was
/// content with the whole says of the whole and any future what it says of this part and that
/// future.
pub(crate) fn remembered(history: History) -> History {
    let (mut masters, mut rest) = (Vec::new(), Vec::new());
    let (mut last, mut writable) = (None, None);
    let mut epochs: BTreeSet<Epoch> = BTreeSet::new();
    for event in history.events {
        match event {
            Event::Published(route) => {
                if let Some(master) = &route.master
                    && epochs.insert(route.epoch)
                {
                    let master = RouteNode { node: master.node.clone(), state: NodeState::Ok };
                    let mut first = route.clone();
                    (first.master, first.slaves) = (Some(master), Vec::new());
                    masters.push(Event::Published(first));
                }
                last = Some(Event::Published(route));
            }
            Event::Writable(_) => writable = Some(event),
            Event::Acknowledged { .. } => rest.push(event),
            _ => {}
        }
    }
    // The last route alone when it is the first of its epoch: one place, one route.
    let same_place = |one: &Event| match (one, &last) {
        (Event::Published(one), Some(Event::Published(last))) => {
            (one.epoch, one.version) == (last.epoch, last.version)
        }
        _ => false,
    };
    masters.retain(|one| !same_place(one));
    History { events: masters.into_iter().chain(last).chain(writable).chain(rest).collect() }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::{
        Flavor, Identity,
        testing::{ErasedTransaction, Erasure, TransactionId},
    };

    use super::*;
    use crate::{Ask, Scenario, begin::begin};

    /// No plan can be made to erase a last copy, for the guard stands in the backend: here it is
    /// said to have happened.
    #[test]
    fn an_erased_last_copy_breaks_a_state() {
        let mut state = begin(&Scenario::new(Flavor::MySql, 3, Ask::Switch(2)));
        let origin = Identity { server_id: 1, server_uuid: None };
        let lost =
            ErasedTransaction { id: TransactionId { origin, number: 1 }, held_by: BTreeSet::new() };
        let erasure = Erasure {
            node: state.world.node(2),
            statement: Some("RESET REPLICA ALL".to_owned()),
            transactions: vec![lost],
        };
        let mut history = state.world.history();
        history.events.push(Event::Erased(erasure));
        state.world.remember_only(history);
        judge(&mut state);
        let invariant = match &state.broken {
            Some(Broken::Invariant(violation)) => violation.invariant,
            other => panic!("{other:?}"),
        };
        assert_eq!(invariant, 5);
    }

    /// Cutting a history changes no later verdict: tried on every cut of one with everything in it.
    #[test]
    fn what_is_remembered_is_all_that_matters() {
        let world = mysqlsvc_core::testing::World::new(Flavor::MariaDb, 3);
        let mut state = begin(&Scenario::new(Flavor::MariaDb, 3, Ask::Switch(2)));
        let scenario = Scenario::new(Flavor::MariaDb, 3, Ask::Switch(2));
        state.world.client_write(&world.node(1));
        crate::carry::all(&scenario, &mut state);
        let whole = state.world.history();
        assert!(whole.events.len() > 20, "{whole}");
        let mut worse = whole.clone();
        worse.events.push(Event::Writable([world.node(1), world.node(2)].into()));
        for (events, sound) in [(whole.events, true), (worse.events, false)] {
            for cut in 0..events.len() {
                let before = History { events: events[..cut].to_vec() };
                let mut rest = remembered(before).events;
                rest.extend_from_slice(&events[cut..]);
                assert_eq!(always(&History { events: rest }).is_ok(), sound, "{cut}");
            }
        }
    }
}
