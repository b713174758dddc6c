//! Requests: let in, prepared by fresh looks, answered.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answer, Effect, Engine, Reason, Refusal, Request, RequestTicket,
    admission::{self, Situation},
    adopt::{Adoption, adoption, members},
    copying::{self, Wanted},
    warnings,
};
use crate::{
    GtidSet, Look, LookError, NodeId, Now, Role,
    backend::{Finding, Inspection},
    gtid::Coordinate,
    intent::{Change, Member},
    journal::Record,
    plan::{
        Forecast, OperationKind, Plan, Strategy, SwitchFacts, plan_activate,
        plan_availability_first, plan_detach, plan_pause_master, plan_pause_replica,
        plan_resume_master, plan_resume_replica,
    },
};

/// So many requests wait for a brief act of our own to end; more are refused as busy.
const DEFERRED: usize = 16;

/// A request that waits until the servers it is about were looked at. Only one at a time.
///
/// Nothing is judged by what was seen before it was asked for. The last node is inspected after
/// all others were seen: only what a replica has and its source *later* lacks is really errant.
#[derive(Debug, Clone)]
pub(super) struct Preparing {
    ticket: RequestTicket,
    who: String,
    what: Prepared,
    since: Now,
    looks: BTreeSet<NodeId>,
    inspections: BTreeSet<NodeId>,
    last: Option<NodeId>,
    found: BTreeMap<NodeId, Inspection>,
}

#[derive(Debug, Clone)]
enum Prepared {
    Register { node: NodeId, role: Role },
    Activate { node: NodeId, source: NodeId, at: Option<Coordinate> },
    Detach { node: NodeId },
    Pause { node: NodeId },
    ResumeMaster { node: NodeId },
    ResumeReplica { node: NodeId, source: NodeId },
    Adopt { dry_run: bool },
    Clone(Wanted),
    Switch { to: NodeId, from: NodeId, strategy: Strategy, dry_run: bool },
}

/// What has to be seen before a request can be decided.
struct Needs {
    /// These are looked at.
    looks: BTreeSet<NodeId>,
    /// This one is inspected,
    first: NodeId,
    /// and this one after all others were seen.
    last: Option<NodeId>,
}

