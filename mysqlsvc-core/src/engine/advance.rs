//! The operation under way: from where its journal stands to the next effect.

use super::{
    Answer, CallId, Effect, Engine, Reason, Refusal,
    guard::not_alone,
    work::{ATTEMPTS, COPIES, Call, PARTS, Purpose, RETURNS, Work},
};
use crate::{
    Action, ActionError, ActionErrorKind, Micros, Millis, NodeId, Now, ReadOnly, Tag,
    backend::Observed,
    intent::Change,
    journal::{Execution, Outcome, Progress, Record, StepError},
    plan::{Act, Step},
};

/// How long what members have may go unrecorded.
const REMEMBER_EVERY: Millis = Millis(600_000);

/// What is to be done next.
enum Move {
    Act(usize, Act),
    Record(Record),
    Must(usize, Act),
    Undo(usize, Action),
    Finish(Outcome),
}

impl Engine {
    /// Goes on with the operation until something outside is waited for.
    pub(super) fn advance(&mut self, now: Now) {
        self.work.now = now;
        while !self.halted && !self.writer.is_waiting() && self.work.call.is_none() {
            if self.writer.is_awaited() && !self.writer.is_broken() {
                self.flush();
                return;
            }
            if self.work.pause_until.is_some_and(|until| now < until) {
                return;
            }
            self.work.pause_until = None;
            let Some(next) = self.running().and_then(next_move) else {
                self.halt_if_broken();
                self.flush();
                return;
            };
            self.make(now, next);
        }
    }

    fn make(&mut self, now: Now, next: Move) {
        match next {
            Move::Act(step, Act::Server(action)) => self.attempt(now, step, action),
            Move::Act(step, Act::Hold { acknowledge, limit }) => {
                self.hold(now, step, acknowledge, limit);
            }
            Move::Record(Record::Committed { step, .. }) if self.work.is_hold_expired(now) => {
                self.record(now, Record::Failed { step, error: StepError::HoldExpired });
            }
            Move::Record(record) => {
                let record = self.with_waypoints(record);
                self.commit_view(now, &record);
                self.record(now, record);
                self.flush();
            }
            Move::Must(step, Act::Server(action)) => self.must(now, step, action),
            Move::Act(step, Act::CatchUp { node, limit })
            | Move::Must(step, Act::CatchUp { node, limit }) => {
                self.catch_up(now, step, node, limit);
            }
            Move::Must(_, Act::Hold { .. }) => {
                self.halt("a plan holds proxies behind its pivot".to_owned());
            }
            Move::Undo(step, action) => self.undo(now, step, action),
            Move::Finish(outcome) => self.finish(now, outcome),
        }
    }

    fn commit_view(&mut self, now: Now, record: &Record) {
        let Record::Committed { position, commit, .. } = record else {
            return;
        };
        if let Some(rebuilt) = &commit.rebuilt {
            self.view.forget_past(&rebuilt.node);
        }
        if commit.master() == self.intent().master() {
            return;
        }
        self.view.change_master(now, position.as_ref());
        if let Some(master) = commit.master() {
            self.view.learn(now, master, position.as_ref(), None);
        }
    }

    /// Opening the master again is opening a server, too: nobody else may be.
    fn attempt(&mut self, now: Now, step: usize, action: Action) {
        let opens = matches!(action, Action::Thaw { .. });
        if let Some(impostor) = self.impostor(&action).filter(|_| opens) {
            self.step_failed(now, step, impostor);
        } else if opens && !self.is_alone(action.node()) {
            let error = not_alone(&action);
            self.step_failed(now, step, error);
        } else if let Some(error) = self.must_not_lack(&action) {
            self.step_failed(now, step, error);
        } else if let Some(whole) = self.must_be_whole(&action) {
            self.run(now, Purpose::Whole, whole);
        } else {
            self.run_step(now, step, action);
        }
    }

    fn must(&mut self, now: Now, step: usize, action: Action) {
        if let Some(impostor) = self.impostor(&action) {
            self.step_failed(now, step, impostor);
        } else if let Some(error) =
            self.would_mix(&action).or_else(|| self.would_use_remains(&action))
        {
            self.work.step_over();
            self.record(now, Record::Skipped { step, error });
        } else if let Some(error) = self.must_stay_closed(&action) {
            self.step_failed(now, step, error);
        } else if let Some(whole) = self.must_be_whole(&action) {
            self.run(now, Purpose::Whole, whole);
        } else if self.must_be_told_first(&action) {
            self.work.begin_pause(now);
        } else if let Some(guard) = self.guard(&action) {
            self.run(now, Purpose::Guard(guard.clone()), guard);
        } else {
            self.run_step(now, step, action);
        }
    }

