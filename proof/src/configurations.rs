//! The configurations that are proved. A new request or a new shape is one line in [`CASES`].

use mysqlsvc_core::Flavor;

use crate::scenario::{Ask, Budget, Scenario};

/// Both families of servers.
pub const FLAVORS: [Flavor; 2] = [Flavor::MySql, Flavor::MariaDb];

/// What is played through, whatever goes wrong meanwhile.
struct Case {
    name: &'static str,
    /// Master, standby, slaves.
    nodes: u8,
    /// Whether the master follows the standby, too.
    mutual: bool,
    /// What was asked and done before.
    before: &'static [Ask],
    /// What is asked first.
    first: Ask,
    /// What is asked at any moment after.
    then: &'static [Ask],
    /// What may go wrong in the full bound.
    budgets: &'static [&'static [Budget]],
    /// What may go wrong in the small bound, if it is in it.
    small: Option<Budget>,
}

/// The plainest of them; the others say how they differ.
const SWITCH: Case = Case {
    name: "switch to the standby",
    nodes: 3,
    mutual: false,
    before: &[],
    first: Ask::Switch(2),
    then: &[],
    budgets: &[&PLAIN, &FAULTY, &BOTH, &LATE],
    small: Some(Budget { deaths: 1, pauses: 1, ..Budget::NONE }),
};

const CASES: [Case; 24] = [
    SWITCH,
    Case {
        name: "switch to a slave, mutual",
        mutual: true,
        first: Ask::Switch(3),
        budgets: &[&PLAIN, &FAULTY, &LATE],
        small: Some(Budget { deaths: 1, ..Budget::NONE }),
        ..SWITCH
    },
    Case { name: "switch to a slave", first: Ask::Switch(3), ..FAULTY_SWITCH },
    Case { name: "switch to the standby, mutual", mutual: true, ..FAULTY_SWITCH },
    Case { name: "switch to the standby, of four", nodes: 4, ..PLAIN_SWITCH },
    Case {
        name: "activate a slave",
        first: Ask::Activate(3),
        before: &[Ask::Detach(3)],
        small: Some(Budget { deaths: 1, ..Budget::NONE }),
        ..FAULTY_SWITCH
    },
    Case { name: "activate the reverse", first: Ask::Activate(1), ..FAULTY_SWITCH },
    Case { name: "switch, and to another", then: &[Ask::Switch(3)], ..PLAIN_SWITCH },
    Case { name: "switch, and back", then: &[Ask::Switch(1)], ..PLAIN_SWITCH },
    Case {
        name: "switch, unregister and register",
        then: &[Ask::Unregister(3), Ask::RegisterSlave(3)],
        ..PLAIN_SWITCH
    },
    Case {
        name: "switch, and abandon",
        then: &[Ask::Abandon(1)],
        small: Some(Budget::NONE),
        ..PLAIN_SWITCH
    },
    Case { name: "pause the master", first: Ask::Pause(1), ..ALONE },
    Case { name: "pause a slave", first: Ask::Pause(3), ..ALONE },
    Case { name: "detach a slave", first: Ask::Detach(3), ..ALONE },
    Case {
        name: "pause the master, and resume it",
        first: Ask::Pause(1),
        then: &[Ask::Resume(1)],
        small: Some(Budget::NONE),
        ..ONE_NODE
    },
    Case {
        name: "pause a slave, and resume it",
        first: Ask::Pause(3),
        then: &[Ask::Resume(3)],
        ..ONE_NODE
    },
    Case {
        name: "pause a slave, switch, resume it",
        before: &[Ask::Pause(3), Ask::Switch(2)],
        first: Ask::Resume(3),
        ..ONE_NODE
    },
    Case {
        name: "detach a slave, and activate it",
        first: Ask::Detach(3),
        then: &[Ask::Activate(3)],
        ..ONE_NODE
    },
    Case {
        name: "detach the master, and activate it",
        mutual: true,
        first: Ask::Detach(1),
        then: &[Ask::Activate(1)],
        ..ONE_NODE
    },
    Case { name: "availability first", first: Ask::AvailabilityFirst(2), ..BOTH_OPEN },
    Case {
        name: "availability first, to a slave, mutual",
        mutual: true,
        first: Ask::AvailabilityFirst(3),
        budgets: &[&PLAIN],
        ..BOTH_OPEN
    },
    Case {
        name: "restart of the master",
        first: Ask::Crash(1),
        budgets: &[&PLAIN, &FAULTY],
        small: Some(Budget { deaths: 1, ..Budget::NONE }),
        ..ONE_NODE
    },
    Case {
        name: "restart of a paused master",
        before: &[Ask::Pause(1)],
        first: Ask::Crash(1),
        then: &[Ask::Resume(1)],
        ..ONE_NODE
    },
    Case {
        name: "restart of the master in maintenance",
        before: &[Ask::Maintenance(true)],
        first: Ask::Crash(1),
        then: &[Ask::Maintenance(false)],
        ..ONE_NODE
    },
];