impl Engine {
    pub(super) fn situation(&self) -> Situation<'_> {
        let busy = match (self.running(), &self.preparing) {
            (Some(_), _) => Some("an operation is under way"),
            (None, Some(_)) => Some("another request is being checked"),
            (None, None) => None,
        };
        Situation {
            intent: self.journal.intent(),
            view: &self.view,
            max_lag: self.settings.max_lag,
            parts: self.settings.semi_sync.map(|_| &self.automatic.parts),
            busy,
        }
    }

    pub(super) fn asked(&mut self, now: Now, ticket: RequestTicket, who: String, request: Request) {
        if self.is_adjusting() && self.deferred.len() < DEFERRED {
            self.deferred.push_back((ticket, who, request));
        } else if let Err(refusal) = self.let_in(now, ticket, who, request) {
            self.reply(ticket, Err(refusal));
        }
    }

    /// Whether nothing is under way but a brief act of our own, which nobody who asks for something
    /// need know of.
    fn is_adjusting(&self) -> bool {
        !self.work.is_stuck()
            && self.running().is_some_and(|it| it.plan.kind == OperationKind::SemiSync)
    }

    /// What was asked for meanwhile is let in once the act of our own is over.
    pub(super) fn go_on_with_deferred(&mut self, now: Now) {
        while !self.is_adjusting() && self.preparing.is_none() && !self.is_operating() {
            let Some((ticket, who, request)) = self.deferred.pop_front() else {
                return;
            };
            self.asked(now, ticket, who, request);
            self.advance(now);
        }
        if self.is_operating() && !self.is_adjusting() {
            for (ticket, who, request) in std::mem::take(&mut self.deferred) {
                self.asked(now, ticket, who, request);
            }
        }
    }

    fn let_in(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        request: Request,
    ) -> Result<(), Refusal> {
        let situation = self.situation();
        match request {
            Request::Unregister { node } => {
                situation.unregister(&node)?;
                self.change(now, ticket, who, Change::Unregistered { node }, Vec::new());
            }
            Request::Maintenance { on } => {
                self.automatic.parts.forget();
                self.change(now, ticket, who, Change::Maintenance { on }, Vec::new());
            }
            Request::Abandon { operation } => {
                let may_be = self.work.is_stuck() || self.is_copying();
                admission::abandon(operation, self.running(), may_be)?;
                if self.work.given_up.is_some() {
                    let detail = "it is being given up already";
                    return Err(Refusal::new(Reason::Busy, detail));
                }
                if self.work.call.is_some() {
                    self.end_copy();
                    self.work.given_up = Some((ticket, who));
                } else {
                    self.abandon(now, who);
                    self.writer.reply_when_durable(ticket, Answer::Done { warnings: Vec::new() });
                }
            }
            request => {
                let (needs, what) = self.prepare(request)?;
                self.look_for(now, ticket, who, needs, what);
            }
        }
        Ok(())
    }

    /// What a request needs to have seen, if it may be asked for at all.
    fn prepare(&self, request: Request) -> Result<(Needs, Prepared), Refusal> {
        let situation = self.situation();
        let nobody = BTreeSet::new();
        match request {
            Request::Register { node, role } => {
                situation.register(&node, role)?;
                // Nobody else may be writable, seen now and not a while ago.
                let looks = if role == Role::Master { self.all_but(&[&node]) } else { nobody };
                let needs = Needs { looks, first: node.clone(), last: None };
                Ok((needs, Prepared::Register { node, role }))
            }
            Request::Activate { node, at } => {
                let source = situation.source_of(&node)?;
                let last = Some(source.clone());
                let needs = Needs { looks: nobody, first: node.clone(), last };
                Ok((needs, Prepared::Activate { node, source, at }))
            }
            Request::Detach { node } => {
                situation.member_role(&node)?;
                let needs = Needs { looks: nobody, first: node.clone(), last: None };
                Ok((needs, Prepared::Detach { node }))
            }
            Request::Pause { node } => {
                situation.member_role(&node)?;
                let needs = Needs { looks: nobody, first: node.clone(), last: None };
                Ok((needs, Prepared::Pause { node }))
            }
            Request::Resume { node } if situation.member_role(&node)? == Role::Master => {
                let needs =
                    Needs { looks: self.all_but(&[&node]), first: node.clone(), last: None };
                Ok((needs, Prepared::ResumeMaster { node }))
            }
            Request::Resume { node } => {
                let source = situation.source_of(&node)?;
                let last = Some(source.clone());
                let needs = Needs { looks: nobody, first: node.clone(), last };
                Ok((needs, Prepared::ResumeReplica { node, source }))
            }
            Request::Switch { to, strategy, confirm, dry_run } => {
                let from = situation.switch_from(&to)?;
                admission::confirmed(&to, strategy, confirm.as_ref(), dry_run)?;
                let looks = self.all_but(&[&to, &from]);
                let needs = Needs { looks, first: to.clone(), last: Some(from.clone()) };
                Ok((needs, Prepared::Switch { to, from, strategy, dry_run }))
            }
            Request::Clone { node, donor, confirm, dry_run } => {
                let donor = situation.clone_from(&node, donor.as_ref())?;
                copying::confirmed(&node, confirm.as_ref(), dry_run)?;
                let (looks, last) = (self.all_but(&[&node, &donor]), Some(donor.clone()));
                let needs = Needs { looks, first: node.clone(), last };
                Ok((needs, Prepared::Clone(Wanted { node, donor, dry_run })))
            }
            Request::Unregister { node } => Err(Refusal::new(
                Reason::NotApplicable,
                format!("nothing has to be seen before {node} is unregistered"),
            )),
            Request::Adopt { dry_run } => {
                situation.idle()?;
                let all = self.all_but(&[]);
                let Some(first) = all.first().cloned() else {
                    let detail = "no server is known; check the discovery";
                    return Err(Refusal::new(Reason::UnknownNode, detail));
                };
                let needs = Needs { looks: all, first, last: None };
                Ok((needs, Prepared::Adopt { dry_run }))
            }
            Request::Abandon { .. } | Request::Maintenance { .. } => {
                Err(Refusal::new(Reason::NotApplicable, "nothing has to be seen before this"))
            }
        }
    }

    fn all_but(&self, except: &[&NodeId]) -> BTreeSet<NodeId> {
        self.view.nodes(self.intent()).filter(|node| !except.contains(node)).cloned().collect()
    }

    fn look_for(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        needs: Needs,
        what: Prepared,
    ) {
        let Needs { looks, first, last } = needs;
        let look = |node: &NodeId| Effect::Look { node: node.clone() };
        self.outbox.extend(looks.iter().map(look));
        self.outbox.push_back(Effect::Inspect { node: first.clone() });
        let (inspections, found) = ([first].into(), BTreeMap::new());
        let since = now;
        self.preparing =
            Some(Preparing { ticket, who, what, since, looks, inspections, last, found });
    }

    /// Records a change of intent; the answer follows when it is durable.
    fn change(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        change: Change,
        warnings: Vec<Finding>,
    ) {
        let master = self.intent().master().cloned();
        if let Change::Registered { node, .. } | Change::Unregistered { node } = &change {
            self.view.forget_past(node);
        }
        self.record(now, Record::Changed { change, who: Some(who) });
        if self.intent().master() != master.as_ref() {
            self.view.change_master(now, None);
        }
        self.writer.reply_when_durable(ticket, Answer::Done { warnings });
    }

    pub(super) fn reply(&mut self, ticket: RequestTicket, answer: Result<Answer, Refusal>) {
        self.outbox.push_back(Effect::Reply { ticket, answer });
    }

    /// A look ended: perhaps it is one that a request waits for.
    pub(super) fn go_on_preparing(&mut self, now: Now) {
        let Some(preparing) = &mut self.preparing else {
            return;
        };
        let (since, intent) = (preparing.since, self.journal.intent());
        // A node that is gone from the discovery is not looked at any more.
        preparing.looks.retain(|node| {
            self.view.is_known(node, intent)
                && self.view.look(node).is_none_or(|look| look.begun < since)
        });
        if !preparing.looks.is_empty() || !preparing.inspections.is_empty() {
            return;
        }
        if let Some(last) = preparing.last.take() {
            preparing.inspections.insert(last.clone());
            self.outbox.push_back(Effect::Inspect { node: last });
        } else if let Some(Preparing { ticket, who, what, found, .. }) = self.preparing.take()
            && let Err(refusal) = self.decide(now, ticket, who, what, &found)
        {
            self.reply(ticket, Err(refusal));
        }
    }

    pub(super) fn inspected(
        &mut self,
        now: Now,
        node: &NodeId,
        begun: Now,
        result: Result<Inspection, LookError>,
    ) {
        let result = result.map(|mut found| {
            self.intent().complete(node, &mut found.probe);
            found
        });
        let seen = result.as_ref().map(|found| found.probe.clone()).map_err(Clone::clone);
        self.looked(node, Look { begun, ended: now, seen });
        if let Some(preparing) = &mut self.preparing
            && begun >= preparing.since
            && preparing.inspections.remove(node)
            && let Ok(found) = result
        {
            preparing.found.insert(node.clone(), found);
        }
        self.go_on_preparing(now);
    }

    /// Everything was looked at.
    fn decide(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        what: Prepared,
        found: &BTreeMap<NodeId, Inspection>,
    ) -> Result<(), Refusal> {
        match what {
            Prepared::Register { node, role } => {
                self.situation().register(&node, role)?;
                let found = self.fit(&node, found)?;
                self.situation().version_fits(&node, role, found.probe.version)?;
                if role == Role::Master {
                    self.situation().same_log(&node, found.probe.identity, &found.probe)?;
                }
                let member = Member {
                    role,
                    identity: found.probe.identity,
                    executed: found.probe.executed.clone(),
                    paused: false,
                    copy_due: false,
                };
                let warnings = found.findings.clone();
                let writable = found.probe.read_only.is_writable();
                let change = Change::Registered { node, member, writable };
                self.change(now, ticket, who, change, warnings);
            }
            Prepared::Activate { node, source, at } => {
                self.situation().activate(&node, at.is_some())?;
                let mut seen = self.fit(&node, found)?.clone();
                let at_source = self.fit(&source, found)?;
                let given = |at| self.situation().given(&node, &seen, &source, at_source, at);
                let waypoint = at.as_ref().map(given).transpose()?;
                if let Some(waypoint) = &waypoint {
                    seen.probe.executed = GtidSet::Positions(waypoint.holds.clone());
                }
                let plan =
                    plan_activate(self.intent(), &node, &source, &seen.probe, &self.settings);
                self.situation().can_follow(&node, &seen, &source, at_source)?;
                if let Some(waypoint) = waypoint {
                    self.view.reword(&node, &seen.probe.executed);
                    let change = Change::Placed { node, waypoint };
                    self.record(now, Record::Changed { change, who: Some(who.clone()) });
                }
                self.begin(now, ticket, who, plan);
            }
            Prepared::Detach { node } => {
                self.situation().detach(&node)?;
                let seen = self.found(&node, found)?;
                let plan = plan_detach(self.intent(), &node, &seen.probe);
                self.begin(now, ticket, who, plan);
            }
            Prepared::Pause { node } => {
                self.situation().pause(&node)?;
                self.found(&node, found)?;
                let intent = self.intent();
                let plan = if intent.master() == Some(&node) {
                    plan_pause_master(intent, &node, &self.settings)
                } else {
                    plan_pause_replica(intent, &node)
                };
                self.begin(now, ticket, who, plan);
            }
            Prepared::ResumeMaster { node } => {
                self.situation().resume(&node)?;
                self.found(&node, found)?;
                let plan = plan_resume_master(self.intent(), &node, &self.settings);
                self.begin(now, ticket, who, plan);
            }
            Prepared::ResumeReplica { node, source } => {
                self.situation().resume(&node)?;
                let seen = self.found(&node, found)?;
                let plan = plan_resume_replica(self.intent(), &node, &source, &seen.probe);
                let at_source = self.found(&source, found)?;
                self.situation().can_follow(&node, seen, &source, at_source)?;
                self.begin(now, ticket, who, plan);
            }
            Prepared::Clone(wanted) => self.decide_clone(now, ticket, who, &wanted, found)?,
            Prepared::Adopt { dry_run } => self.adopt(now, ticket, who, dry_run)?,
            Prepared::Switch { to, from, strategy, dry_run } => {
                let plan = self.plan_switch_to(&to, &from, strategy, found)?;
                let forecast = plan.forecast.as_ref();
                let within = forecast.map_or(Ok(()), |forecast| {
                    admission::within_budget(forecast, self.settings.downtime_budget)
                });
                if dry_run {
                    let mut warnings = self.switch_warnings(&plan, found);
                    warnings.extend(within.err().map(warnings::refused));
                    self.reply(ticket, Ok(Answer::Planned { plan, warnings }));
                } else {
                    within?;
                    self.begin(now, ticket, who, plan);
                }
            }
        }
        Ok(())
    }

    fn adopt(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        dry_run: bool,
    ) -> Result<(), Refusal> {
        let adoption = adoption(self.intent(), &self.view, self.view.heard())?;
        if dry_run {
            self.reply(ticket, Ok(Answer::Adoptable(adoption)));
            return Ok(());
        }
        let members = members(&adoption, self.intent(), &self.view);
        let Adoption { epoch, mutual, writable, warnings, .. } = adoption;
        self.view.forget_all_past();
        let change = Change::Adopted { epoch, members, mutual, writable };
        self.change(now, ticket, who, change, warnings);
        Ok(())
    }

    /// What was found on a node, if its settings and our rights there allow working with it. A
    /// right that was revoked since it was registered must be missed now, not after the pivot.
    pub(super) fn fit<'a>(
        &self,
        node: &NodeId,
        found: &'a BTreeMap<NodeId, Inspection>,
    ) -> Result<&'a Inspection, Refusal> {
        let found = self.found(node, found)?;
        self.situation().fit(node, found)?;
        Ok(found)
    }

    /// What was found on a node, whatever it is.
    fn found<'a>(
        &self,
        node: &NodeId,
        found: &'a BTreeMap<NodeId, Inspection>,
    ) -> Result<&'a Inspection, Refusal> {
        found.get(node).ok_or_else(|| {
            let (reason, why) = match self.view.look(node).map(|look| &look.seen) {
                // It answers, so nobody need look at the network.
                Some(Err(error @ (LookError::Refused { .. } | LookError::Unsupported { .. }))) => {
                    (Reason::Unfit, error.to_string())
                }
                Some(Err(error)) => (Reason::Unreachable, error.to_string()),
                _ => (Reason::Unreachable, "no answer".to_owned()),
            };
            let detail = format!("{node} could not be checked: {why}");
            Refusal::new(reason, detail)
        })
    }

    fn plan_switch_to(
        &self,
        to: &NodeId,
        from: &NodeId,
        strategy: Strategy,
        found: &BTreeMap<NodeId, Inspection>,
    ) -> Result<Plan, Refusal> {
        self.situation().switch(to)?;
        self.situation().can_stop_at_one_place(to, strategy)?;
        let candidate = self.fit(to, found)?;
        let at_master = self.fit(from, found)?;
        let errant = candidate.probe.executed.minus(&at_master.probe.handed_out());
        admission::no_errant(to, from, &errant)?;
        let (executed, events) = (&at_master.probe.executed, at_master.events.as_slice());
        let receiving: BTreeSet<_> =
            self.receiving(from, false).filter(|node| *node != to).collect();
        let acknowledging = self.acknowledging(from, false).filter(|node| *node != to).count();
        let facts = SwitchFacts { from, to, executed, events, receiving, acknowledging };
        if strategy == Strategy::Availability {
            return Ok(plan_availability_first(self.intent(), &facts, &self.settings));
        }
        let mut plan = (self.planner)(self.intent(), &facts, &self.settings);
        let behind = self.view.behind(to).unwrap_or_default();
        let (flavor, obstacles) = (at_master.probe.flavor, &at_master.obstacles);
        let forecast = Forecast::of_switch(flavor, obstacles, behind, &self.settings);
        plan.forecast = Some(forecast);
        Ok(plan)
    }

    /// What is to be known before a switch, beside what preflight found on the two nodes.
    fn switch_warnings(&self, plan: &Plan, found: &BTreeMap<NodeId, Inspection>) -> Vec<Finding> {
        let of_node = |(node, inspection): (&NodeId, &Inspection)| {
            let master = plan.from.as_ref() == Some(node);
            let obstacles = inspection.obstacles.iter().filter(move |_| master);
            let in_the_way = obstacles.map(|obstacle| warnings::obstacle(node, obstacle));
            inspection.findings.iter().cloned().chain(in_the_way).collect::<Vec<_>>()
        };
        let mut warnings: Vec<_> = found.iter().flat_map(of_node).collect();
        if plan.strategy == Strategy::Availability {
            let flavor = self.view.probe(&plan.to).map(|probe| probe.flavor);
            warnings.push(warnings::availability_first(plan, flavor));
        }
        if self.intent().is_by_position() {
            warnings
                .extend(self.intent().paused().map(|node| warnings::left_behind(node, &plan.to)));
        }
        let newer = self.view.probe(&plan.to).map(|probe| probe.version);
        let others = self.intent().members.keys().filter(|node| **node != plan.to);
        for (node, probe) in others.filter_map(|node| Some((node, self.view.probe(node)?))) {
            warnings.extend(warnings::version_order(node, probe.version, &plan.to, newer));
        }
        warnings
    }

    pub(super) fn begin(&mut self, now: Now, ticket: RequestTicket, who: String, plan: Plan) {
        let (operation, plan) = (self.journal.next_operation(), self.with_parts(plan));
        self.record(now, Record::Began { operation, plan, who });
        self.writer.reply_when_durable(ticket, Answer::Began(operation));
        self.flush();
    }
}
