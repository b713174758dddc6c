//! One configuration searched to its end.

use std::{
    fmt,
    time::{Duration, Instant},
};

use stateright::{Checker, HasDiscoveries, Model};

use crate::{heal::ends_whole, model::Proof, scenario::Scenario, step::Step, verdict::Broken};

/// What came of a search.
#[derive(Debug)]
pub struct Outcome {
    /// States that were generated, the same ones again included.
    pub states: usize,
    /// Different states.
    pub unique: usize,
    /// The longest of the shortest ways to a state, in steps.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// The first thing that was found broken, if anything was.
    pub broken: Option<Counterexample>,
}

/// The way to something broken.
#[derive(Debug)]
pub struct Counterexample {
    /// Which property.
    pub property: &'static str,
    /// What was seen.
    pub seen: String,
    /// A shortest way there.
    pub steps: Vec<Step>,
    /// What happened in the world on that way.
    pub history: Vec<String>,
}

/// Searches every state of a configuration, the nearest first, until all are seen or something is
/// broken.
pub fn prove(scenario: &Scenario, threads: usize) -> Outcome {
    let begun = Instant::now();
    let checker = Proof(*scenario)
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::Any)
        .spawn_bfs()
        .join();
    let broken = checker.discoveries().into_iter().next().map(|(property, path)| {
        let last = path.last_state();
        let seen = match &last.broken {
            Some(broken @ (Broken::Invariant(_) | Broken::Halted(_))) => broken.to_string(),
            None => ends_whole(scenario, last).err().unwrap_or_default(),
        };
        let steps = path.into_actions();
        let history = history(scenario, &steps);
        Counterexample { property, seen, steps, history }
    });
    Outcome {
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: begun.elapsed(),
        broken,
    }
}

/// What the world saw on the way: each step, and what happened in it.
fn history(scenario: &Scenario, steps: &[Step]) -> Vec<String> {
    let proof = Proof(*scenario);
    let Some(mut state) = proof.init_states().pop() else { return Vec::new() };
    let mut lines = Vec::new();
    for step in steps {
        let before = state.world.history().events.len();
        let wanted = match step {
            Step::Carry(place, _) => state.wanted.get(*place).map(|one| brief(&one.effect)),
            Step::Deliver(place) => state.answers.get(*place).map(|one| brief(&one.event)),
            _ => None,
        };
        lines.push(format!("{step:?} {}", wanted.unwrap_or_default()));
        let Some((next, events)) = crate::step::watched(scenario, &state, step) else { break };
        lines.extend(events.iter().skip(before).map(|event| format!("    {event}")));
        state = next;
    }
    lines
}

/// The beginning of a long text.
fn brief(what: &impl fmt::Debug) -> String {
    format!("{what:?}").chars().take(160).collect()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, unique, depth, took, .. } = self;
        write!(f, "{states} | {unique} | {depth} | {:.0} s", took.as_secs_f64())
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "broken: {}\n{}", self.property, self.seen)?;
        self.history.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}
