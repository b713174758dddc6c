//! What goes wrong: with single calls, with servers and links, with the monitor itself.

use mysqlsvc_core::{
    ActionErrorKind, Micros, NodeId, NodeState, Role,
    engine::{Event, NodeSnapshot, Request},
    state::Pause,
    testing::{Applier, CallKind, Cut, Disturbance, Fault, FaultKind, Power, When},
};

use crate::{
    run::{Checked, Happening, Run},
    scenario::Kinds,
};

/// Which kind a strike is of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Crash,
    LosePower,
    Hang,
    CutMonitor,
    CutClients,
    CutServers,
    Applier,
    StopApplier,
    BreakApplier,
    Lock,
    RefuseLogin,
    Deny,
    Errant,
    Purge,
    KillMonitor,
}

fn kinds(on: Kinds) -> Vec<(u64, Kind)> {
    let weight = |on, weight| if on { weight } else { 0 };
    vec![
        (weight(on.crashes, 10), Kind::Crash),
        (weight(on.lost_power, 6), Kind::LosePower),
        (weight(on.hangs, 10), Kind::Hang),
        (weight(on.cuts, 6), Kind::CutMonitor),
        (weight(on.cuts, 3), Kind::CutClients),
        (weight(on.cuts, 6), Kind::CutServers),
        (weight(on.appliers, 6), Kind::Applier),
        (weight(on.appliers, 2), Kind::StopApplier),
        (weight(on.appliers, 2), Kind::BreakApplier),
        (3, Kind::Lock),
        (weight(on.rights, 4), Kind::RefuseLogin),
        (weight(on.rights, 4), Kind::Deny),
        (weight(on.hands, 2), Kind::Errant),
        (weight(on.hands, 2), Kind::Purge),
        (2, Kind::KillMonitor),
    ]
}

/// How long a server that lost its power needs to boot. Whoever saw it whole just before, and opens
/// it just after, opens another than it saw: that no message is on its way for as long as a boot
/// takes is what the engine has to rely on.
const BOOTS: Micros = Micros(3_000_000);

/// Calls that an account may lack the right for.
const DENIED: [CallKind; 6] = [
    CallKind::Freeze,
    CallKind::Thaw,
    CallKind::Open,
    CallKind::Follow,
    CallKind::ForgetSource,
    CallKind::KillClients,
];

impl Run {
    /// Something befalls the cluster, and the next thing will.
    pub fn strikes(&mut self) -> Checked {
        let Some(every) = self.scenario.weather.strike_every.filter(|_| !self.calm) else {
            return Ok(());
        };
        let pause = Micros(self.rng.between(every.0 / 10, every.0 * 2));
        self.after(pause, Happening::Strikes);
        self.counts.faults += 1;
        let kind = self.rng.weighted(&kinds(self.scenario.weather.kinds));
        let node = self.rng.pick(&self.world.nodes()).clone();
        self.strike(kind, &node)
    }

    fn strike(&mut self, kind: Kind, node: &NodeId) -> Checked {
        match kind {
            Kind::Crash => self.crash(Disturbance::Crash(node.clone()), node),
            Kind::LosePower => {
                let lost = usize::try_from(self.rng.between(0, 5)).unwrap();
                self.boots_at.insert(node.clone(), Micros(self.now.0 + BOOTS.0));
                self.crash(Disturbance::LosePower(node.clone(), lost), node);
            }
            Kind::Hang => {
                self.for_a_while(
                    Disturbance::Hang(node.clone()),
                    Disturbance::Resume(node.clone()),
                );
            }
            Kind::CutMonitor => self.cut(Cut::Monitor(node.clone())),
            Kind::CutClients => self.cut(Cut::Clients(node.clone())),
            Kind::CutServers => {
                let other = self.rng.pick(&self.world.nodes()).clone();
                self.cut(Cut::between(node, &other));
            }
            Kind::Applier => {
                let applier = *self.rng.pick(&[Applier::Slow(1), Applier::Held]);
                self.for_a_while(
                    Disturbance::Applier(node.clone(), applier),
                    Disturbance::Applier(node.clone(), Applier::Free),
                );
            }
            // The applier alone, so that MariaDB keeps the relay log (`ha-managers.md` 2a).
            Kind::StopApplier => self.disturb(Disturbance::StopApplier(node.clone())),
            Kind::BreakApplier => self.disturb(Disturbance::BreakApplier(node.clone())),
            Kind::Lock => {
                self.for_a_while(
                    Disturbance::Lock(node.clone()),
                    Disturbance::Unlock(node.clone()),
                );
            }
            Kind::RefuseLogin => self.for_a_while(
                Disturbance::RefuseLogin(node.clone()),
                Disturbance::Admit(node.clone()),
            ),
            Kind::Deny => {
                let right = *self.rng.pick(&DENIED);
                self.for_a_while(
                    Disturbance::Deny(node.clone(), right),
                    Disturbance::Admit(node.clone()),
                );
            }
            Kind::Errant => {
                // What lost its last transactions would give their numbers to others, which nobody
                // can tell apart.
                let lost = !self.scenario.plain && self.boots_at.contains_key(node);
                if !lost && !self.is_writable(node) {
                    self.trace.note(self.now, || format!("an errant row on {node}"));
                    self.world.write_errant(node);
                }
            }
            Kind::Purge => {
                self.trace.note(self.now, || format!("{node} purges its binary log"));
                self.world.purge(node);
            }
            Kind::KillMonitor => return self.kill(),
        }
        Ok(())
    }

