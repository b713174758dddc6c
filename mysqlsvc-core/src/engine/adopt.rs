//! Taking a cluster up again with a store that does not know it, or knows only its past: who is
//! what is read off the servers, and the epoch is higher than any that a proxy has seen
//! (invariant 6).

use std::collections::BTreeMap;

use super::{Reason, Refusal, view::View, warnings::warning};
use crate::{
    Epoch, NodeId, Probe, Role,
    backend::Finding,
    intent::{Intent, Member},
};

/// What a cluster is taken to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Higher than any that this store or a proxy has seen.
    pub epoch: Epoch,
    /// Who is what. A node that is not here stays, or becomes, unregistered.
    pub roles: BTreeMap<NodeId, Role>,
    /// Whether the master replicates from the standby.
    pub mutual: bool,
    /// Whether the master takes writes.
    pub writable: bool,
    /// What the servers said that does not fit, and what could not be seen.
    pub warnings: Vec<Finding>,
}

/// What the servers amount to, by fresh looks at all of them. `heard` is the highest epoch that a
/// proxy spoke of.
pub(super) fn adoption(
    intent: &Intent,
    view: &View,
    heard: Option<Epoch>,
) -> Result<Adoption, Refusal> {
    let seen: Vec<_> =
        view.nodes(intent).filter_map(|node| Some((node, view.probe(node)?))).collect();
    let master = the_master(&seen)?;
    let source = view.probe(master).and_then(|probe| probe.replication.as_ref());
    let mut roles = BTreeMap::from([(master.clone(), Role::Master)]);
    let mut warnings = Vec::new();
    let mut mutual = false;
    for (node, probe) in seen.iter().filter(|(node, _)| *node != master) {
        let follows = is_from(probe, master, &seen);
        let reverse = source.is_some_and(|source| source.source == **node);
        let role = match intent.role(node) {
            _ if !follows => {
                warnings.push(stranger(node, probe, master));
                continue;
            }
            _ if reverse => Role::Standby,
            Role::Standby if !roles.values().any(|role| *role == Role::Standby) => Role::Standby,
            _ => Role::Slave,
        };
        mutual |= reverse;
        roles.insert((*node).clone(), role);
    }
    if mutual {
        demote_other_standbys(&mut roles, source.map(|source| &source.source));
    }
    let unseen = view.nodes(intent).filter(|node| view.probe(node).is_none());
    warnings.extend(unseen.map(|node| {
        warning("not-seen", format!("{node} could not be looked at, and stays unregistered"))
    }));
    let epoch = heard.map_or(intent.epoch, |heard| heard.max(intent.epoch)).next();
    let writable = view.probe(master).is_some_and(|probe| probe.read_only.is_writable());
    Ok(Adoption { epoch, roles, mutual, writable, warnings })
}

/// What the adoption is written down as.
pub(super) fn members(
    adoption: &Adoption,
    intent: &Intent,
    view: &View,
) -> BTreeMap<NodeId, Member> {
    let member = |(node, role): (&NodeId, &Role)| {
        let probe = view.probe(node)?;
        let (identity, executed) = (probe.identity, probe.executed.clone());
        let copy_due = intent.is_copy_due(node);
        let member = Member { role: *role, identity, executed, paused: false, copy_due };
        Some((node.clone(), member))
    };
    adoption.roles.iter().filter_map(member).collect()
}

/// The one server that is writable; where none is, the one that others follow and that follows
/// none of them.
fn the_master<'a>(seen: &[(&'a NodeId, &Probe)]) -> Result<&'a NodeId, Refusal> {
    let writable: Vec<_> = seen
        .iter()
        .filter(|(_, probe)| probe.read_only.is_writable())
        .map(|(node, _)| *node)
        .collect();
    let candidates = if writable.is_empty() {
        let followed = |node: &NodeId| seen.iter().any(|(_, other)| is_from(other, node, seen));
        let follows = |probe: &Probe| seen.iter().any(|(node, _)| is_from(probe, node, seen));
        let roots = seen.iter().filter(|(node, probe)| followed(node) && !follows(probe));
        roots.map(|(node, _)| *node).collect()
    } else {
        writable
    };
    match candidates[..] {
        [master] => Ok(master),
        [] => Err(Refusal::new(
            Reason::Ambiguous,
            "no server is writable, and none is followed by the others; register the master by \
             hand",
        )),
        _ => {
            let all: Vec<_> = candidates.iter().map(ToString::to_string).collect();
            let detail = format!(
                "several servers may be the master: {}; make all but the right one read-only, or \
                 register it by hand",
                all.join(", ")
            );
            Err(Refusal::new(Reason::Ambiguous, detail))
        }
    }
}

/// Whether a server replicates from that one: by who answered there, else by address.
fn is_from(probe: &Probe, node: &NodeId, seen: &[(&NodeId, &Probe)]) -> bool {
    let Some(replication) = &probe.replication else {
        return false;
    };
    let identity = seen.iter().find(|(other, _)| *other == node).map(|(_, seen)| seen.identity);
    match replication.source_identity {
        Some(source) if source.server_uuid.is_some() => {
            identity.is_some_and(|identity| identity.server_uuid == source.server_uuid)
        }
        _ => replication.source == *node,
    }
}

fn demote_other_standbys(roles: &mut BTreeMap<NodeId, Role>, standby: Option<&NodeId>) {
    for (node, role) in roles.iter_mut() {
        if *role == Role::Standby && Some(node) != standby {
            *role = Role::Slave;
        }
    }
}

fn stranger(node: &NodeId, probe: &Probe, master: &NodeId) -> Finding {
    let source = probe.replication.as_ref().map_or_else(
        || "replicates from nobody".to_owned(),
        |seen| format!("replicates from {}", seen.source),
    );
    warning("not-a-replica", format!("{node} {source}, not from {master}, and stays unregistered"))
}
