//! Planted bugs: a property that never fails proves nothing.

use mysqlsvc_core::{
    Action, Flavor, Settings,
    intent::Intent,
    plan::{Act, Plan, Step, SwitchFacts, SwitchPlanner, plan_switch},
};
use mysqlsvc_proof::{
    ACKNOWLEDGED, Ask, Budget, ENDS_WHOLE, FLAVORS, ONE_WRITABLE, ROUTED_WRITABLE, SOUND, Scenario,
    prove,
};

/// How many steps a counterexample has at most: they are the shortest, so they stay readable.
const SHORT: usize = 60;

fn is_found(planner: SwitchPlanner, budget: Budget, properties: &[&str]) {
    for flavor in FLAVORS {
        let scenario = Scenario { planner, budget, ..Scenario::new(flavor, 3, Ask::Switch(2)) };
        found(&scenario, properties);
    }
}

fn found(scenario: &Scenario, properties: &[&str]) {
    let broken = prove(scenario, 2).broken.unwrap_or_else(|| panic!("{scenario}: not found"));
    assert!(properties.contains(&broken.property), "{scenario}: {broken}");
    assert!(broken.steps.len() <= SHORT, "{scenario}: {broken}");
}

#[test]
fn a_plan_without_undo_is_found() {
    fn plan(i: &Intent, f: &SwitchFacts<'_>, s: &Settings) -> Plan {
        let mut plan = plan_switch(i, f, s);
        for step in &mut plan.steps {
            if let Step::Try { undo, .. } = step {
                *undo = None;
            }
        }
        plan
    }
    is_found(plan, Budget { deaths: 1, ..Budget::NONE }, &[ENDS_WHOLE]);
}

#[test]
fn a_switch_that_does_not_catch_up_is_found() {
    fn plan(i: &Intent, f: &SwitchFacts<'_>, s: &Settings) -> Plan {
        let mut plan = plan_switch(i, f, s);
        for step in &mut plan.steps {
            if let Step::Try { act: Act::CatchUp { node, .. }, .. } = step {
                node.clone_from(f.from);
            }
        }
        plan
    }
    let budget = Budget { writes: 1, ..Budget::NONE };
    let sound = Scenario { budget, ..Scenario::new(Flavor::MariaDb, 3, Ask::Switch(2)) };
    found(&Scenario { planner: plan, ..sound }, &[ACKNOWLEDGED]);
}

#[test]
fn an_epoch_that_is_not_raised_is_found() {
    fn plan(i: &Intent, f: &SwitchFacts<'_>, s: &Settings) -> Plan {
        let mut plan = plan_switch(i, f, s);
        for step in &mut plan.steps {
            if let Step::Commit(commit) = step {
                commit.epoch = i.epoch;
            }
        }
        plan
    }
    is_found(plan, Budget::NONE, &[SOUND]);
}

#[test]
fn a_switch_that_opens_before_it_freezes_is_found() {
    fn plan(i: &Intent, f: &SwitchFacts<'_>, s: &Settings) -> Plan {
        let mut plan = plan_switch(i, f, s);
        let act = Act::Server(Action::Open { node: f.to.clone() });
        let undo = Some(Action::Close { node: f.to.clone() });
        plan.steps.insert(2, Step::Try { act, undo });
        plan
    }
    is_found(plan, Budget::NONE, &[ONE_WRITABLE]);
}

#[test]
fn a_switch_that_does_not_hold_is_found() {
    fn plan(i: &Intent, f: &SwitchFacts<'_>, s: &Settings) -> Plan {
        let mut plan = plan_switch(i, f, s);
        plan.steps.retain(|step| !matches!(step, Step::Try { act: Act::Hold { .. }, .. }));
        plan
    }
    is_found(plan, Budget::NONE, &[ROUTED_WRITABLE]);
}

#[test]
fn a_store_that_says_durable_too_early_is_found() {
    let budget = Budget { deaths: 1, ..Budget::NONE };
    let sound = Scenario { budget, ..Scenario::new(Flavor::MySql, 3, Ask::Switch(2)) };
    found(&Scenario { late_store: true, ..sound }, &[ENDS_WHOLE]);
}
