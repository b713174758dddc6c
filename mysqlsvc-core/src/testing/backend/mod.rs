//! The world as a [`ReplicationBackend`]. Every future is ready at once.

mod conversation;
mod places;
mod procedures;

use async_trait::async_trait;

use self::conversation::Conversation;
use super::{
    faults::CallKind,
    server::{Power, Server, Statement},
    world::World,
};
use crate::{
    ActionError, ActionErrorKind, GtidSet, LookError, Millis, NodeId, Probe, ReplicationBackend,
    Tag,
    backend::{EventName, FollowManner, Inspection, Obstacle, SemiSyncPart, Stand, Start},
    testing::transaction::gtid_set,
};

/// How long a look waits for a server that hangs.
const LOOK_LIMIT: Millis = Millis(1_000);

impl World {
    fn call<T>(
        &self,
        kind: CallKind,
        node: &NodeId,
        tag: Option<&Tag>,
        body: impl FnOnce(&mut Conversation<'_>) -> Result<T, ActionError>,
    ) -> Result<T, ActionError> {
        let mut cluster = self.lock();
        let mut conversation = Conversation::begin(&mut cluster, kind, node, tag);
        let result = body(&mut conversation);
        conversation.end(result)
    }

    fn look_for<T>(
        &self,
        kind: CallKind,
        node: &NodeId,
        read: impl FnOnce(&Server) -> T,
    ) -> Result<T, LookError> {
        let seen = self.call(kind, node, None, |conversation| {
            conversation.limit = LOOK_LIMIT;
            conversation.send(&Statement::ReadVariables)?;
            let server = conversation.cluster.servers.get(&conversation.node).map(read);
            server.ok_or_else(|| conversation.error(ActionErrorKind::Unreachable, "no such server"))
        });
        seen.map_err(|error| match error.kind {
            ActionErrorKind::Unreachable => LookError::Unreachable { detail: error.detail },
            ActionErrorKind::Refused => LookError::Refused { detail: error.detail },
            _ if self.is_hung(node) => LookError::Hung { limit: LOOK_LIMIT },
            _ => LookError::Unreachable { detail: error.detail },
        })
    }

    fn is_hung(&self, node: &NodeId) -> bool {
        self.lock().servers.get(node).is_some_and(|server| server.power == Power::Hung)
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods themselves are not general over the conversation's lifetime"
)]
#[async_trait]
impl ReplicationBackend for World {
    async fn look(&self, node: &NodeId) -> Result<Probe, LookError> {
        self.look_for(CallKind::Look, node, Server::probe)
    }

    async fn inspect(&self, node: &NodeId) -> Result<Inspection, LookError> {
        self.look_for(CallKind::Inspect, node, |server| Inspection {
            probe: server.probe(),
            purged: Some(if server.by_position {
                GtidSet::Positions(server.purged_log())
            } else {
                let purged = server.log.iter().take(server.purged);
                gtid_set(server.flavor, purged.map(|transaction| transaction.id))
            }),
            findings: server.findings.clone(),
            obstacles: server.obstacles(),
            events: server.events.iter().cloned().collect(),
            copying: Vec::new(),
        })
    }

    async fn freeze(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        self.call(CallKind::Freeze, node, Some(tag), |conversation| {
            conversation.limit = limit;
            conversation.freeze(spare)
        })
    }

    async fn thaw(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::Thaw, node, Some(tag), |conversation| conversation.thaw())
    }

    async fn close(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::Close, node, Some(tag), |conversation| conversation.close())
    }

    async fn await_executed(
        &self,
        node: &NodeId,
        position: &GtidSet,
        limit: Millis,
    ) -> Result<Option<Stand>, ActionError> {
        self.call(CallKind::AwaitExecuted, node, None, |conversation| {
            conversation.limit = limit;
            conversation.await_executed(position)
        })
    }

    async fn open(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::Open, node, Some(tag), |conversation| conversation.open())
    }

    async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.call(CallKind::Follow, node, Some(tag), |conversation| {
            conversation.follow(source, manner, from)
        })
    }

    async fn forget_source(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::ForgetSource, node, Some(tag), |conversation| {
            conversation.forget_source()
        })
    }

    async fn kill_clients(
        &self,
        node: &NodeId,
        spare: &[String],
        tag: &Tag,
    ) -> Result<u32, ActionError> {
        self.call(CallKind::KillClients, node, Some(tag), |conversation| {
            conversation.kill_clients(spare)
        })
    }

    async fn await_quiet(
        &self,
        node: &NodeId,
        limit: Millis,
    ) -> Result<Vec<Obstacle>, ActionError> {
        self.call(CallKind::AwaitQuiet, node, None, |conversation| {
            conversation.limit = limit;
            conversation.await_quiet()
        })
    }

    async fn open_beside(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, ActionError> {
        self.call(CallKind::OpenBeside, node, Some(tag), |conversation| conversation.open_beside())
    }

    async fn stop_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::StopReplication, node, Some(tag), |conversation| {
            conversation.stop_replication()
        })
    }

    async fn start_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        self.call(CallKind::StartReplication, node, Some(tag), |conversation| {
            conversation.start_replication()
        })
    }

    async fn set_semi_sync(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.call(CallKind::SetSemiSync, node, Some(tag), |conversation| {
            conversation.set_semi_sync(part)
        })
    }

    async fn enable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.call(CallKind::EnableEvents, node, Some(tag), |conversation| {
            conversation.change_events(&Statement::EnableEvents(events.to_vec()))
        })
    }

    async fn disable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.call(CallKind::DisableEvents, node, Some(tag), |conversation| {
            conversation.change_events(&Statement::DisableEvents(events.to_vec()))
        })
    }

    async fn copy_from(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        self.call(CallKind::CopyFrom, node, Some(tag), |conversation| conversation.copy_from(donor))
    }

    /// A call here is over before anything else is asked for.
    async fn end_copy(&self, _node: &NodeId) {}
}
