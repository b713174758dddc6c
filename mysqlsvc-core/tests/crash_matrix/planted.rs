//! Planted bugs: a checker that never fires proves nothing.

use mysqlsvc_core::{
    Flavor,
    plan::SwitchPlanner,
    testing::planted::{epoch_not_raised, opened_before_caught_up, without_undo},
};

use crate::{
    FLAVORS, KILLED, befallen, faults,
    run::{Broken, Job, Scenario, run},
};

/// What some crash or some fault makes of the bug.
fn broken(scenario: &Scenario) -> impl Iterator<Item = Broken> {
    let sound = Scenario::new(scenario.flavor, scenario.mutual, scenario.job);
    let effects = run(&sound).map(|report| report.effects).unwrap_or_default();
    let crashes = befallen(effects, &KILLED);
    let crashes = crashes.map(|crash| Scenario { crash: Some(crash), ..scenario.clone() });
    let faults = faults(&sound).into_iter();
    let faults = faults.map(|fault| Scenario { fault: Some(fault), ..scenario.clone() });
    std::iter::once(scenario.clone())
        .chain(crashes)
        .chain(faults)
        .filter_map(|scenario| run(&scenario).err())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether the checker of that invariant sees the bug.
fn is_caught(scenario: &Scenario, invariant: u8) -> bool {
    broken(scenario)
        .any(|broken| matches!(broken, Broken::Invariant(seen) if seen.invariant == invariant))
}

fn planted(flavor: Flavor, planner: SwitchPlanner) -> Scenario {
    Scenario { planner, ..Scenario::new(flavor, false, Job::Switch(2)) }
}

#[test]
fn a_plan_without_undo_is_caught() {
    assert!(FLAVORS.into_iter().all(|flavor| is_caught(&planted(flavor, without_undo), 8)));
}

#[test]
fn opening_before_catching_up_is_caught() {
    let caught = |flavor| is_caught(&planted(flavor, opened_before_caught_up), 3);
    assert!(FLAVORS.into_iter().all(caught));
}

/// The journal itself takes no such commit: the first thing that is decided by it halts.
#[test]
fn an_epoch_that_is_not_raised_is_caught() {
    for flavor in FLAVORS {
        let halted = broken(&planted(flavor, epoch_not_raised))
            .any(|broken| matches!(broken, Broken::Halted(why) if why.contains("epoch")));
        assert!(halted, "{flavor}");
    }
}

#[test]
fn a_record_written_after_its_operation_is_caught() {
    for flavor in FLAVORS {
        let scenario =
            Scenario { late_store: true, ..Scenario::new(flavor, false, Job::Switch(2)) };
        assert!(is_caught(&scenario, 8), "{flavor}");
    }
}
