//! The real engine over the model cluster, by the thousand: topology, settings, workload, faults
//! and timing all follow from one number.
//!
//! A seed that breaks something is named together with the line that runs it again, with its
//! trace: `SEED=17 cargo nextest run -p mysqlsvc-core --test simulation replay --no-capture`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics says so")]
#![allow(unreachable_pub, reason = "modules of one test binary")]

mod calm;
mod checks;
mod lies;
mod monitor;
mod planted;
mod queue;
mod regressions;
mod requests;
mod rng;
mod run;
mod runbook;
mod scenario;
mod trace;
mod weather;

use std::ops::Range;

use crate::{
    run::{Counts, run},
    scenario::Scenario,
    trace::Trace,
};

/// How many seeds each of the four parts runs.
const SEEDS: u64 = 600;

/// What came of a scenario; if it broke something, what, and how to run it again.
fn hold(scenario: Scenario) -> Result<Counts, String> {
    let name = scenario.name();
    let (ended, _) = run(scenario, Trace::default());
    ended.map_err(|broken| {
        format!(
            "seed {name}: {broken:?}\n  SEED={name} cargo nextest run -p mysqlsvc-core --test \
             simulation replay --no-capture\n"
        )
    })
}

/// Runs them all, and says what came of it.
fn all_hold(seeds: Range<u64>) {
    let mut sum = Counts::default();
    let mut broken = String::new();
    for seed in seeds {
        match hold(Scenario::of(seed)) {
            Ok(counts) => sum += counts,
            Err(what) => broken.push_str(&what),
        }
    }
    assert!(broken.is_empty(), "{broken}");
    #[expect(clippy::disallowed_macros, reason = "a test, not the core")]
    {
        println!("{sum:?}");
    }
    assert!(sum.succeeded > 0 && sum.rolled_back > 0 && sum.lives > SEEDS, "{sum:?}");
}

#[test]
fn every_seed_holds_part_1() {
    all_hold(0..SEEDS);
}

#[test]
fn every_seed_holds_part_2() {
    all_hold(SEEDS..2 * SEEDS);
}

#[test]
fn every_seed_holds_part_3() {
    all_hold(2 * SEEDS..3 * SEEDS);
}

#[test]
fn every_seed_holds_part_4() {
    all_hold(3 * SEEDS..4 * SEEDS);
}

/// Whatever is found can be found again.
#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..200 {
        let once = run(Scenario::of(seed), Trace::kept()).1;
        let again = run(Scenario::of(seed), Trace::kept()).1;
        // Not `assert_eq`, which would print both.
        assert!(once.lines() == again.lines(), "seed {seed} gives two traces");
        assert!(once.lines().lines().count() > 100, "seed {seed}: {}", once.lines());
    }
}

/// The seeds that once failed; or that of the variable `SEED`, with its trace; or those of a range.
#[test]
fn replay() {
    #[expect(clippy::disallowed_methods, reason = "how a person names a seed")]
    let named = std::env::var("SEED").ok();
    let scenarios = match &named {
        Some(name) => Scenario::named(name),
        None => regressions::scenarios(),
    };
    if named.is_none() || scenarios.len() != 1 {
        let broken: String = scenarios.into_iter().filter_map(|it| hold(it).err()).collect();
        assert!(broken.is_empty(), "{broken}");
        return;
    }
    let scenario = scenarios.into_iter().next().unwrap();
    let name = scenario.name();
    let (ended, trace) = run(scenario, Trace::kept());
    #[expect(clippy::disallowed_macros, reason = "a test, not the core")]
    {
        println!("{}", trace.lines());
    }
    assert!(ended.is_ok(), "seed {name}: {ended:?}");
}
