//! The plan of a planned switch, availability first (seed 2): somebody can always write.
//!
//! The new master is opened, and takes the traffic, while it still replicates from the old one,
//! which is frozen only then. What clients of the old one write in between reaches the new one as
//! long as it does not contradict what was written there.

use super::{
    Act, OperationKind, Plan, Step, Strategy, SwitchFacts,
    succession::{Succession, caught_up_first},
};
use crate::{Action, Settings, intent::Intent};

/// Moves the master to a standby or a slave of the same cluster: the new one is opened before the
/// old one is frozen. The one exception to invariant 1, and it has to be confirmed.
pub fn plan_availability_first(
    intent: &Intent,
    facts: &SwitchFacts<'_>,
    settings: &Settings,
) -> Plan {
    let succession = Succession::of(intent, facts, settings);
    let mut steps = vec![
        caught_up_first(facts, settings),
        // A lock that a freeze waits for would keep both writable for as long as it is held.
        Step::attempt(
            Action::AwaitQuiet { node: facts.from.clone(), limit: settings.quiet_timeout },
            None,
        ),
        Step::Commit(succession.commit()),
    ];
    steps.push(Step::must(Action::OpenBeside { node: facts.to.clone() }));
    steps.push(Step::must(Action::Freeze {
        node: facts.from.clone(),
        limit: settings.freeze_timeout,
        spare: settings.kill_exclude.clone(),
    }));
    // What was written on the old one meanwhile is to be on the new one, too, if it can.
    steps.push(Step::Must {
        act: Act::CatchUp { node: facts.to.clone(), limit: settings.catch_up_timeout },
        optional: true,
    });
    if !succession.is_mutual() {
        steps.push(Step::should(Action::ForgetSource { node: facts.to.clone() }));
    }
    steps.extend(succession.new_master_waits());
    steps.extend(succession.the_well_follow());
    steps.extend(succession.all_others_follow());
    steps.extend(succession.events_move());
    steps.push(succession.kill());
    Plan {
        kind: OperationKind::Switch,
        from: Some(facts.from.clone()),
        to: facts.to.clone(),
        strategy: Strategy::Availability,
        forecast: None,
        steps,
    }
}
