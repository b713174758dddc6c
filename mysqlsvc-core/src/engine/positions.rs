//! What may be asked for in a cluster that replicates by position.

use super::{
    Reason, Refusal,
    admission::Situation,
    placing::{begun_anew, no_position},
};
use crate::{
    Identity, NodeId, NodeState, Probe, ReadOnly,
    backend::Inspection,
    gtid::{Coordinate, PositionSet},
    intent::{Waypoint, closed, start},
    plan::Strategy,
};

type Admitted = Result<(), Refusal>;

fn refusal(reason: Reason, detail: String) -> Admitted {
    Err(Refusal::new(reason, detail))
}

fn not_offered(what: &str, instead: &str) -> Admitted {
    let detail = format!("{what} is not offered where servers replicate by position; {instead}");
    refusal(Reason::NotApplicable, detail)
}

impl Situation<'_> {
    /// A cluster is wholly by position, or wholly by GTID.
    pub(super) fn same_manner(&self, node: &NodeId, seen: &Probe) -> Admitted {
        let manner = |by_position| if by_position { "by position" } else { "by GTID" };
        let others = self.intent.members.iter().filter(|(other, it)| {
            *other != node && !it.executed.is_empty() && it.executed.flavor() == seen.flavor
        });
        for (other, member) in others {
            let (own, its) = (seen.place.is_some(), member.executed.positions().is_some());
            if own != its {
                let detail = format!(
                    "{node} replicates {}, but {other} {}; set gtid_mode alike on all servers",
                    manner(own),
                    manner(its)
                );
                return refusal(Reason::Incompatible, detail);
            }
        }
        Ok(())
    }

    /// A server whose log does not go on from where it was known to be may not lead.
    pub(super) fn same_log(&self, node: &NodeId, identity: Identity, seen: &Probe) -> Admitted {
        let (Some(place), Some(uuid)) = (&seen.place, identity.server_uuid) else {
            return Ok(());
        };
        if PositionSet::of(uuid, place).contains(&self.intent.known_place(uuid)) {
            return Ok(());
        }
        refusal(Reason::OwnLost, begun_anew(node, &place.to_string()))
    }

    pub(super) fn no_clone(&self) -> Admitted {
        if !self.intent.is_by_position() {
            return Ok(());
        }
        not_offered(
            "a clone",
            "copy the data by other means, with the place in the master's binary log that they are \
             at, and give that to `mysqlsvc activate NODE --at FILE:OFFSET`",
        )
    }

    pub(super) fn no_mutual(&self) -> Admitted {
        if !self.intent.is_by_position() {
            return Ok(());
        }
        not_offered("mutual replication", "only the standby and the slaves replicate")
    }

    /// What a switch needs so that everybody can stop at one known place.
    pub(super) fn can_stop_at_one_place(&self, to: &NodeId, strategy: Strategy) -> Admitted {
        if !self.intent.is_by_position() {
            return Ok(());
        }
        if self.intent.mutual {
            return not_offered("mutual replication", "detach the master from its standby first");
        }
        if strategy == Strategy::Availability {
            return not_offered("availability first", "put reliability first");
        }
        self.leads_alone()?;
        for node in self.intent.replicas().filter(|node| !self.intent.is_paused(node)) {
            let state = self.state(node);
            if state != NodeState::Ok {
                let detail = format!(
                    "{node} is {state}; by position every replica has to come to one known place \
                     with the master, so mend it, pause it or unregister it first"
                );
                return refusal(Reason::WrongState, detail);
            }
            let seen = self.view.probe(node).map(|probe| probe.read_only);
            if seen.is_some_and(|seen| seen != ReadOnly::Super) {
                let detail = format!(
                    "{node} lets administrators write, and what they write is not seen where \
                     servers replicate by position; SET PERSIST super_read_only=1 there first"
                );
                return refusal(Reason::Unfit, detail);
            }
        }
        match (self.view.probe(to), self.intent.members.get(to)) {
            (Some(seen), Some(member)) => self.same_log(to, member.identity, seen),
            _ => Ok(()),
        }
    }

    /// A master that still has a source would be held to that one's log, and not to its own.
    fn leads_alone(&self) -> Admitted {
        let master = self.master()?;
        let source = self.view.probe(master).and_then(|probe| probe.replication.as_ref());
        let Some(source) = source.map(|seen| &seen.source) else { return Ok(()) };
        let detail = format!(
            "the master {master} was told to follow {source} once, and has not forgotten it; \
             detach {master} first"
        );
        refusal(Reason::WrongState, detail)
    }

    /// From where in a source's log a node goes on.
    pub(super) fn place_in(
        &self,
        node: &NodeId,
        seen: &Probe,
        source: &NodeId,
        its: &Identity,
    ) -> Result<Option<PositionSet>, Refusal> {
        let Some(to) = its.server_uuid.filter(|_| seen.place.is_some()) else { return Ok(None) };
        let executed = seen.executed.positions().cloned().unwrap_or_default();
        let followed = seen.replication.as_ref().and_then(|it| it.source_identity);
        let follows = followed.is_some_and(|identity| identity.server_uuid == Some(to));
        let at = executed.entry(to).filter(|_| follows);
        let at = at.or_else(|| start(&self.intent.waypoints, &executed, to));
        let unknown = || Refusal::new(Reason::NoPosition, no_position(node, source, &executed));
        at.ok_or_else(unknown).map(|at| Some(PositionSet::of(to, &at)))
    }

    /// What is known of a node once somebody says which place in the source's log it is at.
    pub(super) fn given(
        &self,
        node: &NodeId,
        seen: &Inspection,
        source: &NodeId,
        found: &Inspection,
        at: &Coordinate,
    ) -> Result<Waypoint, Refusal> {
        let (own, its) = (&seen.probe, &found.probe);
        let (Some(place), Some(end)) = (&own.place, &its.place) else {
            let detail = format!("{node} and {source} replicate by GTID; activate it without --at");
            return Err(Refusal::new(Reason::NotApplicable, detail));
        };
        let (Some(server), Some(to)) = (own.identity.server_uuid, its.identity.server_uuid) else {
            let detail = format!("{node} or {source} has no server_uuid");
            return Err(Refusal::new(Reason::Unfit, detail));
        };
        if own.replication.is_some() {
            let detail = format!(
                "{node} has a source, whose log it may still execute; detach it first, then its \
                 data stay at the place that is given"
            );
            return Err(Refusal::new(Reason::WrongState, detail));
        }
        if at.partial_cmp(end).is_none_or(std::cmp::Ordering::is_gt) {
            let detail = format!(
                "the binary log of {source} ends at {end}; {at} is not in it, so {node} cannot be \
                 there"
            );
            return Err(Refusal::new(Reason::BeyondSource, detail));
        }
        let holds = closed(&self.intent.waypoints, &PositionSet::of(to, at));
        Ok(Waypoint { server, at: place.clone(), holds })
    }
}