const FAULTY_SWITCH: Case =
    Case { budgets: &[&PLAIN, &FAULTY], small: Some(Budget::NONE), ..SWITCH };
/// Two operations after each other have too many states for more.
const PLAIN_SWITCH: Case = Case { budgets: &[&DEATHS], small: None, ..SWITCH };

/// What moves no master, and what is asked for after it.
const ONE_NODE: Case = Case { budgets: &[&ONE_DEATH], small: None, ..SWITCH };
/// What moves no master, asked for alone.
const ALONE: Case = Case { budgets: &[&FAULTY], small: None, ..SWITCH };
/// For a while two masters are open, as it was asked for.
const BOTH_OPEN: Case = Case { budgets: &[&PLAIN, &FAULTY, &WRITING], small: None, ..SWITCH };

/// Only the monitor dies, and time passes.
const PLAIN: [Budget; 2] =
    [Budget { deaths: 2, ..Budget::NONE }, Budget { deaths: 1, pauses: 1, ..Budget::NONE }];

/// Only the monitor dies, twice.
const DEATHS: [Budget; 1] = [Budget { deaths: 2, ..Budget::NONE }];

/// It dies once, and time passes.
const ONE_DEATH: [Budget; 1] = [Budget { deaths: 1, pauses: 1, ..Budget::NONE }];

/// Something breaks.
const FAULTY: [Budget; 1] = [Budget { faults: 1, ..Budget::NONE }];

/// Applications write, on both if both are open.
const WRITING: [Budget; 1] = [Budget { writes: 2, pauses: 1, ..Budget::NONE }];

/// Something breaks, and the monitor dies.
const BOTH: [Budget; 1] = [Budget { faults: 1, deaths: 1, ..Budget::NONE }];

/// What is seen, or has come to a replica, is not what is.
const LATE: [Budget; 2] =
    [Budget { writes: 1, lags: 1, ..Budget::NONE }, Budget { looks: 1, ..Budget::NONE }];

/// What runs with every test: seconds.
pub fn small() -> Vec<Scenario> {
    let mut all = Vec::new();
    for case in &CASES {
        let budget = case.small.iter();
        all.extend(budget.flat_map(|budget| FLAVORS.map(|flavor| case.with(flavor, *budget))));
    }
    all
}

/// What `make prove` runs: many minutes.
pub fn full() -> Vec<Scenario> {
    let mut all = Vec::new();
    for case in &CASES {
        for budget in case.budgets.iter().flat_map(|budgets| budgets.iter()) {
            all.extend(FLAVORS.map(|flavor| case.with(flavor, *budget)));
        }
    }
    all
}

impl Case {
    fn with(&self, flavor: Flavor, budget: Budget) -> Scenario {
        Scenario {
            name: self.name,
            mutual: self.mutual,
            before: self.before,
            then: self.then,
            budget,
            ..Scenario::new(flavor, self.nodes, self.first)
        }
    }
}
