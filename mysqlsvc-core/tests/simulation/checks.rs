//! What must hold at every moment, and what is needed to know it.

use std::collections::{BTreeMap, BTreeSet};

use mysqlsvc_core::{
    GtidSet, IoThread, Micros, NodeId, Now, OperationId, Route, SqlThread,
    engine::{Answer, Event, Refusal, RequestTicket},
    journal::{Execution, Journal, Outcome, Progress, StepRecord, StepStatus},
    plan::{Act, OperationKind, Step, Strategy},
    testing::{
        Disturbance, Event as Happened, Row, ServerSnapshot, Snapshot,
        invariants::{Violation, Watch, as_found},
    },
};

use crate::run::{Broken, Checked, Run};

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Checks {
    watch: Watch,
    /// How many events of the world's history were read.
    read: usize,
    /// What applications were told is there, and may rely on.
    pub ledger: BTreeSet<Row>,
    writable: BTreeSet<NodeId>,
    /// What the old master alone had when the new one was opened beside it, or was told since: the
    /// new one need not have it until it has taken all over.
    in_doubt: BTreeSet<Row>,
    /// Whether the new one was opened beside the old one.
    opened_beside: bool,
    /// What the engine knows that a server had.
    told: BTreeMap<NodeId, Known>,
    /// The operation under way, and those that may be again after a restart.
    operations: BTreeMap<OperationId, Operation>,
    running: Option<OperationId>,
    members: BTreeSet<NodeId>,
    master: Option<NodeId>,
    /// Servers that are read-only because they were booted, or because an operation was given up,
    /// not by what the engine left undone.
    pub closed_rightly: BTreeSet<NodeId>,
    /// A server that the administrator made the master, whatever others have beside.
    pub appointed: Option<NodeId>,
    /// How often the administrator had a node replicate again in the calm.
    pub activated: BTreeMap<NodeId, u32>,
    /// Whom the administrator had apply what it had received.
    pub let_apply: BTreeSet<NodeId>,
    /// Of every request that had one.
    pub answers: BTreeMap<RequestTicket, Result<Answer, Refusal>>,
}

/// What the engine was told that a server has executed.
#[derive(Debug)]
struct Known {
    /// Before the last look began.
    before: GtidSet,
    /// At looks that may have overlapped it: when each ended.
    beside: Vec<(Now, GtidSet)>,
    last: Option<(Now, GtidSet)>,
}

impl Known {
    fn new(before: GtidSet) -> Self {
        Self { before, beside: Vec::new(), last: None }
    }

    /// It was taken up with what it has now, whatever it had before. What was last seen stays: a
    /// look that began earlier and ends later tells nothing.
    fn begin_anew(&mut self, executed: GtidSet) {
        self.before = executed;
        self.beside.clear();
    }

    fn see(&mut self, begun: Now, ended: Now, executed: &GtidSet) {
        self.beside.push((ended, executed.clone()));
        if self.last.as_ref().is_some_and(|(later, _)| *later > begun) {
            return;
        }
        self.last = Some((begun, executed.clone()));
        for (_, earlier) in self.beside.extract_if(.., |(ended, _)| *ended <= begun) {
            self.before = self.before.union(&earlier);
        }
    }
}

/// The operation under way, as its beginning was.
#[derive(Debug)]
struct Operation {
    before: Snapshot,
    /// Whether nothing but ourselves has touched the cluster since.
    undisturbed: bool,
}

impl Checks {
    /// A new process knows of each server only what is durable.
    pub fn boot(&mut self, durable: &Journal) {
        let running = durable.running().map(|execution| execution.operation);
        self.operations.retain(|id, _| Some(*id) == running);
        self.running = None;
        let members = durable.intent().members.iter();
        self.told =
            members.map(|(node, m)| (node.clone(), Known::new(m.executed.clone()))).collect();
    }

    /// A server was given other data, on purpose.
    pub fn rebuilt(&mut self, node: &NodeId) {
        self.told.remove(node);
    }

