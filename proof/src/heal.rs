//! Where it ends once nothing more goes wrong: whole (invariants 4 and 8).

use std::collections::BTreeSet;

use mysqlsvc_core::{
    Action, IoThread, Millis, NodeId, ReadOnly, ReplicationBackend, Role, Tag,
    backend::FollowManner,
    engine::{Event, MONITOR},
    journal::{Outcome, Progress, StepStatus},
    plan::{Act, OperationKind, Step},
    testing::{
        Cut, Disturbance, ServerSnapshot,
        invariants::{Goal, acknowledged_rows_are_on, converged},
    },
};

use crate::{
    begin::{ask, at_once},
    carry::{look_at_all, next},
    scenario::{Ask, Scenario},
    state::State,
    verdict,
};

/// In so many rounds, each long enough for the longest pause, everything has come to its end.
const ROUNDS: usize = 40;
/// Longer than any pause after something unasked that failed.
const LONGEST_PAUSE: Millis = Millis(61_000);

/// Whether the operation comes to its end, and the cluster is whole then; why not otherwise.
///
/// What stands still because somebody asked for it has to stand still, and is let go on then.
pub(crate) fn ends_whole(scenario: &Scenario, state: &State) -> Result<(), String> {
    let mut state = state.clone();
    let mut not_yet = None;
    for _ in 0..ROUNDS {
        mend(&mut state);
        look_at_all(&mut state);
        verdict::judge(&mut state);
        while next(scenario, &mut state) {
            verdict::judge(&mut state);
        }
        if let Some(broken) = &state.broken {
            return Err(broken.to_string());
        }
        match state.engine.poll_timeout() {
            Some(until) => {
                state.wait_until(until);
                state.tell(Event::TimedOut);
            }
            None if !state.engine.is_operating() && state.is_at_rest() => {
                if let Some(wish) = stands_still(scenario, &state)? {
                    ask(&mut state, wish);
                    continue;
                }
                match is_whole(&state.clone()) {
                    // A master that restarted is opened again unasked, once all was looked at.
                    Err(why) if state.crashed => {
                        not_yet = Some(why);
                        state.wait_until(state.after(LONGEST_PAUSE));
                    }
                    verdict => return verdict,
                }
            }
            None => {}
        }
    }
    let running = state.engine.journal().running();
    Err(not_yet.unwrap_or_else(|| format!("it does not end: {running:?}")))
}

/// What the operator asks for so that everything goes on, if anything is to stand still by intent;
/// and it does stand still.
fn stands_still(scenario: &Scenario, state: &State) -> Result<Option<Ask>, String> {
    let journal = state.engine.journal();
    let intent = journal.intent();
    if intent.maintenance {
        let mut all = journal.history();
        let unasked = all.find(|operation| operation.who == MONITOR);
        return match unasked.filter(|_| scenario.before.contains(&Ask::Maintenance(true))) {
            Some(unasked) => Err(format!("during maintenance unasked: {}", unasked.operation)),
            None => Ok(Some(Ask::Maintenance(false))),
        };
    }
    let Some(paused) = intent.paused().next() else { return Ok(None) };
    let snapshot = state.world.snapshot();
    let goes_on = |server: &ServerSnapshot| match intent.role(paused) {
        Role::Master => server.read_only == ReadOnly::Off,
        // A replica that boots replicates, paused or not; an alarm says so.
        _ => server.io.is_some_and(|io| io != IoThread::Stopped) && !state.crashed,
    };
    if snapshot.servers.get(paused).is_some_and(goes_on) {
        return Err(format!("{paused} is paused and goes on"));
    }
    let number = (1..=scenario.nodes).find(|number| state.world.node(*number) == *paused);
    Ok(number.map(Ask::Resume))
}

fn mend(state: &mut State) {
    for node in state.nodes() {
        for better in [
            Disturbance::Resume(node.clone()),
            Disturbance::Start(node.clone()),
            Disturbance::Unlock(node.clone()),
            Disturbance::Mend(Cut::Monitor(node.clone())),
        ] {
            state.world.disturb(better);
        }
    }
    state.world.settle();
}

fn is_whole(state: &State) -> Result<(), String> {
    let journal = state.engine.journal();
    let abandoned =
        journal.history().any(|over| over.progress == Progress::Ended(Outcome::Abandoned));
    let Some(master) = journal.intent().master().cloned() else { return Ok(()) };
    if abandoned {
        // It was left where it stood; that it is safe was judged on the way.
        return Ok(());
    }
    if journal.history().any(|over| over.diverged().is_some()) {
        // What was written on both contradicts, and is for the operator to compare.
        let snapshot = state.world.snapshot();
        let open = |(_, server): &(_, &ServerSnapshot)| server.read_only == ReadOnly::Off;
        let open: Vec<_> = snapshot.servers.iter().filter(open).map(|(node, _)| node).collect();
        return if open == [&master] { Ok(()) } else { Err(format!("diverged, open: {open:?}")) };
    }
    let goal = goal(state, master);
    state.world.settle();
    let after = state.world.snapshot();
    converged(&goal, &after)
        .and_then(|()| acknowledged_rows_are_on(&goal.master, &state.world.history(), &after))
        .map_err(|violation| violation.to_string())
}

/// What the cluster is to be by what the journal says, given up things excepted: what was given up
/// on the master itself the operator does now.
fn goal(state: &State, master: NodeId) -> Goal {
    let journal = state.engine.journal();
    let intent = journal.intent();
    let followers = intent.members.keys().filter(|node| **node != master).cloned().collect();
    let mutual = if intent.mutual { intent.standby().cloned() } else { None };
    let mut left_behind = BTreeSet::new();
    for over in journal.history() {
        let done = over.progress == Progress::Ended(Outcome::Succeeded);
        match over.plan.kind {
            OperationKind::Detach if done => {
                left_behind.insert(over.plan.to.clone());
            }
            OperationKind::Activate | OperationKind::Resume if done => {
                left_behind.remove(&over.plan.to);
            }
            _ => {}
        }
        for (planned, record) in over.plan.steps.iter().zip(&over.steps) {
            match (planned, &record.status) {
                (Step::Must { act: Act::Server(action), .. }, StepStatus::Skipped(_)) => {
                    match action {
                        Action::Follow { node, manner: FollowManner::Replica, .. } => {
                            left_behind.insert(node.clone());
                        }
                        given_up => {
                            let tag = Tag::new(over.operation);
                            let _ = at_once(state.world.perform(given_up, &tag));
                        }
                    }
                }
                (
                    Step::Must { act: Act::Server(Action::Follow { node, .. }), .. },
                    StepStatus::Done { .. },
                ) => {
                    left_behind.remove(node);
                }
                (_, StepStatus::Forsaken(error)) => {
                    left_behind.insert(error.node.clone());
                }
                _ => {}
            }
        }
    }
    Goal { master, followers, mutual, left_behind }
}
