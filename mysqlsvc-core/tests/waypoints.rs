//! Which places in different logs are the same, and where a server goes on: checked on servers
//! whose logs are lists of what they executed, through whatever happens to a cluster.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use mysqlsvc_core::{
    gtid::{Coordinate, PositionSet},
    intent::{Change, Intent, OwnLog, Waypoint, closed, complete, start},
};
use proptest::{prelude::*, test_runner::RngSeed};
use uuid::Uuid;

const SERVERS: usize = 4;

#[derive(Debug, Clone)]
enum Happening {
    /// The master writes so much.
    Write(usize),
    /// A replica executes at most so much of its source's log.
    Execute(usize, usize),
    /// This one becomes the master. Those of the set stand still meanwhile.
    Switch(usize, [bool; SERVERS]),
    Detach(usize),
    /// To the master, wherever it is known to stand.
    Activate(usize),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        2 => (1_usize..4).prop_map(Happening::Write),
        3 => (0..SERVERS, 1_usize..4).prop_map(|(node, most)| Happening::Execute(node, most)),
        2 => (0..SERVERS, any::<[bool; SERVERS]>())
            .prop_map(|(node, still)| Happening::Switch(node, still)),
        1 => (0..SERVERS).prop_map(Happening::Detach),
        2 => (0..SERVERS).prop_map(Happening::Activate),
    ];
    proptest::collection::vec(one, 0..60)
}

/// What a server has executed, in order, and whom it follows from where.
#[derive(Debug, Clone, Default)]
struct Server {
    log: Vec<u32>,
    follows: Option<(usize, usize)>,
}

#[derive(Debug)]
struct World {
    servers: [Server; SERVERS],
    master: usize,
    intent: Intent,
    written: u32,
    /// How often somebody was told where to go on, and how often nobody knew.
    started: usize,
}

fn uuid(server: usize) -> Uuid {
    Uuid::from_u128(1 + server as u128)
}

fn place(index: usize) -> Coordinate {
    format!("binlog.000001:{}", 4 + index).parse().unwrap()
}

fn index(at: &Coordinate) -> usize {
    usize::try_from(at.offset).unwrap() - 4
}

impl World {
    fn new() -> Self {
        let mut servers: [Server; SERVERS] = Default::default();
        for server in &mut servers[1..] {
            server.follows = Some((0, 0));
        }
        Self { servers, master: 0, intent: Intent::default(), written: 0, started: 0 }
    }

    fn end(&self, server: usize) -> Coordinate {
        place(self.servers[server].log.len())
    }

    fn executed(&self, server: usize) -> PositionSet {
        let follows = self.servers[server].follows;
        let raw = follows.map(|(source, done)| PositionSet::of(uuid(source), &place(done)));
        let own = match follows {
            _ if server == self.master => OwnLog::Leads,
            None => OwnLog::Stands,
            Some(_) => OwnLog::Follows,
        };
        let (at, raw) = (self.end(server), raw.unwrap_or_default());
        complete(&self.intent.waypoints, uuid(server), own, &at, &raw)
    }

    fn content(&self, server: usize) -> BTreeSet<u32> {
        self.servers[server].log.iter().copied().collect()
    }

    fn execute(&mut self, server: usize, most: usize) {
        let Some((source, done)) = self.servers[server].follows else { return };
        // Who follows somebody who is not the master any more stands still.
        if source != self.master {
            return;
        }
        let next: Vec<u32> =
            self.servers[source].log.iter().skip(done).take(most).copied().collect();
        for transaction in &next {
            assert!(!self.servers[server].log.contains(transaction), "executed twice: {self:#?}");
        }
        self.servers[server].follows = Some((source, done + next.len()));
        self.servers[server].log.extend(next);
    }

    fn pass(&mut self, server: usize, holds: &PositionSet) {
        let waypoint =
            Waypoint { server: uuid(server), at: self.end(server), holds: holds.clone() };
        let node = format!("s{server}:1").parse().unwrap();
        self.intent.apply(&Change::Placed { node, waypoint });
    }

