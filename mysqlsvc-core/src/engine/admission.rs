//! What may be asked for in which state: the same code answers requests and greys out buttons.

use super::{
    Reason, Refusal, refusal,
    semi_sync::Parts,
    view::View,
    ways::{self, way_on, wrong_state},
};
use crate::{
    GtidSet, Identity, Millis, NodeId, NodeState, OperationId, Probe, Role, ServerVersion,
    backend::{Inspection, SemiSyncPart, Severity},
    intent::Intent,
    journal::Execution,
    plan::{Forecast, Strategy},
    state::Trouble,
};

/// What admission looks at.
#[derive(Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) intent: &'a Intent,
    pub(super) view: &'a View,
    pub(super) max_lag: Millis,
    /// What came of giving parts in semi-sync; none where that is not ours to manage.
    pub(super) parts: Option<&'a Parts>,
    /// What keeps the cluster busy, if anything does.
    pub(super) busy: Option<&'a str>,
}

type Admitted = Result<(), Refusal>;

impl<'a> Situation<'a> {
    pub(super) fn state(&self, node: &NodeId) -> NodeState {
        self.view.state(node, self.intent, self.max_lag, false)
    }

    fn known_and_idle(&self, node: &NodeId) -> Admitted {
        if !self.view.is_known(node, self.intent) {
            let detail = format!(
                "{node} is not a node of this cluster; check the address, or add \
                                  it to the discovery"
            );
            return Err(Refusal::new(Reason::UnknownNode, detail));
        }
        self.idle()
    }

    /// Whether nothing keeps the cluster busy.
    pub(super) fn idle(&self) -> Admitted {
        match self.busy {
            Some(what) => Err(Refusal::new(
                Reason::Busy,
                format!("{what}; wait until that is over and ask again"),
            )),
            None => Ok(()),
        }
    }

    pub(super) fn member_role(&self, node: &NodeId) -> Result<Role, Refusal> {
        self.known_and_idle(node)?;
        match self.intent.role(node) {
            Role::Unregistered => Err(Refusal::new(
                Reason::NotRegistered,
                format!("{node} is not registered; register it first"),
            )),
            role => Ok(role),
        }
    }

