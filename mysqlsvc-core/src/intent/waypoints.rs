//! Replication by position: which places in different servers' binary logs are the same.
//!
//! A replica says how far it has executed its source's log. That alone cannot be held against what
//! another server says of another log, nor does it tell where to go on with another source. What
//! does is written down whenever it is known exactly: a [`Waypoint`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Intent;
use crate::{
    GtidSet, NodeId, Probe, Role,
    backend::Stand,
    gtid::{Coordinate, PositionSet},
};

/// So many waypoints of a server are kept, the newest ones: each holds what those before it do, so
/// the older ones say something only about who has stood still for as many switches.
const KEPT: usize = 32;

/// A place in a server's binary log at which the server had this, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waypoint {
    /// The server.
    pub server: Uuid,
    /// The place in its own log.
    pub at: Coordinate,
    /// What everything in its log up to there amounts to, exactly.
    pub holds: PositionSet,
}

/// What a set amounts to: whoever has a server's log up to a waypoint, or further, has all that the
/// server had there.
pub fn closed(waypoints: &[Waypoint], set: &PositionSet) -> PositionSet {
    let mut all = set.clone();
    loop {
        let passed = |waypoint: &&Waypoint| {
            all.contains(&PositionSet::of(waypoint.server, &waypoint.at))
                && !all.contains(&waypoint.holds)
        };
        let Some(waypoint) = waypoints.iter().find(passed) else { return all };
        all = all.union(&waypoint.holds);
    }
}

/// What a server counts its own log as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnLog {
    /// It is the master: whatever is in its log is its word.
    Leads,
    /// It has no source: its log is what it had when that was last known, and what came since is
    /// its own.
    Stands,
    /// It follows another: its log repeats what its source's says.
    Follows,
}

/// Everything that a server has executed, by what it says of its source's log (`raw`) and where its
/// own ends.
pub fn complete(
    waypoints: &[Waypoint],
    server: Uuid,
    own: OwnLog,
    place: &Coordinate,
    raw: &PositionSet,
) -> PositionSet {
    let log = PositionSet::of(server, place);
    let said = match own {
        OwnLog::Follows => raw.clone(),
        OwnLog::Leads => raw.union(&log),
        OwnLog::Stands => {
            let mut passed = waypoints.iter().rev().filter(|it| it.server == server);
            match passed.find(|it| it.at <= *place) {
                Some(here) if here.at == *place => raw.union(&here.holds),
                Some(before) => raw.union(&log).union(&before.holds),
                None => raw.union(&log),
            }
        }
    };
    closed(waypoints, &said)
}

/// From where in the log of `to` a server goes on that has executed just this; none where no place
/// is known at which the rest of that log is exactly what the server lacks.
pub fn start(waypoints: &[Waypoint], executed: &PositionSet, to: Uuid) -> Option<Coordinate> {
    // Nothing is passed over, and nothing comes twice.
    let exact =
        |place: &Coordinate| closed(waypoints, &PositionSet::of(to, place)).contains(executed);
    let held = |it: &&Waypoint| it.server == to && executed.contains(&it.holds) && exact(&it.at);
    let waypoint = waypoints.iter().rev().find(held).map(|it| it.at.clone());
    waypoint.or_else(|| executed.entry(to).filter(exact))
}

impl Intent {
    /// Writes a waypoint down. What was said of the same place, or of later ones, was said of a log
    /// that is no more.
    pub(super) fn pass(&mut self, waypoint: &Waypoint) {
        let of_old_log = |it: &Waypoint| it.server == waypoint.server && it.at >= waypoint.at;
        self.waypoints.retain(|it| !of_old_log(it));
        let of_it = self.waypoints.iter().filter(|it| it.server == waypoint.server).count();
        if of_it >= KEPT
            && let Some(oldest) = self.waypoints.iter().position(|it| it.server == waypoint.server)
        {
            self.waypoints.remove(oldest);
        }
        self.waypoints.push(waypoint.clone());
    }