    /// Something is made good again, as soon as it can be.
    pub fn mend(&mut self, better: Disturbance) {
        match &better {
            Disturbance::Start(node) if !self.scenario.plain => {
                match self.boots_at.get(node).copied().filter(|at| *at > self.now) {
                    Some(at) => self.queue.put(at, Happening::Mends(better)),
                    None => self.disturb(better),
                }
            }
            _ => self.disturb(better),
        }
    }

    pub fn disturb(&mut self, disturbance: Disturbance) {
        self.world.disturb(disturbance);
    }

    fn cut(&mut self, cut: Cut) {
        self.for_a_while(Disturbance::Cut(cut.clone()), Disturbance::Mend(cut));
    }

    fn for_a_while(&mut self, worse: Disturbance, better: Disturbance) {
        self.disturb(worse);
        let most = *self.rng.pick(&[100_000, 2_000_000, 10_000_000]);
        let time = Micros(self.rng.between(1_000, most));
        self.after(time, Happening::Mends(better));
    }

    fn crash(&mut self, crash: Disturbance, node: &NodeId) {
        self.for_a_while(crash, Disturbance::Start(node.clone()));
        self.look_after(node);
    }

    /// An administrator will open it again, once it is there, if that is right.
    fn look_after(&mut self, node: &NodeId) {
        let time = Micros(self.rng.between(1_000_000, 15_000_000));
        self.after(time, Happening::Tends(node.clone()));
    }

    /// The administrator finds the master read-only, and lets the engine open it, if that is right.
    pub fn tend(&mut self, node: &NodeId) -> Checked {
        // In the calm the runbook does it.
        let Some(process) = self.process.as_ref().filter(|_| !self.calm) else { return Ok(()) };
        let snapshot = process.engine.snapshot();
        let paused = |seen: &NodeSnapshot| {
            seen.node == *node
                && seen.role == Role::Master
                && matches!(seen.state, NodeState::Paused(Pause::Found | Pause::Restarted))
        };
        // The engine asks only servers that answer; this one has been looking at all of them.
        if snapshot.nodes.iter().any(paused) && self.may_be_opened(node) {
            self.ask(Request::Resume { node: node.clone() })?;
        }
        Ok(())
    }

    /// Whether nobody can be written, no statement of ours waits, and it has every row that is
    /// anywhere, received and not applied included.
    pub fn may_be_opened(&self, node: &NodeId) -> bool {
        let servers = self.world.snapshot().servers;
        let Some(own) = servers.get(node).filter(|own| own.power == Power::Up) else {
            return false;
        };
        servers.values().all(|server| {
            (server.power == Power::Down || !server.read_only.is_writable())
                && server.waiting == 0
                && server.rows.is_subset(&own.rows)
                && server.received.is_subset(&own.rows)
        })
    }

    pub fn is_writable(&self, node: &NodeId) -> bool {
        let servers = self.world.snapshot().servers;
        servers.get(node).is_some_and(|server| server.read_only.is_writable())
    }

    /// The next call of the backend may go wrong.
    pub fn meet_a_fault(&mut self, node: &NodeId, changing: bool) {
        let so_many = self.scenario.weather.call;
        let so_many = if changing { so_many * 2 } else { so_many / 4 };
        if self.calm || !self.rng.permille(so_many) {
            return;
        }
        self.counts.faults += 1;
        let place = usize::try_from(self.rng.below(9)).unwrap();
        let kinds = self.scenario.weather.kinds;
        let what = match self.rng.below(9) {
            0 => FaultKind::Fail(ActionErrorKind::Unreachable),
            1 => FaultKind::Fail(ActionErrorKind::Refused),
            2 | 3 => FaultKind::Cut { after: place },
            4 => FaultKind::lost_answer(),
            5 | 6 => FaultKind::Late { statement: place, calls: self.rng.between(1, 12) },
            7 if kinds.crashes => {
                let restarts = self.rng.permille(500);
                self.look_after(node);
                if !restarts {
                    self.mend_later(Disturbance::Start(node.clone()));
                }
                FaultKind::Crash { after: place, restarts }
            }
            8 if kinds.hangs => {
                self.mend_later(Disturbance::Resume(node.clone()));
                FaultKind::Hang { after: place }
            }
            _ => FaultKind::Cut { after: 0 },
        };
        self.trace.note(self.now, || format!("fault: {what:?}"));
        self.world.plan_fault(Fault { when: When::Call(self.next_call()), what });
    }

    fn mend_later(&mut self, better: Disturbance) {
        let time = Micros(self.rng.between(100_000, 10_000_000));
        self.after(time, Happening::Mends(better));
    }

    /// The discovery says which servers there are; at times it fails, or forgets some.
    pub fn discovers(&mut self) -> Checked {
        if !self.calm {
            let pause = Micros(self.rng.between(1_000_000, 10_000_000));
            self.after(pause, Happening::Discovers);
        }
        let mut nodes = self.world.nodes();
        if !self.calm && self.rng.permille(200) {
            nodes.retain(|_| self.rng.permille(500));
        }
        self.tell(Event::Discovered { nodes })
    }
}
