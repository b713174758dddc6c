//! The model with one method that does not do what the contract says.

use async_trait::async_trait;
use mysqlsvc_core::{
    ActionError, ActionErrorKind, Flavor, GtidSet, LookError, Millis, NodeId, Probe,
    ReplicationBackend, Tag,
    backend::{EventName, FollowManner, Inspection, Obstacle, SemiSyncPart, Stand, Start},
    testing::World,
};

pub(crate) struct Mutant {
    pub(crate) world: World,
    pub(crate) bug: Bug,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    LookHidesTheSource,
    LookCallsAReplicaWritable,
    UnreachableIsCalledUnknown,
    FreezeKillsNobody,
    FreezeKillsEverybody,
    FreezeNamesAnEarlierPosition,
    FreezeIgnoresFailure,
    ThawDoesNothing,
    CloseKillsClients,
    AwaitAnswersAtOnce,
    AwaitCallsBehindUnknown,
    OpenKeepsReplicating,
    OpenLeavesReadOnly,
    FollowLeavesWritable,
    MutualFollowCloses,
    ForgetKeepsTheSource,
    KillCountsNobody,
    QuietIgnoresLocks,
    OpenBesideStopsReplicating,
    StopForgetsTheSource,
    StartDoesNothing,
    SemiSyncDoesNothing,
    /// By position.
    FollowPassesOverItsPlace,
}

impl Bug {
    /// Whether servers of that flavour show it at all: MariaDB cannot tell who holds a lock.
    pub(crate) fn shows(self, flavor: Flavor) -> bool {
        self != Self::QuietIgnoresLocks || flavor == Flavor::MySql
    }

    pub(crate) const ALL: [Self; 22] = [
        Self::LookHidesTheSource,
        Self::LookCallsAReplicaWritable,
        Self::UnreachableIsCalledUnknown,
        Self::FreezeKillsNobody,
        Self::FreezeKillsEverybody,
        Self::FreezeNamesAnEarlierPosition,
        Self::FreezeIgnoresFailure,
        Self::ThawDoesNothing,
        Self::CloseKillsClients,
        Self::AwaitAnswersAtOnce,
        Self::AwaitCallsBehindUnknown,
        Self::OpenKeepsReplicating,
        Self::OpenLeavesReadOnly,
        Self::FollowLeavesWritable,
        Self::MutualFollowCloses,
        Self::ForgetKeepsTheSource,
        Self::KillCountsNobody,
        Self::QuietIgnoresLocks,
        Self::OpenBesideStopsReplicating,
        Self::StopForgetsTheSource,
        Self::StartDoesNothing,
        Self::SemiSyncDoesNothing,
    ];
}

impl Mutant {
    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }
}

#[async_trait]
impl ReplicationBackend for Mutant {
    async fn look(&self, node: &NodeId) -> Result<Probe, LookError> {
        let mut probe = self.world.look(node).await?;
        if self.has(Bug::LookHidesTheSource) {
            probe.replication = None;
        }
        if self.has(Bug::LookCallsAReplicaWritable) && probe.replication.is_some() {
            probe.read_only = mysqlsvc_core::ReadOnly::Off;
        }
        Ok(probe)
    }

    async fn inspect(&self, node: &NodeId) -> Result<Inspection, LookError> {
        self.world.inspect(node).await
    }

    async fn freeze(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        let everybody = ["app".to_owned()];
        let spare: &[String] = match self.bug {
            Bug::FreezeKillsNobody => &everybody,
            Bug::FreezeKillsEverybody => &[],
            _ => spare,
        };
        let before = self.world.snapshot().servers.get(node).map(|server| server.executed.clone());
        match (self.world.freeze(node, limit, spare, tag).await, before) {
            (Ok(position), Some(_)) if self.has(Bug::FreezeNamesAnEarlierPosition) => {
                Ok(GtidSet::empty(position.flavor()))
            }
            (Err(_), Some(before)) if self.has(Bug::FreezeIgnoresFailure) => Ok(before),
            (answer, _) => answer,
        }
    }

