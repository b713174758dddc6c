//! Planted bugs: each is found, by a seed that finds nothing without it.

use mysqlsvc_core::{
    plan::{SwitchPlanner, plan_switch},
    testing::planted::{epoch_not_raised, opened_before_caught_up, without_hold, without_undo},
};

use crate::{
    lies::Lie,
    run::{Broken, run},
    scenario::{Planted, Scenario},
    trace::Trace,
};

/// How many seeds may pass before it is found.
const SEEDS: u64 = 300;

/// The first seed that the bug breaks, and what it breaks.
fn found(planned: Planted) -> Option<(u64, Broken)> {
    (0..SEEDS).find_map(|seed| {
        let scenario = Scenario { planned, ..Scenario::of(seed) };
        let broken = run(scenario, Trace::default()).0.err()?;
        let sound = run(Scenario::of(seed), Trace::default()).0.is_ok();
        sound.then_some((seed, broken))
    })
}

fn found_planner(planner: SwitchPlanner) -> Option<(u64, Broken)> {
    found(Planted { planner, lie: None })
}

fn found_lie(lie: Lie) -> Option<(u64, Broken)> {
    found(Planted { planner: plan_switch, lie: Some(lie) })
}

#[test]
fn planners_with_a_bug_are_found() {
    for (name, planner) in [
        ("without undo", without_undo as SwitchPlanner),
        ("opened before caught up", opened_before_caught_up),
        ("epoch not raised", epoch_not_raised),
        ("without hold", without_hold),
    ] {
        let found = found_planner(planner);
        tell(name, found.as_ref());
        assert!(found.is_some(), "{name} is not found");
    }
}

#[test]
fn a_back_end_that_lies_is_found() {
    for lie in [
        Lie::CaughtUp,
        Lie::Frozen,
        Lie::StalePosition,
        Lie::Thawed,
        Lie::Follows,
        Lie::Durable,
        Lie::Young,
    ] {
        let found = found_lie(lie);
        tell(&format!("{lie:?}"), found.as_ref());
        assert!(found.is_some(), "{lie:?} is not found");
    }
}

#[expect(clippy::disallowed_macros, reason = "a test, not the core")]
fn tell(name: &str, found: Option<&(u64, Broken)>) {
    println!("{name}: {found:?}");
}