    pub(super) fn master(&self) -> Result<&'a NodeId, Refusal> {
        self.intent.master().ok_or_else(|| {
            Refusal::new(Reason::NoMaster, "no master is registered; register one first")
        })
    }

    /// Whether a node may be registered, as far as can be told without asking it.
    pub(super) fn register(&self, node: &NodeId, role: Role) -> Admitted {
        self.known_and_idle(node)?;
        let has = self.intent.role(node);
        if has != Role::Unregistered {
            let detail = format!("{node} is registered as {has}; unregister it first");
            return Err(Refusal::new(Reason::AlreadyRegistered, detail));
        }
        let holder = match role {
            Role::Master => self.intent.master(),
            Role::Standby => self.intent.standby(),
            Role::Slave => None,
            Role::Unregistered => {
                let detail = "a node is registered as master, standby or slave";
                return Err(Refusal::new(Reason::WrongState, detail));
            }
        };
        if let Some(holder) = holder {
            let detail = format!(
                "{holder} is the {role}, and there is at most one; register {node} as a slave, or \
                 unregister {holder} first"
            );
            return Err(Refusal::new(Reason::RoleTaken, detail));
        }
        if role == Role::Master {
            self.nobody_else_writable(&[node])?;
        }
        Ok(())
    }

    /// Whether a node's version lets it play that role beside the others': a replica must not be
    /// older than its source, whose events it may not understand.
    pub(super) fn version_fits(
        &self,
        node: &NodeId,
        role: Role,
        version: ServerVersion,
    ) -> Admitted {
        let seen = |other: &NodeId| self.view.probe(other).map(|probe| probe.version);
        if role != Role::Master {
            return match self.intent.master().and_then(|master| Some((master, seen(master)?))) {
                Some((master, leader)) => not_older(node, version, master, leader),
                None => Ok(()),
            };
        }
        let mut others = self.intent.replicas().filter_map(|other| Some((other, seen(other)?)));
        others.try_for_each(|(other, follower)| not_older(other, follower, node, version))
    }

    /// Whether what was found on a node allows registering it.
    pub(super) fn fit(&self, node: &NodeId, found: &Inspection) -> Admitted {
        let errors: Vec<_> = found
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| format!("{}: {}", finding.id, finding.text))
            .collect();
        if !errors.is_empty() {
            let detail = format!("{node} cannot be worked with as it is. {}", errors.join(" "));
            return Err(Refusal::new(Reason::Unfit, detail));
        }
        self.same_manner(node, &found.probe)?;
        for (other, member) in self.intent.members.iter().filter(|(other, _)| *other != node) {
            if same_server(&member.identity, &found.probe.identity) {
                let detail = format!(
                    "{node} and {other} have the same server_id or server_uuid ({}); give each \
                     server its own (auto.cnf, server_id), else replication drops events silently",
                    found.probe.identity
                );
                return Err(Refusal::new(Reason::IdentityNotDistinct, detail));
            }
            if member.executed.flavor() != found.probe.flavor {
                let detail = format!(
                    "{node} is {}, but {other} is {}; a cluster is of one flavour",
                    found.probe.flavor,
                    member.executed.flavor()
                );
                return Err(Refusal::new(Reason::Incompatible, detail));
            }
        }
        Ok(())
    }

    /// Whether a node may be unregistered.
    pub(super) fn unregister(&self, node: &NodeId) -> Admitted {
        let role = self.member_role(node)?;
        if role == Role::Master && self.state(node) == NodeState::Ok {
            let detail = format!("{node} is the master and OK; switch to another node first");
            return Err(Refusal::new(Reason::WrongState, detail));
        }
        Ok(())
    }

    /// Whom a node would replicate from, whatever the states are.
    pub(super) fn source_of(&self, node: &NodeId) -> Result<NodeId, Refusal> {
        match self.member_role(node)? {
            Role::Master => self.intent.standby().cloned().ok_or_else(|| {
                let detail = "mutual replication needs a standby; register one first";
                Refusal::new(Reason::NoStandby, detail)
            }),
            _ => self.master().cloned(),
        }
    }

    /// Whether a node may be let replicate, and from whom, by what was last seen.
    /// By position it may be `given` what it holds.
    pub(super) fn activate(&self, node: &NodeId, given: bool) -> Result<NodeId, Refusal> {
        let source = self.source_of(node)?;
        if self.intent.role(node) == Role::Master {
            self.activate_reverse(node, &source)?;
            return Ok(source);
        }
        match self.state(node) {
            NodeState::Detached
            | NodeState::Lost { .. }
            | NodeState::Error(Trouble::ReplicationBroken { .. }) => {
                // A request that is decided judges by its own looks, which are in the right order.
                let errant = self.view.errant(node).filter(|_| !given);
                errant.map_or(Ok(()), |errant| no_errant(node, &source, errant))?;
                Ok(source)
            }
            NodeState::Error(Trouble::WentBack { .. }) if given => Ok(source),
            state => Err(wrong_state(
                node,
                &state,
                "only a node that is DETACHED or LOST, or whose replication is broken, can be \
                 activated",
            )),
        }
    }

    /// Whether a node may be let forget its source.
    pub(super) fn detach(&self, node: &NodeId) -> Admitted {
        let role = self.member_role(node)?;
        let Some(probe) = self.view.probe(node) else {
            let state = self.state(node);
            let detail =
                format!("{node} is {state}; it must be reachable. {}", way_on(node, &state));
            return Err(Refusal::new(Reason::Unreachable, detail));
        };
        if probe.replication.is_some() || (role == Role::Master && self.intent.mutual) {
            return Ok(());
        }
        let detail = format!("{node} replicates from nobody; there is nothing to detach");
        Err(Refusal::new(Reason::WrongState, detail))
    }

    /// Whether a node may be made to stand still.
    pub(super) fn pause(&self, node: &NodeId) -> Admitted {
        let role = self.member_role(node)?;
        match (role, self.state(node)) {
            (_, NodeState::Ok) | (Role::Standby | Role::Slave, NodeState::Syncing(_)) => Ok(()),
            (_, state) => Err(wrong_state(node, &state, "only a node that is OK can be paused")),
        }
    }

    /// Whether a node that stands still may go on.
    pub(super) fn resume(&self, node: &NodeId) -> Admitted {
        let role = self.member_role(node)?;
        let state = self.state(node);
        // A replica that is paused by intent may be going on already, or be another's replica.
        let paused = role != Role::Master && self.intent.is_paused(node);
        if !paused && !matches!(state, NodeState::Paused(_)) {
            return Err(wrong_state(node, &state, "only a node that is PAUSED can be resumed"));
        }
        if role == Role::Master {
            self.nobody_else_writable(&[node])?;
            self.replicates_from_nobody(node)?;
            return match self.view.lacking(node, self.intent) {
                Some((holder, lacks)) => Err(lacking(node, holder, &lacks)),
                None => Ok(()),
            };
        }
        self.master().map(drop)
    }

    /// A master that is opened while it replicates takes over what is written elsewhere, and makes
    /// a ring with whoever follows it.
    fn replicates_from_nobody(&self, master: &NodeId) -> Admitted {
        let channel = self.view.probe(master).and_then(|probe| probe.replication.as_ref());
        match channel.filter(|_| !self.intent.mutual) {
            None => Ok(()),
            Some(channel) => {
                let detail = format!(
                    "{master} is the master and still replicates from {}; let it forget that first \
                     (`mysqlsvc detach {master}`)",
                    channel.source
                );
                Err(Refusal::new(Reason::WrongState, detail))
            }
        }
    }

    fn activate_reverse(&self, master: &NodeId, standby: &NodeId) -> Admitted {
        self.no_mutual()?;
        let state = self.state(standby);
        if state != NodeState::Ok {
            return Err(wrong_state(standby, &state, "the standby must be OK first"));
        }
        let channel = self.view.probe(master).and_then(|probe| probe.replication.as_ref());
        if channel.is_some_and(|channel| channel.source == *standby && channel.is_running()) {
            let detail = format!("{master} replicates from {standby} already");
            return Err(Refusal::new(Reason::WrongState, detail));
        }
        Ok(())
    }

    /// Which master a switch to a node would move, whatever the states are.
    pub(super) fn switch_from(&self, to: &NodeId) -> Result<NodeId, Refusal> {
        let role = self.member_role(to)?;
        let master = self.master()?;
        if role == Role::Master {
            let detail = format!("{to} is the master already");
            return Err(Refusal::new(Reason::AlreadyMaster, detail));
        }
        Ok(master.clone())
    }

    /// Whether the master may be moved to a node, by what was last seen.
    pub(super) fn switch(&self, to: &NodeId) -> Result<NodeId, Refusal> {
        let from = self.switch_from(to)?;
        let master = &from;
        let state = self.state(master);
        if state != NodeState::Ok {
            let detail = format!(
                "the master {master} is {state}; a planned switch needs a master that is OK. {}",
                way_on(master, &state)
            );
            return Err(Refusal::new(Reason::MasterNotOk, detail));
        }
        let state = self.state(to);
        if state != NodeState::Ok {
            return Err(wrong_state(to, &state, "only a node that is OK can become the master"));
        }
        self.nobody_else_writable(&[master])?;
        // A request that is decided judges by its own looks, which are in the right order.
        if let Some(errant) = self.view.errant(to) {
            no_errant(to, master, errant)?;
        }
        self.can_lead(to, master)?;
        Ok(from)
    }

    /// Whether a replica's version and settings let it take over from the master.
    fn can_lead(&self, to: &NodeId, master: &NodeId) -> Admitted {
        let (Some(candidate), Some(leader)) = (self.view.probe(to), self.view.probe(master)) else {
            return Ok(());
        };
        let delay = candidate.replication.as_ref().map_or(Millis(0), |seen| seen.delay);
        if delay > Millis(0) {
            let detail = format!(
                "{to} is a delayed replica ({delay} behind on purpose); set its delay to 0 first"
            );
            return Err(Refusal::new(Reason::NotApplicable, detail));
        }
        not_older(to, candidate.version, master, leader.version)?;
        self.can_wait(to)
    }

    /// Whether a candidate can be given the master's part in semi-sync: found out after the pivot,
    /// it would only keep everybody from writing, or have commits acknowledged by one server.
    fn can_wait(&self, to: &NodeId) -> Admitted {
        let (Some(parts), Some(probe)) = (self.parts, self.view.probe(to)) else {
            return Ok(());
        };
        let why = match &probe.semi_sync {
            None => "its plugin is not loaded (INSTALL PLUGIN)".to_owned(),
            Some(seen) if seen.plays(SemiSyncPart::Replica) => return Ok(()),
            Some(_) => match parts.failure(to) {
                None => return Ok(()),
                Some(failed) => format!("its part could not be set: {failed}"),
            },
        };
        let detail = format!(
            "{to} could not wait for replicas as the master: {why}. Mend that, or take \
             [cluster.semi_sync] out of the configuration"
        );
        Err(Refusal::new(Reason::Unfit, detail))
    }

    /// Whether a node can follow a source: it has nothing of its own, and the source still has all
    /// that it needs. `seen` is what the node was inspected to be before the source was.
    pub(super) fn can_follow(
        &self,
        node: &NodeId,
        seen: &Inspection,
        source: &NodeId,
        found: &Inspection,
    ) -> Admitted {
        let executed = &seen.probe.executed;
        if self.intent.role(node) == Role::Master {
            // What the master has and its standby lacks is only on its way there.
            if let Some(errant) = self.view.errant(source) {
                no_errant(source, node, errant)?;
            }
        } else {
            no_errant(node, source, &executed.minus(&found.probe.handed_out()))?;
        }
        if self.intent.role(node) != Role::Master {
            own_are_there(node, &seen.probe, source, &found.probe)?;
        }
        let place = self.place_in(node, &seen.probe, source, &found.probe.identity)?;
        let Some(purged) = &found.purged else {
            return Ok(());
        };
        let gone = match place {
            Some(place) => purged.minus(&GtidSet::Positions(place)),
            None => purged.needed_beyond(executed),
        };
        if gone.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "{node} needs transactions that {source} has purged from its binary log: {gone}; \
             make it a copy of {source} first (`mysqlsvc clone {node}`)"
        );
        Err(Refusal::new(Reason::Purged, detail))
    }

    fn nobody_else_writable(&self, except: &[&NodeId]) -> Admitted {
        let writable = self.view.nodes(self.intent).find(|node| {
            !except.contains(node)
                && self.view.probe(node).is_some_and(|probe| probe.read_only.is_writable())
        });
        match writable {
            None => Ok(()),
            Some(node) => Err(Refusal::new(
                Reason::WritableElsewhere,
                format!(
                    "{node} lets applications write; make it read-only first (SET GLOBAL \
                     read_only=1), and find out who wrote to it"
                ),
            )),
        }
    }
}

