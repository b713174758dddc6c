//! What is played through: clusters, what is asked of them, and how much may go wrong.

use std::fmt;

use mysqlsvc_core::{
    Flavor, NodeId, OperationId, Role,
    engine::Request,
    plan::{Strategy, SwitchPlanner, plan_switch},
    testing::World,
};

/// What an operator asks for, or does. One line here, one in [`Ask::request`], and scenarios can use
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Move the master.
    Switch(u8),
    /// Move the master, availability first.
    AvailabilityFirst(u8),
    /// Let a node replicate.
    Activate(u8),
    /// Let a node forget its source.
    Detach(u8),
    /// Let a node stand still.
    Pause(u8),
    /// Let it go on.
    Resume(u8),
    /// Suspend what the monitor does unasked, or let it do so again.
    Maintenance(bool),
    /// Take a node out of the cluster.
    Unregister(u8),
    /// Take a node in as a slave.
    RegisterSlave(u8),
    /// Give up the operation of that number.
    Abandon(u64),
    /// Nobody is asked: a server crashes, and may boot at any moment after.
    Crash(u8),
}

impl Ask {
    /// What the engine is asked, if it is.
    pub fn request(self, world: &World) -> Option<Request> {
        let node = |number| -> NodeId { world.node(number) };
        Some(match self {
            Self::Switch(to) => Request::switch(node(to)),
            Self::AvailabilityFirst(to) => Request::Switch {
                to: node(to),
                strategy: Strategy::Availability,
                confirm: Some(node(to)),
                dry_run: false,
            },
            Self::Activate(at) => Request::activate(node(at)),
            Self::Detach(at) => Request::Detach { node: node(at) },
            Self::Pause(at) => Request::Pause { node: node(at) },
            Self::Resume(at) => Request::Resume { node: node(at) },
            Self::Maintenance(on) => Request::Maintenance { on },
            Self::Unregister(at) => Request::Unregister { node: node(at) },
            Self::RegisterSlave(at) => Request::Register { node: node(at), role: Role::Slave },
            Self::Abandon(number) => Request::Abandon { operation: OperationId(number) },
            Self::Crash(_) => return None,
        })
    }
}

/// How often what may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Calls that fail, are cut, come late or find the server crashing or hanging; servers that
    /// crash, hang or become unreachable by themselves; writes of the store that fail.
    pub faults: u8,
    /// Deaths of the monitor.
    pub deaths: u8,
    /// Moments at which applications write, between calls or all through one.
    pub writes: u8,
    /// Looks at single nodes that take their time, so that they are stale when they end.
    pub looks: u8,
    /// Relay logs that fill without being applied.
    pub lags: u8,
    /// Times that the engine's next timeout comes.
    pub pauses: u8,
}

impl Budget {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { faults: 0, deaths: 0, writes: 0, looks: 0, lags: 0, pauses: 0 };
}

/// One configuration.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// Of all servers.
    pub flavor: Flavor,
    /// How many servers: master, standby, slaves.
    pub nodes: u8,
    /// Whether the master follows its standby, too.
    pub mutual: bool,
    /// What was asked and done before, and nothing went wrong.
    pub before: &'static [Ask],
    /// What is asked first.
    pub first: Ask,
    /// What is asked at any moment after, each once.
    pub then: &'static [Ask],
    /// What may happen.
    pub budget: Budget,
    /// Who plans switches.
    pub planner: SwitchPlanner,
    /// A planted bug: what was written is said to be durable, and is when the next call is done.
    pub late_store: bool,
}

impl Scenario {
    /// One thing is asked, and nothing goes wrong.
    pub fn new(flavor: Flavor, nodes: u8, first: Ask) -> Self {
        Self {
            name: "",
            flavor,
            nodes,
            mutual: false,
            before: &[],
            first,
            then: &[],
            budget: Budget::NONE,
            planner: plan_switch,
            late_store: false,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {}", self.name, self.flavor, self.budget)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = [
            (self.faults, "faults"),
            (self.deaths, "deaths"),
            (self.writes, "writes"),
            (self.looks, "slow looks"),
            (self.lags, "lags"),
            (self.pauses, "pauses"),
        ];
        let mut separator = "";
        for (number, what) in counted.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{separator}{number} {what}")?;
            separator = ", ";
        }
        Ok(())
    }
}