    /// What a set amounts to by all that is known; GTIDs are what they are.
    #[must_use]
    pub fn closed(&self, set: &GtidSet) -> GtidSet {
        match set {
            GtidSet::Positions(places) => GtidSet::Positions(closed(&self.waypoints, places)),
            GtidSet::MySql(_) | GtidSet::MariaDb(_) => set.clone(),
        }
    }

    /// Makes whole what a look saw of a server that replicates by position; of others nothing is
    /// changed.
    pub fn complete(&self, node: &NodeId, probe: &mut Probe) {
        let Some(place) = probe.place.clone() else { return };
        let Some(server) = probe.identity.server_uuid else { return };
        let raw = probe.executed.positions().cloned().unwrap_or_default();
        let source = probe.replication.as_ref().map(|seen| &seen.source);
        let quiet_from = probe.quiet_from.clone();
        let stand = Stand { executed: self.of_known_source(&raw, source), place, quiet_from };
        let executed = self.executed_at(node, server, source.is_some(), &stand);
        probe.executed = GtidSet::Positions(executed);
        if let Some(seen) = &mut probe.replication
            && let GtidSet::Positions(received) = &seen.received
        {
            let received = self.of_known_source(received, Some(&seen.source));
            seen.received = GtidSet::Positions(closed(&self.waypoints, &received));
        }
    }

    /// Everything that a server has executed which stands there.
    pub fn executed_at(
        &self,
        node: &NodeId,
        server: Uuid,
        has_source: bool,
        stand: &Stand,
    ) -> PositionSet {
        let own = match has_source {
            _ if self.role(node) == Role::Master => OwnLog::Leads,
            false => OwnLog::Stands,
            true => OwnLog::Follows,
        };
        let place = match own {
            OwnLog::Stands => self.unmoved(server, stand),
            OwnLog::Leads | OwnLog::Follows => &stand.place,
        };
        complete(&self.waypoints, server, own, place, &stand.executed)
    }

    /// The waypoint behind which nothing was written, if there is one: since then the server began
    /// new files, and no more. Else where its log ends.
    fn unmoved<'a>(&'a self, server: Uuid, stand: &'a Stand) -> &'a Coordinate {
        let since = stand.quiet_from.as_ref().unwrap_or(&stand.place);
        let here = |it: &&Waypoint| it.server == server && *since <= it.at && it.at <= stand.place;
        self.waypoints.iter().rev().find(here).map_or(&stand.place, |it| &it.at)
    }

    /// Whether the cluster's servers replicate by position.
    pub fn is_by_position(&self) -> bool {
        self.members.values().any(|member| member.executed.positions().is_some())
    }

    /// A replica that has not reached its source yet does not say who that is; its address does.
    pub fn of_known_source(&self, raw: &PositionSet, source: Option<&NodeId>) -> PositionSet {
        let unknown = raw.entry(PositionSet::UNKNOWN_SOURCE);
        let member = source.and_then(|node| self.members.get(node));
        let uuid = member.and_then(|member| member.identity.server_uuid);
        match (unknown, uuid) {
            (Some(place), Some(uuid)) => {
                raw.without(PositionSet::UNKNOWN_SOURCE).union(&PositionSet::of(uuid, &place))
            }
            _ => raw.clone(),
        }
    }

    /// Where a server's binary log is known to have come to already: it goes on from there, or it
    /// was reset.
    pub fn known_place(&self, server: Uuid) -> PositionSet {
        let in_waypoints = self.waypoints.iter().map(|waypoint| {
            let own = PositionSet::of(server, &waypoint.at);
            let own = if waypoint.server == server { own } else { PositionSet::default() };
            own.union(&waypoint.holds.written_by(server))
        });
        let seen = self.members.values().filter_map(|member| member.executed.positions());
        let seen = seen.map(|executed| executed.written_by(server));
        in_waypoints.chain(seen).fold(PositionSet::default(), |all, more| all.union(&more))
    }
}
