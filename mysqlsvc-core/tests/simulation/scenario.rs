//! What a run is, all of it from one seed.

use std::collections::BTreeSet;

use mysqlsvc_core::{
    Flavor, Micros, Millis, Role, SemiSync, Settings,
    plan::{SwitchPlanner, plan_switch},
    testing::World,
};

use crate::{lies::Lie, rng::Rng};

/// What a run is.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    /// Whether it is [`Self::plain`].
    pub plain: bool,
    pub flavor: Flavor,
    /// The servers' roles in the beginning; the first is the master.
    pub roles: Vec<Role>,
    pub mutual: bool,
    pub settings: Settings,
    /// How many proxies there are; each fails to acknowledge so many times in a thousand.
    pub proxies: u8,
    pub silent: u64,
    /// How long the faults last.
    pub storm: Micros,
    pub weather: Weather,
    /// How many things operators ask for in a storm, at most.
    pub requests: u64,
    pub wishes: BTreeSet<Wish>,
    pub network: Network,
    pub planned: Planted,
}

/// How bad it is: each so many times in a thousand. Each seed has some kinds of faults and not
/// others, for where everything fails at once nothing is ever tried that could go wrong.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// A call to a server meets a fault of its own.
    pub call: u64,
    /// The monitor is killed before or after an effect.
    pub kill: u64,
    /// A write of the store fails.
    pub store: u64,
    /// Between two things that befall servers and links; none: nothing does.
    pub strike_every: Option<Micros>,
    /// Which things.
    pub kinds: Kinds,
}

/// Which kinds of things befall servers and links.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is on or off by itself")]
pub struct Kinds {
    pub crashes: bool,
    pub lost_power: bool,
    pub hangs: bool,
    pub cuts: bool,
    pub appliers: bool,
    pub rights: bool,
    pub hands: bool,
}

/// What operators ask for beside what they ask for in every run. A seed has some and not others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// That a node forgets its source.
    Detach,
    /// That a node stands still, and goes on.
    Pause,
    /// That the monitor does nothing by itself, and does again.
    Maintenance,
    /// That the new master is opened beside the old one.
    Beside,
}

impl Wish {
    const ALL: [Self; 4] = [Self::Detach, Self::Pause, Self::Maintenance, Self::Beside];
}

/// How long a message is on its way.
#[derive(Debug, Clone, Copy)]
pub struct Network {
    pub usual: Micros,
    pub rare: Micros,
    /// How many times in a thousand it is rare.
    pub rarely: u64,
}

/// A bug that is planted, so that it is seen to be found.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    pub planner: SwitchPlanner,
    pub lie: Option<Lie>,
}

impl Planted {
    pub fn nothing() -> Self {
        Self { planner: plan_switch, lie: None }
    }
}

impl Scenario {
    /// What a seed stands for.
    pub fn of(seed: u64) -> Self {
        // Numbers of their own, so that all else is as it is without them.
        let rng = &mut Rng::new(seed ^ 0x0A5C);
        let wishes = Wish::ALL.into_iter().filter(|_| rng.permille(400)).collect();
        let mut scenario = Self { plain: false, wishes, ..Self::plain(seed) };
        scenario.settings.semi_sync = rng
            .permille(250)
            .then(|| SemiSync { wait_for: *rng.pick(&[1, 2]), timeout: Millis(1_000) });
        scenario
    }

    /// The same, but that operators ask only for what they ask for in every run.
    pub fn plain(seed: u64) -> Self {
        let rng = &mut Rng::new(seed);
        let flavor = *rng.pick(&[Flavor::MySql, Flavor::MariaDb]);
        let nodes = rng.between(2, 5);
        let standby = rng.permille(700);
        let second = if standby { Role::Standby } else { Role::Slave };
        let mut roles = vec![Role::Master, second];
        roles.extend((2..nodes).map(|_| Role::Slave));
        Self {
            seed,
            plain: true,
            flavor,
            roles,
            mutual: standby && rng.permille(400),
            settings: settings(rng),
            proxies: u8::try_from(rng.below(4)).unwrap(),
            silent: *rng.pick(&[0, 100, 1_000]),
            storm: Micros(rng.between(5, 30) * 1_000_000),
            weather: Weather::of(rng),
            requests: rng.between(3, 20),
            wishes: BTreeSet::new(),
            network: Network {
                usual: Micros(*rng.pick(&[300, 2_000, 20_000])),
                rare: Micros(*rng.pick(&[20_000, 300_000, 900_000])),
                rarely: *rng.pick(&[0, 10, 100]),
            },
            planned: Planted::nothing(),
        }
    }

    /// What a person names it by; a `p` is for plain.
    pub fn name(&self) -> String {
        let plain = if self.plain { "p" } else { "" };
        format!("{}{plain}", self.seed)
    }

    /// Those of a name, or of a range of them: `17`, `17p`, `17..99`, `17..99p`.
    pub fn named(name: &str) -> Vec<Self> {
        let (numbers, make) = match name.strip_suffix('p') {
            Some(numbers) => (numbers, Self::plain as fn(u64) -> Self),
            None => (name, Self::of as fn(u64) -> Self),
        };
        let number = |text: &str| text.parse::<u64>().unwrap();
        let range = match numbers.split_once("..") {
            Some((first, end)) => number(first)..number(end),
            None => number(numbers)..number(numbers) + 1,
        };
        range.map(make).collect()
    }

    pub fn world(&self) -> World {
        World::builder(self.flavor).nodes(u8::try_from(self.roles.len()).unwrap()).build()
    }
}

impl Weather {
    fn of(rng: &mut Rng) -> Self {
        let kinds = Kinds {
            crashes: rng.permille(500),
            lost_power: rng.permille(200),
            hangs: rng.permille(400),
            cuts: rng.permille(400),
            appliers: rng.permille(400),
            rights: rng.permille(200),
            hands: rng.permille(150),
        };
        let strike_every = *rng.pick(&[None, Some(500), Some(2_000), Some(6_000)]);
        Self {
            call: *rng.pick(&[0, 5, 30, 150]),
            kill: *rng.pick(&[0, 0, 10, 40]),
            store: *rng.pick(&[0, 0, 20, 100]),
            strike_every: strike_every.map(|millis| Micros(millis * 1_000)),
            kinds,
        }
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let settings = Settings {
        max_lag: Millis(*rng.pick(&[200, 1_000, 5_000])),
        reads_without_master: rng.permille(500),
        standby_serves_reads: rng.permille(500),
        ack_timeout: Millis(*rng.pick(&[50, 500])),
        freeze_timeout: Millis(*rng.pick(&[500, 3_000])),
        catch_up_timeout: Millis(*rng.pick(&[300, 5_000])),
        ..Settings::default()
    };
    settings.validate().unwrap();
    settings
}