    /// The engine is told something.
    pub fn told(&mut self, now: Now, event: &Event) {
        let (node, begun, ended, probe) = match event {
            Event::Looked { node, look } => (node, look.begun, look.ended, look.seen.as_ref().ok()),
            Event::Inspected { node, begun, result } => {
                (node, *begun, now, result.as_ref().ok().map(|found| &found.probe))
            }
            _ => return,
        };
        let Some(probe) = probe else { return };
        let known = self.told.entry(node.clone());
        let known = known.or_insert_with(|| Known::new(GtidSet::empty(probe.flavor)));
        known.see(begun, ended, &probe.executed);
    }

    /// A server that is known to have lost transactions is never routed.
    pub fn published(&self, route: &Route) -> Checked {
        for node in route.master.iter().chain(&route.slaves).map(|routed| &routed.node) {
            let Some(Known { before, last: Some((_, last)), .. }) = self.told.get(node) else {
                continue;
            };
            let gone = before.minus(last);
            if !gone.is_empty() {
                let seen = format!("{node} is routed, though it was seen to have lost {gone}");
                return Err(Broken::Engine(seen));
            }
        }
        Ok(())
    }

    fn disturbed(&mut self, disturbance: &Disturbance) {
        for operation in self.operations.values_mut() {
            operation.undisturbed = false;
        }
        if let Disturbance::Crash(node) | Disturbance::LosePower(node, _) = disturbance {
            self.closed_rightly.insert(node.clone());
        }
    }
}

/// What need not be as it was found, where an operation on one replica is taken back.
fn overlook(kind: OperationKind, was: &mut ServerSnapshot, is: &mut ServerSnapshot) {
    let threads = |seen: &ServerSnapshot| (seen.io, seen.sql);
    let both = (Some(IoThread::Running), Some(SqlThread::Running));
    let none = (Some(IoThread::Stopped), Some(SqlThread::Stopped));
    match kind {
        OperationKind::Activate => {
            // It starts what had been stopped, and has nothing to say of a late SET of a replica's
            // own value.
            (was.io, was.sql, is.waiting) = (is.io, is.sql, 0);
        }
        // The next look shows that it is still to be done.
        OperationKind::SemiSync => is.waiting = 0,
        // What stood still need not be told again whom not to follow.
        OperationKind::Detach if threads(was) == none => {
            (was.source, was.io, was.sql) = (is.source.clone(), is.io, is.sql);
        }
        // Half of it ran.
        OperationKind::Detach | OperationKind::Resume
            if threads(was) != none && threads(is) == both =>
        {
            (was.io, was.sql) = (is.io, is.sql);
        }
        // It stands still as it did, but where it would go on.
        OperationKind::Resume if threads(was) == none => was.source.clone_from(&is.source),
        _ => {}
    }
}

/// The old and the new master, from the pivot of a switch that puts availability first until the
/// old one is known to be frozen.
fn both_open(running: &Execution) -> Option<(NodeId, NodeId)> {
    let frozen = running.position().is_some();
    let beside = running.plan.strategy == Strategy::Availability;
    let open = beside && running.is_committed() && !frozen;
    let from = running.plan.from.clone().filter(|_| open)?;
    Some((from, running.plan.to.clone()))
}

/// Whether the new master has what the old one had when it was frozen.
fn has_taken_over(running: &Execution) -> bool {
    let steps = running.plan.steps.iter().zip(&running.steps);
    let taken = |(planned, step): (&Step, &StepRecord)| {
        matches!(planned, Step::Must { act: Act::CatchUp { node, .. }, .. }
            if *node == running.plan.to)
            && matches!(step.status, StepStatus::Done { .. })
    };
    running.plan.strategy == Strategy::Availability && steps.into_iter().any(taken)
}

