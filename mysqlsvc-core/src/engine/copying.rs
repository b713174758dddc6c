//! Clone: a replica becomes a copy of another member, whatever it held before.

use std::collections::BTreeMap;

use super::{
    Answer, Effect, Engine, Reason, Refusal, RequestTicket,
    admission::Situation,
    refusal, warnings,
    ways::{way_on, wrong_state},
};
use crate::{
    Action, ActionError, ActionErrorKind, GtidSet, Millis, NodeId, NodeState, Now, Probe, Role,
    ServerVersion,
    backend::{Finding, Inspection},
    journal::Execution,
    plan::plan_clone,
};

/// MySQL 8.0 copies between different patch releases from this one on.
const FREE_IN_ITS_SERIES: ServerVersion = ServerVersion::new(8, 0, 37);

impl Situation<'_> {
    /// Whether the data of a node may be replaced, and by whose, by what was last seen.
    pub(super) fn clone_from(
        &self,
        node: &NodeId,
        donor: Option<&NodeId>,
    ) -> Result<NodeId, Refusal> {
        self.no_clone()?;
        if self.member_role(node)? == Role::Master {
            let detail = format!("{node} is the master; switch to another node first");
            return Err(Refusal::new(Reason::WrongState, detail));
        }
        if self.view.probe(node).is_none() {
            let state = self.state(node);
            let detail =
                format!("{node} is {state}; it must be reachable. {}", way_on(node, &state));
            return Err(Refusal::new(Reason::Unreachable, detail));
        }
        let master = self.master()?;
        if self.view.probe(master).is_none() {
            let detail = format!(
                "the master {master} is {}; what {node} has received from it may be the last copy",
                self.state(master)
            );
            return Err(Refusal::new(Reason::MasterNotOk, detail));
        }
        match donor {
            Some(donor) => self.can_give(donor, node).map(|()| donor.clone()),
            None => self.best_donor(node, master),
        }
    }

    /// A replica, so that the master is not burdened: the one that is the least behind.
    fn best_donor(&self, node: &NodeId, master: &NodeId) -> Result<NodeId, Refusal> {
        let undelayed = |donor: &&NodeId| {
            let seen = self.view.probe(donor).and_then(|probe| probe.replication.as_ref());
            seen.is_some_and(|seen| seen.delay == Millis(0))
        };
        let donors = self.intent.replicas().filter(undelayed);
        let able = donors.filter(|donor| self.can_give(donor, node).is_ok());
        match able.min_by_key(|donor| self.view.behind(donor)) {
            Some(donor) => Ok(donor.clone()),
            None => self.can_give(master, node).map(|()| master.clone()),
        }
    }

    fn can_give(&self, donor: &NodeId, node: &NodeId) -> Result<(), Refusal> {
        if donor == node {
            let detail = format!("{node} cannot be made a copy of itself; name another donor");
            return Err(Refusal::new(Reason::NotApplicable, detail));
        }
        let role = self.member_role(donor)?;
        match (role, self.state(donor)) {
            (_, NodeState::Ok) | (Role::Master, NodeState::Paused(_)) => {}
            (_, state) => {
                return Err(wrong_state(donor, &state, "only a node that is OK can be the donor"));
            }
        }
        let version = |node| self.view.probe(node).map(|probe| probe.version);
        match (version(donor), version(node)) {
            (Some(its), Some(own)) => same_series(donor, its, node, own),
            _ => Ok(()),
        }
    }
}

/// Files of one release series are understood by that series alone.
fn same_series(
    donor: &NodeId,
    its: ServerVersion,
    node: &NodeId,
    own: ServerVersion,
) -> Result<(), Refusal> {
    let series = |version: ServerVersion| (version.major, version.minor);
    let early = |version: ServerVersion| {
        series(version) == series(FREE_IN_ITS_SERIES) && version < FREE_IN_ITS_SERIES
    };
    let same = series(its) == series(own) && (its == own || !(early(its) || early(own)));
    if same {
        return Ok(());
    }
    let detail = format!(
        "{donor} is of version {its}, and {node} of {own}: data files are copied between servers \
         of one release only; upgrade one of them, or name another donor"
    );
    Err(Refusal::new(Reason::Incompatible, detail))
}

