//! The beginning and the end of a run, in which nothing goes wrong: a cluster is founded; after the
//! storm everything is mended, the runbook is followed, and the cluster must be whole.

use std::collections::BTreeSet;

use mysqlsvc_core::{
    GtidSet, Micros, NodeId, NodeState, OperationId, Role, SqlThread,
    engine::{Answer, NodeSnapshot, Reason, Refusal, Request},
    journal::{Execution, Outcome, Progress},
    plan::OperationKind,
    state::Trouble,
    testing::{
        Applier, Cut, Disturbance,
        invariants::{Goal, Violation, converged},
    },
};

use crate::run::{Broken, Checked, Run};

/// How long an operation in a mended world may take, in seconds.
const PATIENCE: u64 = 60;
/// How many things the administrator does at most.
const ROUNDS: u32 = 60;

impl Run {
    /// Registers every server in its role.
    pub fn found(&mut self) -> Checked {
        let roles = self.scenario.roles.clone();
        for (node, role) in self.world.nodes().into_iter().zip(roles) {
            self.demand(Request::Register { node, role })?;
        }
        self.until(self.in_seconds(10), Self::is_all_ok)?;
        if self.scenario.mutual {
            self.demand(Request::activate(self.world.node(1)))?;
            self.wait_for_the_end()?;
        }
        Ok(())
    }

    /// Mends the world, lets what is under way end, and follows the runbook.
    pub fn calm_down(&mut self) -> Checked {
        self.mend_all();
        self.discovers()?;
        if self.scenario.weather.kill > 0 && self.rng.permille(500) {
            self.kill()?;
        }
        self.wait_for_the_end()?;
        for _ in 0..ROUNDS {
            // Nothing is judged by what was seen before, nor by what may yet be on its way.
            let max_lag: Micros = self.scenario.settings.max_lag.into();
            let settled = Micros(self.in_seconds(4).0 + max_lag.0);
            self.until(settled, |_| false)?;
            if self.until(self.in_seconds(10), Self::is_whole)? {
                return Ok(());
            }
            self.mend_by_the_book()?;
            self.wait_for_the_end()?;
        }
        Err(Broken::Stuck(format!("the runbook leads nowhere: {}", self.states())))
    }

    fn mend_all(&mut self) {
        self.world.forget_faults();
        let nodes = self.world.nodes();
        for node in &nodes {
            for better in [
                Disturbance::Resume(node.clone()),
                Disturbance::Start(node.clone()),
                Disturbance::Unlock(node.clone()),
                Disturbance::Admit(node.clone()),
                Disturbance::Applier(node.clone(), Applier::Free),
                Disturbance::Mend(Cut::Monitor(node.clone())),
                Disturbance::Mend(Cut::Clients(node.clone())),
            ] {
                self.mend(better);
            }
            for other in &nodes {
                self.disturb(Disturbance::Mend(Cut::between(node, other)));
            }
        }
    }

    /// Waits until no operation is under way. One that cannot go on for a good reason is abandoned.
    pub fn wait_for_the_end(&mut self) -> Checked {
        let idle = |run: &Self| {
            let engine = run.process.as_ref().map(|process| &process.engine);
            engine.is_some_and(|engine| !engine.is_operating())
        };
        let asked =
            |run: &Self| run.process.as_ref().is_some_and(|process| process.asked.is_empty());
        if !self.until(self.in_seconds(PATIENCE), idle)? {
            self.start_the_applier();
        }
        if !self.until(self.in_seconds(PATIENCE), idle)? {
            let Some(execution) = self.process.as_ref().and_then(|p| p.engine.journal().running())
            else {
                return Err(Broken::Stuck("the monitor does not start".to_owned()));
            };
            let execution = execution.clone();
            if !self.is_rightly_stuck(&execution) {
                let states = self.states();
                return Err(Broken::Stuck(format!("{execution:?}; {states}")));
            }
            let states = self.states();
            self.trace.note(self.now, || format!("stuck for a good reason: {states}"));
            self.abandon(execution.operation)?;
        }
        if !self.until(self.in_seconds(PATIENCE), asked)? {
            return self.check_answered();
        }
        Ok(())
    }

    /// A monitor whose store had failed stops when it is given up, and begins anew.
    fn abandon(&mut self, operation: OperationId) -> Checked {
        match self.ask_and_wait(Request::Abandon { operation })? {
            Err(refusal) if refusal.reason == Reason::StoreFailed => self.wait_for_the_end(),
            Err(refusal) => Err(Broken::Stuck(format!("{operation} is not given up: {refusal:?}"))),
            Ok(_) => Ok(()),
        }
    }

    /// Whoever is to become the master cannot catch up while somebody has stopped its applier, as the
    /// operation says.
    fn start_the_applier(&mut self) {
        let running = self.process.as_ref().and_then(|p| p.engine.journal().running());
        let Some(to) = running.map(|execution| execution.plan.to.clone()) else { return };
        if self.world.snapshot().servers[&to].sql == Some(SqlThread::Stopped) {
            self.disturb(Disturbance::StartReplication(to));
        }
    }

