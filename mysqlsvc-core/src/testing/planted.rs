//! Planners with a bug each: a checker that never fires proves nothing.

use crate::{
    Settings,
    intent::Intent,
    plan::{Act, Plan, Step, SwitchFacts, plan_switch},
};

/// Nothing that was tried is taken back.
pub fn without_undo(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    for step in &mut plan.steps {
        if let Step::Try { undo, .. } = step {
            *undo = None;
        }
    }
    plan
}

/// The wrong server is waited for: the old master has it all, of course.
pub fn opened_before_caught_up(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    for step in &mut plan.steps {
        if let Step::Try { act: Act::CatchUp { node, .. }, .. } = step {
            node.clone_from(facts.from);
        }
    }
    plan
}

/// The new master has the old one's epoch.
pub fn epoch_not_raised(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    for step in &mut plan.steps {
        if let Step::Commit(commit) = step {
            commit.epoch = intent.epoch;
        }
    }
    plan
}

/// The proxies are never asked to hold, so that the old route is open while the master moves.
pub fn without_hold(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    plan.steps.retain(|step| !matches!(step, Step::Try { act: Act::Hold { .. }, .. }));
    plan
}