    fn run_step(&mut self, now: Now, step: usize, action: Action) {
        if matches!(action, Action::Freeze { .. }) {
            self.work.frozen_at = Some(now);
        }
        if let Some(ask) = self.must_say_where(&action) {
            self.run(now, Purpose::Stand(step, false), ask);
            return;
        }
        match self.placed(action) {
            Ok(action) => self.run(now, Purpose::Step(step), action),
            Err(error) => self.not_placed(now, step, false, error),
        }
    }

    fn catch_up(&mut self, now: Now, step: usize, node: NodeId, limit: Millis) {
        let Some(position) = self.running().and_then(Execution::position).cloned() else {
            self.halt("a plan waits for a position before anything was frozen".to_owned());
            return;
        };
        self.run(now, Purpose::Step(step), Action::AwaitExecuted { node, position, limit });
    }

    fn hold(&mut self, now: Now, step: usize, acknowledge: Millis, limit: Millis) {
        let Some(operation) = self.running().map(|execution| execution.operation) else {
            return;
        };
        self.work.hold_until = Some(now + limit);
        self.publish_changes(now);
        let call = self.begin_call(now, Purpose::Step(step));
        self.outbox.push_back(Effect::AwaitHold { call, operation, limit: acknowledge });
    }

    pub(super) fn run(&mut self, now: Now, purpose: Purpose, action: Action) {
        let Some(operation) = self.running().map(|execution| execution.operation) else {
            return;
        };
        let call = self.begin_call(now, purpose);
        self.outbox.push_back(Effect::Run { call, action, tag: Tag::new(operation) });
    }

    fn begin_call(&mut self, now: Now, purpose: Purpose) -> CallId {
        self.work.last_call += 1;
        let id = CallId(self.work.last_call);
        self.work.call = Some(Call { id, purpose, sent: now });
        id
    }

    pub(super) fn hold_ended(
        &mut self,
        now: Now,
        call: CallId,
        acknowledged: Vec<String>,
        missing: Vec<String>,
    ) {
        self.action_ended(now, call, Ok(Observed::Held { acknowledged, missing }));
    }

    pub(super) fn action_ended(
        &mut self,
        now: Now,
        call: CallId,
        result: Result<Observed, ActionError>,
    ) {
        let Some(ended) = self.work.call.take_if(|current| current.id == call) else {
            return;
        };
        let took = now.since(ended.sent);
        let result = result.map(|observed| self.amounts_to(observed));
        match (ended.purpose, result) {
            (Purpose::Step(step), Ok(observed)) => self.step_done(now, step, took, observed),
            (Purpose::Step(step), Err(error)) => self.step_failed(now, step, error),
            (Purpose::Undo(step), Ok(_)) => {
                self.work.step_over();
                self.note_writable(now);
                if let Some(Action::Thaw { node }) =
                    self.running().and_then(|execution| execution.undo(step)).cloned()
                {
                    self.view.learn(now, &node, None, Some(ReadOnly::Off));
                }
                self.record(now, Record::Undone { step });
            }
            (Purpose::Stand(step, back), asked) => self.stood(now, (step, back), asked),
            (Purpose::Guard(guard), Ok(observed)) => self.guarded(&guard, observed),
            (Purpose::Undo(step), Err(error)) => {
                self.work.whole = false;
                self.undo_failed(now, step, error);
            }
            (Purpose::Whole, Ok(_)) => self.work.whole = true,
            (Purpose::Whole, Err(error)) => self.not_whole(now, error),
            (Purpose::Guard(_), Err(_)) => self.work.begin_pause(now),
        }
        self.give_up_now(now);
    }

    /// Before the pivot a server that is not whole is a reason to take everything back; where it is
    /// to be opened whatever comes, it is looked at again.
    fn not_whole(&mut self, now: Now, error: ActionError) {
        let progress = self.running().map(|execution| execution.progress);
        match progress {
            Some(Progress::Forward { next, .. })
                if self.running().is_some_and(Execution::can_be_taken_back) =>
            {
                self.step_failed(now, next, error);
            }
            _ => self.work.begin_pause(now),
        }
    }