    async fn thaw(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        if self.has(Bug::ThawDoesNothing) { Ok(()) } else { self.world.thaw(node, tag).await }
    }

    async fn close(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        if self.has(Bug::CloseKillsClients) {
            self.world.kill_clients(node, &[], tag).await?;
        }
        let answer = self.world.close(node, tag).await;
        answer.map_err(|error| match error.kind {
            ActionErrorKind::Unreachable if self.has(Bug::UnreachableIsCalledUnknown) => {
                ActionError { kind: ActionErrorKind::Unknown, ..error }
            }
            _ => error,
        })
    }

    async fn await_executed(
        &self,
        node: &NodeId,
        position: &GtidSet,
        limit: Millis,
    ) -> Result<Option<Stand>, ActionError> {
        if self.has(Bug::AwaitAnswersAtOnce) {
            return self.world.look(node).await.map(|_| None).or(Ok(None));
        }
        let answer = self.world.await_executed(node, position, limit).await;
        answer.map_err(|error| match error.kind {
            ActionErrorKind::Behind if self.has(Bug::AwaitCallsBehindUnknown) => {
                ActionError { kind: ActionErrorKind::Unknown, ..error }
            }
            _ => error,
        })
    }

    async fn open(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        match self.bug {
            Bug::OpenKeepsReplicating => self.world.thaw(node, tag).await,
            Bug::OpenLeavesReadOnly => {
                self.world.open(node, tag).await?;
                self.world.close(node, tag).await
            }
            _ => self.world.open(node, tag).await,
        }
    }

    async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        let manner = match self.bug {
            Bug::FollowLeavesWritable => FollowManner::Mutual,
            Bug::MutualFollowCloses => FollowManner::Replica,
            _ => manner,
        };
        let moved = match from {
            Some(from) if self.has(Bug::FollowPassesOverItsPlace) => {
                let place = self.world.look(node).await.ok().and_then(|probe| probe.place);
                Some(Start { judged: place.unwrap_or(from.judged.clone()), ..from.clone() })
            }
            _ => None,
        };
        let from = moved.as_ref().or(from);
        self.world.follow(node, source, manner, from, tag).await
    }

    async fn forget_source(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        if self.has(Bug::ForgetKeepsTheSource) {
            self.world.look(node).await.map(drop).or(Ok(()))
        } else {
            self.world.forget_source(node, tag).await
        }
    }

    async fn kill_clients(
        &self,
        node: &NodeId,
        spare: &[String],
        tag: &Tag,
    ) -> Result<u32, ActionError> {
        let killed = self.world.kill_clients(node, spare, tag).await?;
        Ok(if self.has(Bug::KillCountsNobody) { 0 } else { killed })
    }

    async fn await_quiet(
        &self,
        node: &NodeId,
        limit: Millis,
    ) -> Result<Vec<Obstacle>, ActionError> {
        let answer = self.world.await_quiet(node, limit).await;
        match answer {
            Err(_) if self.has(Bug::QuietIgnoresLocks) => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn open_beside(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, ActionError> {
        if self.has(Bug::OpenBesideStopsReplicating) {
            self.world.open(node, tag).await?;
        }
        self.world.open_beside(node, tag).await
    }

    async fn stop_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        if self.has(Bug::StopForgetsTheSource) {
            self.world.forget_source(node, tag).await
        } else {
            self.world.stop_replication(node, tag).await
        }
    }

    async fn start_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        if self.has(Bug::StartDoesNothing) {
            Ok(())
        } else {
            self.world.start_replication(node, tag).await
        }
    }

    async fn set_semi_sync(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        if self.has(Bug::SemiSyncDoesNothing) {
            Ok(())
        } else {
            self.world.set_semi_sync(node, part, tag).await
        }
    }

    async fn enable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.world.enable_events(node, events, tag).await
    }

    async fn disable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        self.world.disable_events(node, events, tag).await
    }

    async fn copy_from(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        self.world.copy_from(node, donor, tag).await
    }

    async fn end_copy(&self, node: &NodeId) {
        self.world.end_copy(node).await;
    }
}