fn not_older(
    replica: &NodeId,
    version: ServerVersion,
    source: &NodeId,
    its: ServerVersion,
) -> Admitted {
    if (version.major, version.minor) >= (its.major, its.minor) {
        return Ok(());
    }
    let detail = format!(
        "{replica} is of version {version}, older than {source} ({its}): a server may not \
         understand what a newer one writes; upgrade it first"
    );
    Err(Refusal::new(Reason::Incompatible, detail))
}

/// Whether a dangerous switch was asked for with open eyes. A confirmation that is given must name
/// the node, whatever the strategy.
pub(super) fn confirmed(
    to: &NodeId,
    strategy: Strategy,
    confirm: Option<&NodeId>,
    dry_run: bool,
) -> Admitted {
    let danger = "availability first lets two servers be written for a moment, and what they are \
                  told may contradict";
    let is_dangerous = strategy == Strategy::Availability && !dry_run;
    refusal::confirmed(to, confirm, is_dangerous.then_some(danger))
}

/// Whether applications would be kept from writing for no longer than they are to be.
pub(super) fn within_budget(forecast: &Forecast, budget: Option<Millis>) -> Admitted {
    match budget {
        Some(budget) if forecast.write_unavailable > budget => {
            let detail = format!(
                "applications would not be able to write for {forecast}, and downtime_budget is \
                 {budget}; wait for a quieter moment, or raise it"
            );
            Err(Refusal::new(Reason::OverBudget, detail))
        }
        _ => Ok(()),
    }
}

