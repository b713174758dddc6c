//! The model that `stateright` searches.

use stateright::{Model, Property};

use crate::{
    begin::begin,
    heal::ends_whole,
    scenario::Scenario,
    state::State,
    step::{Step, after, steps},
    verdict::Broken,
};

/// One configuration, as a model: every state that can be reached is checked.
#[derive(Clone)]
pub struct Proof(pub Scenario);

impl Model for Proof {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![begin(&self.0)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        actions.extend(steps(state));
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        after(&self.0, before, &step)
    }

    fn format_action(&self, step: &Step) -> String {
        format!("{step:?}")
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_WRITABLE, |_, state| keeps(state, 1)),
            Property::always(ROUTED_WRITABLE, |_, state| keeps(state, 2)),
            Property::always(ACKNOWLEDGED, |_, state| keeps(state, 3)),
            Property::always(LAST_COPY, |_, state| keeps(state, 5)),
            Property::always(EPOCHS, |_, state| keeps(state, 6)),
            Property::always(SOUND, |_, state: &State| {
                !matches!(state.broken, Some(Broken::Halted(_)))
            }),
            Property::always(ENDS_WHOLE, |proof: &Self, state: &State| {
                state.broken.is_some() || !state.is_at_rest() || ends_whole(&proof.0, state).is_ok()
            }),
        ]
    }
}

/// Invariant 1.
pub const ONE_WRITABLE: &str = "at most one server is writable";
/// Invariant 2.
pub const ROUTED_WRITABLE: &str = "under an open route only its master is writable";
/// Invariant 3.
pub const ACKNOWLEDGED: &str = "who takes writes has everything that was acknowledged";
/// Invariant 5.
pub const LAST_COPY: &str = "no last copy is erased";
/// Invariant 6.
pub const EPOCHS: &str = "epochs grow";
/// The journal takes every record, and the engine never stops but for the store.
pub const SOUND: &str = "the journal is sound";
/// Invariants 4 and 8.
pub const ENDS_WHOLE: &str = "once nothing more goes wrong it ends whole";

fn keeps(state: &State, invariant: u8) -> bool {
    match &state.broken {
        Some(Broken::Invariant(violation)) => violation.invariant != invariant,
        _ => true,
    }
}