    /// Where a server goes on is where the rest of the log is exactly what it lacks.
    fn follow_master(&mut self, server: usize) -> bool {
        let executed = self.executed(server);
        let Some(at) = start(&self.intent.waypoints, &executed, uuid(self.master)) else {
            return false;
        };
        let before: BTreeSet<u32> =
            self.servers[self.master].log[..index(&at)].iter().copied().collect();
        assert_eq!(before, self.content(server), "{server} at {at}: {self:#?}");
        self.servers[server].follows = Some((self.master, index(&at)));
        self.started += 1;
        true
    }

    fn switch(&mut self, to: usize, still: [bool; SERVERS]) {
        let old = self.master;
        let follows = |world: &Self, node: usize| {
            world.servers[node].follows.is_some_and(|(source, _)| source == old)
        };
        if to == old || !follows(self, to) {
            return;
        }
        let brought: Vec<usize> = (0..SERVERS)
            .filter(|node| *node == to || (*node != old && !still[*node] && follows(self, *node)))
            .collect();
        for node in &brought {
            self.execute(*node, usize::MAX);
        }
        let frozen = PositionSet::of(uuid(old), &self.end(old));
        let held = closed(&self.intent.waypoints, &frozen);
        self.pass(old, &held);
        self.pass(to, &held);
        self.master = to;
        self.servers[to].follows = None;
        for node in brought.into_iter().chain([old]).filter(|node| *node != to) {
            assert!(self.follow_master(node), "{node} stood at the place: {self:#?}");
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Write(count) => {
                for _ in 0..*count {
                    self.written += 1;
                    self.servers[self.master].log.push(self.written);
                }
            }
            Happening::Execute(node, most) => self.execute(*node, *most),
            Happening::Switch(to, still) => self.switch(*to, *still),
            Happening::Detach(node) if *node != self.master => {
                let holds = self.executed(*node);
                self.pass(*node, &holds);
                self.servers[*node].follows = None;
            }
            Happening::Activate(node) if *node != self.master => {
                let follows = self.servers[*node].follows;
                if follows.is_none_or(|(source, _)| source != self.master) {
                    self.follow_master(*node);
                }
            }
            Happening::Detach(_) | Happening::Activate(_) => {}
        }
    }
}

fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x706f_7369),
        failure_persistence: None,
        cases: 2_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn whatever_happens_nothing_comes_twice_and_nothing_is_passed_over(all in happenings()) {
        let mut world = World::new();
        for happening in &all {
            let before: Vec<_> = (0..SERVERS).map(|node| world.executed(node)).collect();
            world.happen(happening);
            for (node, before) in before.iter().enumerate() {
                let now = world.executed(node);
                prop_assert!(now.contains(before), "{node} went back from {before} to {now}");
            }
            for one in 0..SERVERS {
                for other in 0..SERVERS {
                    // What the sets say is so.
                    if world.executed(one).contains(&world.executed(other)) {
                        prop_assert!(world.content(one).is_superset(&world.content(other)));
                    }
                }
            }
        }
    }
}

/// Else the law above would hold of a cluster in which nothing is ever known.
#[test]
fn a_detached_server_is_taken_up_after_a_switch_and_a_late_one_is_not() {
    let mut world = World::new();
    let all = [
        Happening::Write(3),
        Happening::Execute(2, 1),
        Happening::Execute(3, 3),
        Happening::Detach(3),
        Happening::Switch(1, [false, false, true, false]),
        Happening::Write(2),
        Happening::Activate(3),
        Happening::Activate(2),
    ];
    for happening in &all {
        world.happen(happening);
    }
    assert_eq!(world.servers[3].follows, Some((1, 3)), "it stood where everybody did");
    assert_eq!(world.servers[2].follows, Some((0, 1)), "it lacks what nobody knows a place of");
    assert_eq!(world.servers[0].follows, Some((1, 3)));
    assert_eq!(world.started, 2);
}

#[test]
fn a_log_that_was_reset_makes_its_earlier_places_void() {
    let mut intent = Intent::default();
    let node: mysqlsvc_core::NodeId = "a:1".parse().unwrap();
    for (at, upto) in [(50, 7), (10, 9)] {
        let holds = PositionSet::of(uuid(1), &place(upto));
        let waypoint = Waypoint { server: uuid(0), at: place(at), holds };
        intent.apply(&Change::Placed { node: node.clone(), waypoint });
    }
    assert_eq!(intent.waypoints.len(), 1);
    let known = intent.known_place(uuid(0));
    assert_eq!(known, PositionSet::of(uuid(0), &place(10)));
}
