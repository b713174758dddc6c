//! The plan of a planned switch, reliability first, by GTID (seed 2; `ha-managers.md` 2b).

use super::{
    Act, OperationKind, Plan, Step, Strategy, SwitchFacts,
    succession::{Succession, caught_up_first},
};
use crate::{Action, Settings, intent::Intent};

/// Makes the plan of a switch. Tests plant bugs by putting another in its place.
pub type SwitchPlanner = fn(&Intent, &SwitchFacts<'_>, &Settings) -> Plan;

/// Moves the master to a standby or a slave of the same cluster: the old one is frozen before the
/// new one is opened.
///
/// Whether this may be done at all is checked before (`Engine`'s admission); a plan is always made.
pub fn plan_switch(intent: &Intent, facts: &SwitchFacts<'_>, settings: &Settings) -> Plan {
    let succession = Succession::of(intent, facts, settings);
    let mut steps = before_pivot(&succession, facts, settings);
    if facts.executed.positions().is_some() {
        stop_at_one_place(intent, facts, settings, &mut steps);
    }
    steps.push(Step::Commit(succession.commit()));
    // Whatever is written from now on is to be on a second server before it is acknowledged.
    steps.extend(succession.new_master_waits());
    steps.push(Step::must(Action::Open { node: facts.to.clone() }));
    steps.extend(succession.the_well_follow());
    if !succession.is_mutual() {
        steps.push(Step::should(Action::ForgetSource { node: facts.to.clone() }));
    }
    steps.push(succession.kill());
    steps.extend(succession.all_others_follow());
    steps.extend(succession.events_resume());
    // A connection that was being made while the route changed may have come after the first pass.
    steps.push(succession.kill());
    Plan {
        kind: OperationKind::Switch,
        from: Some(facts.from.clone()),
        to: facts.to.clone(),
        strategy: Strategy::Reliability,
        forecast: None,
        steps,
    }
}

/// By position, nobody can follow the new master who does not stand exactly where it does: everyone
/// comes to the place at which the old one is frozen. The new master first, who says where that is
/// in its own log.
fn stop_at_one_place(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
    steps: &mut Vec<Step>,
) {
    let others: Vec<_> = Succession::others(intent, facts.to).cloned().collect();
    for node in others.iter().rev() {
        let (node, position) = (node.clone(), facts.executed.clone());
        let limit = settings.max_lag;
        steps.insert(1, Step::attempt(Action::AwaitExecuted { node, position, limit }, None));
    }
    let limit = settings.catch_up_timeout;
    for node in others {
        // The old master writes what it applies as a replica into its own log: whoever still
        // followed it would go on beyond the one place that is known.
        let stop = Action::StopReplication { node: node.clone() };
        let start = Action::StartReplication { node: node.clone() };
        steps.push(Step::Try { act: Act::CatchUp { node, limit }, undo: None });
        steps.push(Step::attempt(stop, Some(start)));
    }
}

fn before_pivot(
    succession: &Succession<'_>,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Vec<Step> {
    let SwitchFacts { from, to, .. } = facts;
    let quiet = Action::AwaitQuiet { node: (*from).clone(), limit: settings.quiet_timeout };
    let freeze = Action::Freeze {
        node: (*from).clone(),
        limit: settings.freeze_timeout,
        spare: settings.kill_exclude.clone(),
    };
    let mut steps = vec![caught_up_first(facts, settings)];
    steps.extend(succession.events_rest());
    steps.extend([
        // What a freeze would wait for, or break, is waited for while everybody still writes.
        Step::attempt(quiet, None),
        Step::Try {
            act: Act::Hold { acknowledge: settings.ack_timeout, limit: settings.hold_timeout },
            undo: None,
        },
        Step::attempt(freeze, Some(Action::Thaw { node: (*from).clone() })),
        Step::Try {
            act: Act::CatchUp { node: (*to).clone(), limit: settings.catch_up_timeout },
            undo: None,
        },
    ]);
    steps
}