    /// By position, what a server says of its own log is more in the words of others.
    fn amounts_to(&self, observed: Observed) -> Observed {
        match observed {
            Observed::Position(position) => Observed::Position(self.intent().closed(&position)),
            other => other,
        }
    }

    fn step_done(&mut self, now: Now, step: usize, took: Micros, mut observed: Observed) {
        let planned = self.running().and_then(|execution| execution.plan.steps.get(step)).cloned();
        let opened = planned.as_ref().and_then(Step::action);
        if matches!(opened, Some(Action::OpenBeside { .. })) && self.work.is_asked_again() {
            // It may have been open since an earlier attempt: what it has now says nothing of then.
            observed = Observed::Nothing;
        }
        self.work.step_over();
        match &planned {
            Some(Step::Try { act: Act::CatchUp { .. }, .. }) => self.work.caught_up = true,
            Some(planned) => self.learn_from(now, planned.action(), &observed),
            None => {}
        }
        self.record(now, Record::Done { step, took, observed });
        if matches!(planned, Some(Step::Must { .. })) {
            // The proxies are told before the disk is: what is done cannot be taken back anyway.
            self.publish_changes(now);
            self.flush();
        }
    }

    /// What an action that was done makes true at once, before any look sees it.
    fn learn_from(&mut self, now: Now, done: Option<&Action>, observed: &Observed) {
        let position = match observed {
            Observed::Position(position) => Some(position),
            _ => None,
        };
        match done {
            Some(Action::Freeze { node, .. }) => {
                self.work.closed.insert(node.clone());
                self.view.learn(now, node, position, Some(ReadOnly::On));
            }
            Some(Action::Open { node }) => {
                self.view.learn(now, node, None, Some(ReadOnly::Off));
                self.work.critical_section = self.work.frozen_at.map(|then| now.since(then));
                self.note_writable(now);
            }
            Some(Action::CopyFrom { node, .. }) => self.view.renew(now, node),
            Some(Action::OpenBeside { node } | Action::Thaw { node }) => {
                self.view.learn(now, node, None, Some(ReadOnly::Off));
            }
            _ => {}
        }
    }

    /// Opening the old master again is never given up; what else cannot be taken back is, and is
    /// named, for it would keep the cluster busy for ever.
    pub(super) fn undo_failed(&mut self, now: Now, step: usize, error: ActionError) {
        let undo = self.running().and_then(|execution| execution.undo(step));
        let opens = undo.is_some_and(|undo| matches!(undo, Action::Thaw { .. }));
        if opens || self.work.attempts + 1 < ATTEMPTS {
            self.work.begin_pause(now);
        } else {
            self.work.step_over();
            self.record(now, Record::Forsaken { step, error });
        }
    }

    fn note_writable(&mut self, now: Now) {
        self.work.write_unavailable = self.work.frozen_at.map(|then| now.since(then));
    }

    pub(super) fn step_failed(&mut self, now: Now, step: usize, error: ActionError) {
        let planned = self.running().and_then(|execution| execution.plan.steps.get(step));
        match planned {
            Some(Step::Must { optional, .. }) => {
                let given_up = *optional && self.work.attempts + 1 >= attempts(planned, &error);
                self.work.caught_up = false;
                self.work.reads_on = false;
                self.work.whole = false;
                if given_up {
                    self.work.step_over();
                    self.record(now, Record::Skipped { step, error });
                    self.flush();
                } else {
                    self.work.begin_pause(now);
                }
            }
            Some(Step::Try { .. } | Step::Commit(_)) | None => {
                self.work.step_over();
                self.record(now, Record::Failed { step, error: StepError::Action(error) });
            }
        }
    }

    fn finish(&mut self, now: Now, outcome: Outcome) {
        let done = outcome == Outcome::Succeeded
            && self.running().is_some_and(|execution| !execution.has_skipped());
        self.automatic.ended(now, self.journal.running(), done);
        if outcome == Outcome::Succeeded {
            self.remember_positions(now);
        }
        let (critical_section, write_unavailable) =
            (self.work.critical_section, self.work.write_unavailable);
        self.record(now, Record::Finished { outcome, critical_section, write_unavailable });
        self.work = Work { last_call: self.work.last_call, now, ..Work::default() };
        self.flush();
    }

