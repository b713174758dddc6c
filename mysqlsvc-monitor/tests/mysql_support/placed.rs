//! What the engine adds to a back end of servers without GTIDs, for checks that know of no places:
//! the core's own functions over waypoints that are written down at the same moments.

use std::sync::Mutex;

use async_trait::async_trait;
use mysqlsvc_core::{
    ActionError, ActionErrorKind, GtidSet, LookError, Millis, NodeId, Probe, ReplicationBackend,
    Tag,
    backend::{EventName, FollowManner, Inspection, Obstacle, SemiSyncPart, Stand, Start},
    gtid::PositionSet,
    intent::{OwnLog, Waypoint, complete, start},
};
use mysqlsvc_monitor::mysql::MySqlBackend;
use uuid::Uuid;

/// Real servers without GTIDs, looked at with what is known of places in their logs.
pub(crate) struct Placed<'a> {
    backend: &'a MySqlBackend,
    waypoints: Mutex<Vec<Waypoint>>,
}

impl<'a> Placed<'a> {
    pub(crate) fn new(backend: &'a MySqlBackend) -> Self {
        Self { backend, waypoints: Mutex::default() }
    }

    fn complete(&self, probe: &mut Probe) {
        let server = probe.identity.server_uuid.unwrap();
        let own = match (&probe.replication, probe.read_only.is_writable()) {
            (Some(_), _) => OwnLog::Follows,
            (None, true) => OwnLog::Leads,
            (None, false) => OwnLog::Stands,
        };
        let raw = probe.executed.positions().cloned().unwrap_or_default();
        let waypoints = self.waypoints.lock().unwrap();
        let place = probe.place.as_ref().unwrap();
        probe.executed = GtidSet::Positions(complete(&waypoints, server, own, place, &raw));
    }

    /// Writes down what a server that nobody writes to has at the end of its log.
    async fn pass(&self, node: &NodeId) {
        let Ok(probe) = self.look(node).await else { return };
        if probe.read_only.is_writable() {
            return;
        }
        let (server, at) = (probe.identity.server_uuid.unwrap(), probe.place.unwrap());
        let holds = probe.executed.positions().cloned().unwrap();
        let mut waypoints = self.waypoints.lock().unwrap();
        waypoints.retain(|it| it.server != server || it.at < at);
        waypoints.push(Waypoint { server, at, holds });
    }

    /// From where `node` goes on with `source`, as the engine finds it.
    async fn start(&self, node: &NodeId, source: &NodeId) -> Option<Start> {
        let (probe, to) = (self.look(node).await.ok()?, self.look(source).await.ok()?);
        let executed = probe.executed.positions().cloned().unwrap_or_default();
        let waypoints = self.waypoints.lock().unwrap();
        let at = start(&waypoints, &executed, to.identity.server_uuid?)?;
        Some(Start { at, judged: probe.place? })
    }

    /// The part of a set that a server can be held to.
    async fn measured(&self, node: &NodeId, position: &GtidSet) -> GtidSet {
        let Ok(probe) = self.backend.look(node).await else { return position.clone() };
        let source = probe.replication.and_then(|seen| seen.source_identity);
        let log = source.map_or(probe.identity.server_uuid, |source| source.server_uuid);
        let Some(places) = position.positions().cloned() else {
            return match log.filter(|_| !position.is_empty()) {
                Some(log) => GtidSet::Positions(never(log, probe.executed.positions())),
                None => position.clone(),
            };
        };
        let part = log.map_or(PositionSet::default(), |log| places.written_by(log));
        if part.is_empty() { position.clone() } else { GtidSet::Positions(part) }
    }
}

/// In a check's set of GTIDs that nobody will ever write, a place that no log will come to.
fn never(log: Uuid, executed: Option<&PositionSet>) -> PositionSet {
    let now = executed.and_then(|executed| executed.entry(log)).unwrap();
    PositionSet::of(log, &format!("{}.900000:4", now.log.base()).parse().unwrap())
}

#[async_trait]
impl ReplicationBackend for Placed<'_> {
    async fn look(&self, node: &NodeId) -> Result<Probe, LookError> {
        let mut probe = self.backend.look(node).await?;
        self.complete(&mut probe);
        Ok(probe)
    }

    async fn inspect(&self, node: &NodeId) -> Result<Inspection, LookError> {
        let mut inspection = self.backend.inspect(node).await?;
        self.complete(&mut inspection.probe);
        // Whatever was purged, waypoints say of which servers it was.
        let own = inspection.probe.identity.server_uuid.zip(inspection.probe.place.as_ref());
        let own = own.map(|(server, place)| GtidSet::Positions(PositionSet::of(server, place)));
        let purged = inspection.purged.take();
        let purged_more = |purged: &GtidSet| own.as_ref().is_none_or(|own| !own.contains(purged));
        inspection.purged = purged.filter(purged_more);
        Ok(inspection)
    }

    async fn freeze(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        self.backend.freeze(node, limit, spare, tag).await
    }

    async fn thaw(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.backend.thaw(node, tag).await
    }

    async fn close(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.backend.close(node, tag).await
    }

    async fn await_executed(
        &self,
        node: &NodeId,
        position: &GtidSet,
        limit: Millis,
    ) -> Result<Option<Stand>, ActionError> {
        let measured = self.measured(node, position).await;
        let stand = self.backend.await_executed(node, &measured, limit).await?;
        assert!(stand.is_some(), "a server without GTIDs stands nowhere");
        Ok(stand)
    }

    async fn open(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.pass(node).await;
        self.backend.open(node, tag).await
    }

    async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        assert!(from.is_none(), "checks know of no places");
        let from = self.start(node, source).await;
        let followed = self.backend.follow(node, source, manner, from.as_ref(), tag).await;
        match followed {
            Err(error) if error.kind == ActionErrorKind::Refused && from.is_none() => {
                Err(ActionError { kind: ActionErrorKind::Unsafe, ..error })
            }
            other => other,
        }
    }

    async fn forget_source(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let replicates = self.backend.look(node).await.is_ok_and(|it| it.replication.is_some());
        if replicates {
            self.backend.stop_replication(node, tag).await?;
            self.pass(node).await;
        }
        self.backend.forget_source(node, tag).await
    }

    async fn kill_clients(
        &self,
        node: &NodeId,
        spare: &[String],
        tag: &Tag,
    ) -> Result<u32, ActionError> {
        self.backend.kill_clients(node, spare, tag).await
    }

    async fn await_quiet(
        &self,
        node: &NodeId,
        limit: Millis,
    ) -> Result<Vec<Obstacle>, ActionError> {
        self.backend.await_quiet(node, limit).await
    }

    async fn open_beside(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, ActionError> {
        self.backend.open_beside(node, tag).await
    }

    async fn stop_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.backend.stop_replication(node, tag).await
    }

    async fn start_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.backend.start_replication(node, tag).await
    }

    async fn set_semi_sync(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.backend.set_semi_sync(node, part, tag).await
    }

    async fn enable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.backend.enable_events(node, events, tag).await
    }

    async fn disable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.backend.disable_events(node, events, tag).await
    }

    async fn copy_from(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        self.backend.copy_from(node, donor, tag).await
    }

    async fn end_copy(&self, node: &NodeId) {
        self.backend.end_copy(node).await;
    }
}