/// Whether data are to be destroyed with open eyes.
pub(super) fn confirmed(
    node: &NodeId,
    confirm: Option<&NodeId>,
    dry_run: bool,
) -> Result<(), Refusal> {
    let danger = format!("everything on {node} is replaced and cannot be brought back");
    refusal::confirmed(node, confirm, (!dry_run).then_some(&danger))
}

/// A clone that was asked for: whose data, and by whose.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) node: NodeId,
    pub(super) donor: NodeId,
    pub(super) dry_run: bool,
}

impl Engine {
    /// Everything was looked at; the donor after the node.
    pub(super) fn decide_clone(
        &mut self,
        now: Now,
        ticket: RequestTicket,
        who: String,
        wanted: &Wanted,
        found: &BTreeMap<NodeId, Inspection>,
    ) -> Result<(), Refusal> {
        let Wanted { node, donor, dry_run } = wanted;
        let situation = self.situation();
        situation.clone_from(node, Some(donor))?;
        let (seen, at_donor) = (self.fit(node, found)?, self.fit(donor, found)?);
        for (place, inspection) in [(node, seen), (donor, at_donor)] {
            can_copy(place, inspection)?;
        }
        let master = self.intent().master().cloned().ok_or_else(|| {
            Refusal::new(Reason::NoMaster, "no master is registered; register one first")
        })?;
        let plan = plan_clone(self.intent(), node, seen.probe.identity, donor, &master);
        if !dry_run {
            self.begin(now, ticket, who, plan);
            return Ok(());
        }
        let plan = self.with_parts(plan);
        let elsewhere = self.view.probe(&master).map(Probe::handed_out);
        let lost = seen.probe.executed.minus(&at_donor.probe.handed_out());
        let lost = elsewhere.map_or_else(|| lost.clone(), |elsewhere| lost.minus(&elsewhere));
        let warnings = vec![destroyed(node, donor, &lost)];
        self.reply(ticket, Ok(Answer::Planned { plan, warnings }));
        Ok(())
    }

    /// A copy that is under way is not waited for.
    pub(super) fn end_copy(&mut self) {
        let copying = self.running().and_then(Execution::copying);
        if let (Some((node, _)), Some(_)) = (copying, &self.work.call) {
            let node = node.clone();
            self.outbox.push_back(Effect::EndCopy { node });
        }
    }

    /// Whether a copy is under way: it may take hours, in which nothing is urgent.
    pub fn is_copying(&self) -> bool {
        self.running().is_some_and(|execution| execution.copying().is_some())
    }

    /// The refusal to let a server replicate on top of, or from, what a copy that is not whole has
    /// left.
    pub(super) fn would_use_remains(&self, action: &Action) -> Option<ActionError> {
        let Action::Follow { node, source, .. } = action else { return None };
        let due = [node, source].into_iter().find(|node| self.intent().is_copy_due(node))?;
        Some(ActionError {
            node: node.clone(),
            action: action.to_string(),
            kind: ActionErrorKind::Unsafe,
            detail: format!("the data of {due} are no whole copy; `mysqlsvc clone {due}` first"),
        })
    }
}

/// Whether anything keeps a server from being copied, or from being copied to.
fn can_copy(node: &NodeId, found: &Inspection) -> Result<(), Refusal> {
    if found.copying.is_empty() {
        return Ok(());
    }
    let said = found.copying.iter().map(|finding| format!("{}: {}", finding.id, finding.text));
    let detail = format!("{node}: {}", said.collect::<Vec<_>>().join(" "));
    Err(Refusal::new(Reason::NotApplicable, detail))
}

fn destroyed(node: &NodeId, donor: &NodeId, lost: &GtidSet) -> Finding {
    let alone = if lost.is_empty() {
        "It holds no transaction that the others lack.".to_owned()
    } else {
        format!("Only {node} was seen to hold these transactions, which are lost by it: {lost}.")
    };
    let text = format!("everything on {node} is replaced by a copy of {donor}. {alone}");
    warnings::warning("destroys", text)
}