    /// What was asked to be given up while a call was under way is given up at its end: nothing of
    /// it is left to arrive beside the next operation.
    fn give_up_now(&mut self, now: Now) {
        let Some((ticket, who)) = self.work.given_up.take() else {
            return;
        };
        if self.is_operating() {
            self.abandon(now, who);
            self.writer.reply_when_durable(ticket, Answer::Done { warnings: Vec::new() });
        } else {
            let detail = "it came to its end just now; look at the operation";
            self.reply(ticket, Err(Refusal::new(Reason::WrongState, detail)));
        }
    }

    /// Nothing more is done for the operation under way.
    pub(super) fn abandon(&mut self, now: Now, who: String) {
        self.automatic.ended(now, self.journal.running(), false);
        self.record(now, Record::Abandoned { who });
        self.work = Work { last_call: self.work.last_call, now, ..Work::default() };
    }

    /// Between operations, too, what members have is written down from time to time, and at once
    /// where nothing is known yet.
    pub(super) fn remember_now_and_then(&mut self, now: Now) {
        let due = now.since(self.remembered) >= REMEMBER_EVERY.into();
        let nothing_known =
            self.intent().members.values().any(|m| m.executed.is_empty() && !m.copy_due);
        if self.halted || self.is_operating() || !(due || nothing_known) {
            return;
        }
        self.remember_positions(now);
        self.flush();
    }

    /// What each member was seen to have goes into the journal, so that a server which loses it
    /// is known even after a restart.
    fn remember_positions(&mut self, now: Now) {
        self.remembered = now;
        let grown: Vec<_> = self
            .intent()
            .members
            .iter()
            .filter_map(|(node, member)| {
                let probe = self.view.probe(node)?;
                let same = !member.copy_due
                    && probe.identity == member.identity
                    && probe.executed.flavor() == member.executed.flavor();
                let grown = same && !member.executed.contains(&probe.executed);
                grown.then(|| (node.clone(), probe.executed.clone()))
            })
            .collect();
        for (node, executed) in grown {
            self.view.write_down(&node);
            let change = Change::Seen { node, executed };
            self.record(now, Record::Changed { change, who: None });
        }
    }
}

/// How often an optional step is tried that failed like this. A copy takes long, and what the
/// server will not have is refused again. Nobody can write while a new master is given its part in
/// semi-sync, and what is not done then is done soon after.
fn attempts(step: Option<&Step>, error: &ActionError) -> u32 {
    match step.and_then(Step::action) {
        Some(Action::CopyFrom { .. } | Action::SetSemiSync { .. })
            if error.kind == ActionErrorKind::Refused =>
        {
            1
        }
        // It may be on its way back from an earlier copy, whose end nobody here has seen.
        Some(Action::CopyFrom { .. }) if error.kind == ActionErrorKind::Unreachable => RETURNS,
        Some(Action::CopyFrom { .. }) => COPIES,
        Some(Action::SetSemiSync { .. }) => PARTS,
        _ => ATTEMPTS,
    }
}

/// What follows from the journal alone.
fn next_move(execution: &Execution) -> Option<Move> {
    match execution.progress {
        Progress::Forward { next, started, .. } => match execution.plan.steps.get(next) {
            None => Some(Move::Finish(Outcome::Succeeded)),
            Some(Step::Try { act, .. }) if act.changes_server() && !started => {
                Some(Move::Record(Record::Started { step: next }))
            }
            Some(Step::Try { act, .. }) => Some(Move::Act(next, act.clone())),
            Some(Step::Commit(commit)) => Some(Move::Record(Record::Committed {
                step: next,
                commit: commit.clone(),
                position: execution.position().cloned(),
                waypoints: Vec::new(),
            })),
            Some(Step::Must { act, .. }) => Some(Move::Must(next, act.clone())),
        },
        Progress::Unwinding { next: Some(step) } => {
            execution.undo(step).map(|undo| Move::Undo(step, undo.clone()))
        }
        Progress::Unwinding { next: None } => Some(Move::Finish(Outcome::RolledBack)),
        Progress::Ended(_) => None,
    }
}