    /// The reasons for which an operation may wait for an operator for ever.
    fn is_rightly_stuck(&self, execution: &Execution) -> bool {
        let nodes = self.nodes();
        let of =
            |node: &NodeId| nodes.iter().find(|seen| seen.node == *node).map(|seen| &seen.state);
        let other_server = |node| of(node).is_some_and(is_another_server);
        // A server that it must change is not the one that was registered.
        other_server(&execution.plan.to) || execution.plan.from.as_ref().is_some_and(other_server)
    }

    /// Asks for something that must be granted.
    pub fn demand(&mut self, request: Request) -> Checked<Answer> {
        let wanted = format!("{request:?}");
        match self.ask_and_wait(request)? {
            Ok(answer) => Ok(answer),
            Err(refusal) => {
                let states = self.states();
                Err(Broken::Stuck(format!("{wanted} was refused: {refusal:?}; {states}")))
            }
        }
    }

    pub fn ask_and_wait(&mut self, request: Request) -> Checked<Result<Answer, Refusal>> {
        self.until(self.in_seconds(PATIENCE), |run| run.process.is_some())?;
        let wanted = format!("{request:?}");
        let ticket = self.ask(request)?;
        self.until(self.in_seconds(PATIENCE), |run| run.checks.answers.contains_key(&ticket))?;
        let answer = self.checks.answers.get(&ticket).cloned();
        answer.ok_or_else(|| Broken::Stuck(format!("{wanted} had no answer")))
    }

    pub fn nodes(&self) -> Vec<NodeSnapshot> {
        self.process.as_ref().map(|process| process.engine.snapshot().nodes).unwrap_or_default()
    }

    pub fn states(&self) -> String {
        let nodes = self.nodes();
        let words = nodes.iter().map(|seen| format!("{} {} {}", seen.node, seen.role, seen.state));
        words.collect::<Vec<_>>().join("; ")
    }

    fn is_all_ok(&self) -> bool {
        let nodes = self.nodes();
        !nodes.is_empty() && nodes.iter().all(|seen| seen.state == NodeState::Ok)
    }

    /// Whether the engine shows a whole cluster.
    pub fn is_whole(&self) -> bool {
        let sound = |seen: &NodeSnapshot| {
            seen.state == NodeState::Ok && seen.errant.as_ref().is_none_or(GtidSet::is_empty)
        };
        let intent = self.store.journal.intent();
        let asked_to_rest = intent.maintenance || intent.paused().next().is_some();
        !asked_to_rest
            && self.is_all_ok()
            && self.nodes().iter().all(sound)
            && self.is_reverse_sound()
    }

    /// The cluster is whole in truth, and can be switched.
    pub fn check_the_end(&mut self) -> Checked {
        self.check_whole()?;
        let replicas: Vec<_> =
            self.nodes().into_iter().filter(|seen| seen.role != Role::Master).collect();
        let to = self.rng.pick(&replicas).node.clone();
        self.world.add_writer(mysqlsvc_core::testing::Writer::Routed);
        self.until(self.in_seconds(1), |_| false)?;
        self.demand(Request::switch(to.clone()))?;
        self.wait_for_the_end()?;
        let journal = self.process.as_ref().map(|process| process.engine.journal().clone());
        let journal = journal.unwrap_or_default();
        let mut newest_first = journal.history().rev();
        let last = newest_first.find(|execution| execution.plan.kind == OperationKind::Switch);
        let ended = last.map(|execution| execution.progress);
        if ended != Some(Progress::Ended(Outcome::Succeeded)) {
            return Err(Broken::Stuck(format!("the last switch: {last:?}")));
        }
        if journal.intent().master() != Some(&to) {
            return Err(Broken::Stuck(format!("{to} is not the master after the last switch")));
        }
        self.until(self.in_seconds(30), Self::is_whole)?;
        self.check_whole()
    }

    fn check_whole(&mut self) -> Checked {
        self.world.stop_writers();
        self.until(self.in_seconds(2), |_| false)?;
        self.check_answered()?;
        self.check_journal()?;
        let intent = self.store.journal.intent();
        let Some(master) = intent.master().cloned() else {
            return Err(Broken::Stuck("there is no master".to_owned()));
        };
        let followers = intent.members.keys().filter(|node| **node != master).cloned().collect();
        let mutual = if intent.mutual { intent.standby().cloned() } else { None };
        let left_behind = BTreeSet::new();
        let goal = Goal { master: master.clone(), followers, mutual, left_behind };
        let snapshot = self.world.snapshot();
        converged(&goal, &snapshot)?;
        let missing = self.world.rows_missing(&master, &self.checks.ledger);
        if let Some(row) = missing.first() {
            let seen = format!("{row}, acknowledged, is not on {master}");
            return Err(Violation { invariant: 3, seen }.into());
        }
        Ok(())
    }
}

/// Whether it is not the server that was registered, or has lost what it had.
pub fn is_another_server(state: &NodeState) -> bool {
    matches!(state, NodeState::Error(Trouble::Identity { .. } | Trouble::WentBack { .. }))
}