/// The refusal to open a master that lacks what another holds.
fn lacking(master: &NodeId, holder: &NodeId, lacks: &GtidSet) -> Refusal {
    let detail = format!(
        "{holder} holds transactions that {master} lacks: {lacks}; opened, {master} would write \
         beside them. If these are to stay, make {holder} the master (unregister both, register \
         {holder} as master, resume it); if they may go, `mysqlsvc clone {holder}`, or leave \
         {holder} aside (`mysqlsvc unregister {holder}`), and resume again"
    );
    Refusal::new(Reason::Errant, detail)
}

/// Whether the operation under way may be given up: only while it cannot go on by itself.
pub(super) fn abandon(
    operation: OperationId,
    running: Option<&Execution>,
    is_stuck: bool,
) -> Admitted {
    match running {
        Some(running) if running.operation == operation && is_stuck => Ok(()),
        Some(running) if running.operation == operation => {
            let detail = format!(
                "operation {operation} is going on, and its limits bring it to its end; only a \
                 clone, or what does not get on (the alarm operation-stuck), can be abandoned"
            );
            Err(Refusal::new(Reason::Busy, detail))
        }
        _ => {
            let detail = format!(
                "operation {operation} is not under way; `mysqlsvc operations` says how it ended"
            );
            Err(Refusal::new(Reason::WrongState, detail))
        }
    }
}

fn same_server(one: &Identity, other: &Identity) -> bool {
    one.server_id == other.server_id
        || (one.server_uuid.is_some() && one.server_uuid == other.server_uuid)
}

/// What a server wrote itself and lost, replication does not bring back.
fn own_are_there(node: &NodeId, seen: &Probe, source: &NodeId, its: &Probe) -> Admitted {
    let lost = its.executed.written_by(&seen.identity).minus(&seen.executed);
    if lost.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "{node} lacks transactions that it wrote itself, and {source} has: {lost}. It was restored \
         or lost them in a crash, and replication passes over what bears its own server_id; make it \
         a copy of {source} (`mysqlsvc clone {node}`), or give it a new server_id and server_uuid"
    );
    Err(Refusal::new(Reason::OwnLost, detail))
}

pub(super) fn no_errant(node: &NodeId, source: &NodeId, errant: &GtidSet) -> Admitted {
    if errant.is_empty() { Ok(()) } else { Err(ways::errant(node, source, errant)) }
}