impl Run {
    /// After everything that happens.
    pub fn check_now(&mut self) -> Checked {
        for event in self.world.events_since(self.checks.read) {
            self.checks.read += 1;
            self.trace.note(self.now, || format!("     {event}"));
            self.checks.watch.see(&event)?;
            match &event {
                Happened::Acknowledged { node, row }
                    if !self.checks.watch.excused().contains(node) =>
                {
                    let old = self.checks.watch.beside().is_some_and(|(old, _)| old == node);
                    if old && self.checks.opened_beside {
                        self.checks.in_doubt.insert(*row);
                    } else {
                        self.checks.ledger.insert(*row);
                    }
                }
                Happened::Writable(nodes) => self.check_opened(nodes)?,
                Happened::Disturbed(disturbance) => {
                    self.checks.disturbed(disturbance);
                    if matches!(disturbance, Disturbance::LosePower(..)) {
                        self.write_off();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Invariant 3, at each opening: whoever can be written has all that was acknowledged.
    fn check_opened(&mut self, writable: &BTreeSet<NodeId>) -> Checked {
        let excused = self.checks.watch.excused();
        for node in writable.difference(&self.checks.writable) {
            if excused.contains(node) {
                continue;
            }
            let mut missing = self.world.rows_missing(node, &self.checks.ledger);
            if let Some((old, _)) = self.checks.watch.beside().filter(|(_, new)| new == node) {
                // What is on the old one is taken over from there.
                let nowhere = self.world.rows_missing(old, &missing);
                let there: BTreeSet<_> = missing.difference(&nowhere).copied().collect();
                self.checks.ledger.retain(|row| !there.contains(row));
                self.checks.in_doubt.extend(there);
                self.checks.opened_beside = true;
                missing = nowhere;
            }
            if let Some(row) = missing.first() {
                let more = missing.len() - 1;
                let seen =
                    format!("{node} was opened without {row}, acknowledged (and {more} more)");
                return Err(Violation { invariant: 3, seen }.into());
            }
        }
        for node in writable {
            self.checks.closed_rightly.remove(node);
        }
        self.checks.writable.clone_from(writable);
        Ok(())
    }

    /// What no server has any more cannot be asked of any.
    pub fn write_off(&mut self) {
        let mut gone = self.checks.ledger.clone();
        for node in self.world.nodes() {
            gone = self.world.rows_missing(&node, &gone);
        }
        self.checks.ledger.retain(|row| !gone.contains(row));
    }

    /// After whatever the engine was told: what has changed in its journal.
    pub fn note_journal(&mut self) -> Checked {
        let Some(process) = &self.process else { return Ok(()) };
        let journal = process.engine.journal();
        let intent = journal.intent();
        if intent.members.len() != self.checks.members.len()
            || intent.master() != self.checks.master.as_ref()
        {
            let members: BTreeSet<_> = intent.members.keys().cloned().collect();
            for (node, member) in
                intent.members.iter().filter(|(n, _)| !self.checks.members.contains(*n))
            {
                let known = self.checks.told.entry(node.clone());
                let known = known.or_insert_with(|| Known::new(member.executed.clone()));
                known.begin_anew(member.executed.clone());
            }
            for gone in self.checks.members.difference(&members) {
                self.checks.watch.excuse(gone);
                // Whoever takes a server out gives up what only it has.
                let mut only_there = self.checks.ledger.clone();
                for node in &members {
                    only_there = self.world.rows_missing(node, &only_there).into_iter().collect();
                }
                self.checks.ledger.retain(|row| !only_there.contains(row));
                if self.checks.master.as_ref() == Some(gone) {
                    // Whoever gives a master up gives up what only it has.
                    self.checks.ledger.clear();
                }
            }
            self.checks.members = members;
            self.checks.master = intent.master().cloned();
        }
        let running = journal.running().map(|execution| execution.operation);
        let beside = journal.running().and_then(both_open);
        let taken_over = journal.running().is_some_and(has_taken_over);
        let abandoned = journal.running().is_none();
        self.note_beside(beside, taken_over, abandoned)?;
        let Some(process) = &self.process else { return Ok(()) };
        let journal = process.engine.journal();
        if self.checks.running == running {
            return Ok(());
        }
        let before = self.checks.running.take();
        let ended = before.and_then(|id| journal.history().rfind(|over| over.operation == id));
        let ended = ended.cloned();
        self.checks.running = running;
        if let Some(id) = running {
            let begun = || Operation { before: self.world.snapshot(), undisturbed: true };
            self.checks.operations.entry(id).or_insert_with(begun);
        }
        let Some(ended) = ended else { return Ok(()) };
        self.check_named(&ended)?;
        self.checks.in_doubt.clear();
        self.checks.opened_beside = false;
        self.check_ended(&ended)
    }

    /// Who may be writable beside whom, and what has become of what the old one alone had.
    fn note_beside(
        &mut self,
        beside: Option<(NodeId, NodeId)>,
        taken_over: bool,
        over: bool,
    ) -> Checked {
        if beside.is_none()
            && over
            && let Some((old, _)) = self.checks.watch.beside().cloned()
        {
            // It was given up while both were open: the old one is the operator's.
            self.checks.watch.excuse(&old);
        }
        self.checks.watch.set_beside(beside)?;
        if taken_over && !self.checks.in_doubt.is_empty() {
            let all = std::mem::take(&mut self.checks.in_doubt);
            self.checks.ledger.extend(all);
            self.write_off();
        }
        Ok(())
    }

    /// What the new master could not take over is named.
    fn check_named(&self, ended: &Execution) -> Checked {
        let whole = ended.progress == Progress::Ended(Outcome::Succeeded);
        let (true, Some(all), Some(had)) = (whole, ended.position(), ended.opened_beside()) else {
            return Ok(());
        };
        let lost = self.world.rows_missing(&ended.plan.to, &self.checks.in_doubt);
        if lost.is_empty() || (ended.diverged().is_some() && !all.minus(had).is_empty()) {
            return Ok(());
        }
        Err(Broken::Engine(format!("{lost:?} stayed behind, and nothing is named")))
    }

    /// Invariant 8, where nothing else has touched the cluster.
    fn check_ended(&mut self, ended: &Execution) -> Checked {
        self.counts.operations += 1;
        let Some(operation) = self.checks.operations.get(&ended.operation) else {
            return Ok(());
        };
        match ended.progress {
            Progress::Ended(Outcome::Succeeded) => self.counts.succeeded += 1,
            Progress::Ended(Outcome::Abandoned) => {
                self.counts.abandoned += 1;
                self.checks.closed_rightly.extend(ended.plan.from.clone());
                self.checks.closed_rightly.insert(ended.plan.to.clone());
            }
            _ => {
                self.counts.rolled_back += 1;
                if ended.plan.kind == OperationKind::Resume {
                    // It was closed before, and is closed by a statement now.
                    self.checks.closed_rightly.insert(ended.plan.to.clone());
                }
                let forsaken = |step: &StepRecord| matches!(step.status, StepStatus::Forsaken(_));
                if operation.undisturbed && !ended.steps.iter().any(forsaken) {
                    let mut after = self.world.snapshot();
                    let mut before = operation.before.clone();
                    for (node, is) in &mut after.servers {
                        // An earlier operation's.
                        if is.waiting <= before.servers[node].waiting {
                            is.waiting = 0;
                        }
                    }
                    let to = &ended.plan.to;
                    let (was, is) = (before.servers.get_mut(to), after.servers.get_mut(to));
                    if let (Some(was), Some(is)) = (was, is) {
                        overlook(ended.plan.kind, was, is);
                    }
                    as_found(&before, &after)?;
                }
            }
        }
        Ok(())
    }

    /// Every request had its answer.
    pub fn check_answered(&self) -> Checked {
        let open = self.process.as_ref().and_then(|process| process.asked.first_key_value());
        match open {
            None => Ok(()),
            Some((ticket, request)) => {
                let seen = format!("request {} has no answer: {request:?}", ticket.0);
                Err(Broken::Stuck(seen))
            }
        }
    }

    /// What is durable says the same as what the engine goes by.
    pub fn check_journal(&self) -> Checked {
        let durable: &Journal = &self.store.journal;
        let same = self.process.as_ref().is_none_or(|process| {
            let held = process.engine.journal();
            held.intent().members == durable.intent().members && held.running() == durable.running()
        });
        if same {
            return Ok(());
        }
        Err(Broken::Engine("what is durable is not what it goes by".to_owned()))
    }

    /// So much later.
    pub fn in_seconds(&self, seconds: u64) -> Micros {
        Micros(self.now.0 + seconds * 1_000_000)
    }
}
