//! Plans with the mistakes of others, to see that a scenario notices.

pub use mysqlsvc_core::testing::planted::{opened_before_caught_up, without_undo};
use mysqlsvc_core::{
    Action, Settings,
    backend::FollowManner,
    intent::Intent,
    plan::{Act, Plan, Step, SwitchFacts, plan_switch},
};

/// The new master is opened first of all.
pub fn opened_before_frozen(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let open = Act::Server(Action::Open { node: facts.to.clone() });
    first(intent, facts, settings, [open])
}

/// The others follow the new master while the old one still takes writes.
pub fn siblings_moved_first(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let (source, manner) = (facts.to.clone(), FollowManner::Replica);
    let siblings = intent.members.keys().filter(|node| *node != facts.from && *node != facts.to);
    let moved = siblings.map(|node| {
        let (node, source) = (node.clone(), source.clone());
        Act::Server(Action::Follow { node, source, manner, from: None })
    });
    first(intent, facts, settings, moved)
}

/// The old master no longer waits for anybody when it is frozen.
pub fn semi_sync_off_first(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let (node, part) = (facts.from.clone(), mysqlsvc_core::backend::SemiSyncPart::Replica);
    first(intent, facts, settings, [Act::Server(Action::SetSemiSync { node, part })])
}

/// Whoever is registered is waited for.
pub fn waiting_for_everybody(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Plan {
    let acknowledging = intent.replicas().count() - 1;
    plan_switch(intent, &SwitchFacts { acknowledging, ..facts.clone() }, settings)
}

/// Proxies are told only once the old master is frozen.
pub fn hold_after_freeze(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    let hold =
        plan.steps.iter().position(|step| matches!(step, Step::Try { act: Act::Hold { .. }, .. }));
    let hold = hold.expect("it holds");
    plan.steps.swap(hold, hold + 1);
    plan
}

/// The new master is opened without its replication being stopped.
pub fn opened_while_it_replicates(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    for step in &mut plan.steps {
        if let Step::Must { act: Act::Server(action @ Action::Open { .. }), .. } = step {
            *action = Action::Thaw { node: facts.to.clone() };
        }
    }
    plan
}

/// A demoted master goes on from the position that it had when it was a replica last.
pub fn own_position_not_taken_over(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    for step in &mut plan.steps {
        if let Step::Must { act: Act::Server(Action::Follow { node, manner, .. }), .. } = step
            && node == facts.from
        {
            *manner = FollowManner::Mutual;
        }
    }
    plan
}

fn first(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
    acts: impl IntoIterator<Item = Act>,
) -> Plan {
    let mut plan = plan_switch(intent, facts, settings);
    let steps = acts.into_iter().map(|act| Step::Try { act, undo: None });
    plan.steps = steps.chain(plan.steps).collect();
    plan
}
