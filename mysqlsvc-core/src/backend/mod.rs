//! The seam to real servers: what the engine may ask of them, and what it may be answered.

mod action;
mod error;
mod event_name;
mod inspection;
mod obstacle;
mod place;
mod semi_sync;

use async_trait::async_trait;

pub use self::{
    action::{Action, FollowManner, Observed, Tag},
    error::{ActionError, ActionErrorKind},
    event_name::EventName,
    inspection::{Finding, Inspection, Severity},
    obstacle::{Obstacle, ObstacleKind},
    place::{Stand, Start},
    semi_sync::{SemiSyncPart, SemiSyncStatus, SemiSyncWait},
};
use crate::{GtidSet, LookError, Millis, NodeId, Probe};

/// A cluster's servers, as the engine works them.
///
/// The contract, which `testing::conformance` checks on every implementation:
/// - **Idempotent**: asking twice ends where asking once does.
/// - **Bounded**: every call ends within its limit (or the implementation's own, where the call
///   has none), whatever the server does.
/// - **Honest about not knowing**: a call that may or may not have taken effect ends in
///   [`ActionErrorKind::Unknown`]; a time-out is never "it did not happen".
/// - **Read back**: a change is reported done only when it was seen to be there afterwards.
/// - **Tagged**: every statement that changes a server carries the [`Tag`], so that one which
///   outlived its client can be found and killed; every call that changes a server begins with
///   that, else a late `STOP` or `CHANGE` of an earlier attempt arrives after its own retry.
#[async_trait]
pub trait ReplicationBackend: Send + Sync {
    /// One look, in one or two round trips.
    async fn look(&self, node: &NodeId) -> Result<Probe, LookError>;

    /// Everything that registering checks (grants, settings, distinctness is left to the caller).
    /// Slower than a look; changes nothing.
    async fn inspect(&self, node: &NodeId) -> Result<Inspection, LookError>;

    /// Stops all writes for good and returns what the server has executed, read after the last
    /// write that can ever be acknowledged.
    ///
    /// Begins by killing statements of ours that still wait on the server. Ends with ordinary
    /// clients killed, save users in `spare` (dba, repl and system sessions are always spared).
    /// At most `limit` passes; a lock that is held longer (LOCK TABLES, a commit that waits for
    /// semi-sync) gives [`ActionErrorKind::Refused`] or, if that is not certain, `Unknown`.
    async fn freeze(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, ActionError>;

    /// Undoes a freeze whose outcome may not be known: kills every tagged statement, sees it gone,
    /// then opens the server for writes and reads that back.
    async fn thaw(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Makes a replica read-only (MySQL: super_read_only). Kills nobody.
    async fn close(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Waits until `node` has executed all of `position`. Changes nothing. Returns where it then
    /// stands, if it replicates by position; none with GTIDs.
    ///
    /// By position, a server can be held to one entry of the set only: where it has a source, to
    /// that of its source (by Source_UUID), else to its own, against the end of its own binary log.
    /// The other entries say the same in other servers' words, which is the engine's business. The
    /// empty set is there at once. A set that has no such entry is [`ActionErrorKind::Refused`].
    ///
    /// [`ActionErrorKind::Behind`] when `limit` passes first, or when it is seen that the
    /// position will never be reached (the applier stopped).
    async fn await_executed(
        &self,
        node: &NodeId,
        position: &GtidSet,
        limit: Millis,
    ) -> Result<Option<Stand>, ActionError>;

    /// Stops replication on `node`, opens it for writes, reads that back.
    async fn open(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Makes `node` read-only (unless `manner` is mutual), lets it replicate from `source` by GTID
    /// with our settings (heartbeat 0.5 s, net time-out 2 s, connect retry 1 s, no end of retries), and sees both
    /// threads run. Nothing is changed where that is so already.
    ///
    /// [`ActionErrorKind::Unsafe`] when changing the source would erase a received transaction
    /// that neither `node` nor `source` has executed (invariant 5).
    ///
    /// By position (`gtid_mode=OFF`) a change of source needs `from`
    /// ([`ActionErrorKind::Refused`] without); with GTIDs, or where `source` is followed already,
    /// it is passed over. It is `Unsafe` where something was received that `node` has not executed,
    /// and where the node's own binary log does not end at `from.judged`.
    async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
        tag: &Tag,
    ) -> Result<(), ActionError>;

    /// Stops replication on `node` and makes it forget its source. The relay guard of
    /// [`Self::follow`] holds here, too; by position, what was received and is in the binary log of
    /// the source that it has is safe.
    async fn forget_source(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Ends every client session but the spared ones; returns how many were ended.
    async fn kill_clients(
        &self,
        node: &NodeId,
        spare: &[String],
        tag: &Tag,
    ) -> Result<u32, ActionError>;

    /// Waits until nothing is under way that a freeze would wait for: table locks, DDL, prepared XA
    /// transactions; and, for as long, for open transactions, which it would roll back. Changes
    /// nothing. Returns the transactions that are left.
    ///
    /// [`ActionErrorKind::Obstructed`], naming what is there, when `limit` passes first.
    async fn await_quiet(&self, node: &NodeId, limit: Millis)
    -> Result<Vec<Obstacle>, ActionError>;

    /// Opens `node` for writes while it goes on replicating (availability first), reads that back.
    /// Returns what it had executed then.
    async fn open_beside(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, ActionError>;

    /// Stops both threads, such that starting them again loses nothing that was received.
    ///
    /// [`ActionErrorKind::Unsafe`] where that cannot be had (invariant 5): a MariaDB server that
    /// holds the last copy of what it has not applied erases it when it is started again.
    async fn stop_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Starts both threads with the source that they have, and sees them run. The relay guard of
    /// [`Self::follow`] holds here, too.
    async fn start_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError>;

    /// Gives `node` a part in semi-synchronous replication, and ends the other one. A replica's
    /// receiving thread is restarted where that is what makes it take effect.
    async fn set_semi_sync(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), ActionError>;

    /// Enables scheduled events, keeping their definers. What is not there any more is passed over.
    async fn enable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError>;

    /// Sees to it that these events do not run on `node`, in a way that replicates to nobody. On a
    /// server where a read-only state stops them anyway there is nothing to do.
    async fn disable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError>;

    /// Replaces everything on `node` by a copy of `donor`, which goes on working, and sees the
    /// server back with it, read-only. Returns what it has executed then.
    ///
    /// Has no limit of its own but ends once nothing has moved for a while. From its first change
    /// on until it succeeds the data on `node` may be anything, while the server may go on saying
    /// that it has executed what it had: whatever the error, they are not to be used.
    ///
    /// [`ActionErrorKind::Refused`] where trying again as it is would not help.
    async fn copy_from(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, ActionError>;

    /// Ends a copy to `node` that is under way, here or on the server; its call ends soon after.
    /// Nothing is done where there is none.
    async fn end_copy(&self, node: &NodeId);

    /// Carries out an action: the one place where actions become calls.
    async fn perform(&self, action: &Action, tag: &Tag) -> Result<Observed, ActionError> {
        match action {
            Action::Freeze { node, limit, spare } => {
                self.freeze(node, *limit, spare, tag).await.map(Observed::Position)
            }
            Action::Thaw { node } => self.thaw(node, tag).await.map(|()| Observed::Nothing),
            Action::Close { node } => self.close(node, tag).await.map(|()| Observed::Nothing),
            Action::AwaitExecuted { node, position, limit } => {
                let stand = self.await_executed(node, position, *limit).await?;
                Ok(stand.map_or(Observed::Nothing, Observed::Stands))
            }
            Action::Open { node } => self.open(node, tag).await.map(|()| Observed::Nothing),
            Action::Follow { node, source, manner, from } => {
                let followed = self.follow(node, source, *manner, from.as_ref(), tag).await;
                followed.map(|()| Observed::Nothing)
            }
            Action::ForgetSource { node } => {
                self.forget_source(node, tag).await.map(|()| Observed::Nothing)
            }
            Action::KillClients { node, spare } => {
                self.kill_clients(node, spare, tag).await.map(Observed::Killed)
            }
            Action::AwaitQuiet { node, limit } => {
                self.await_quiet(node, *limit).await.map(Observed::Interrupts)
            }
            Action::OpenBeside { node } => {
                self.open_beside(node, tag).await.map(Observed::Position)
            }
            Action::StopReplication { node } => {
                self.stop_replication(node, tag).await.map(|()| Observed::Nothing)
            }
            Action::StartReplication { node } => {
                self.start_replication(node, tag).await.map(|()| Observed::Nothing)
            }
            Action::SetSemiSync { node, part } => {
                self.set_semi_sync(node, *part, tag).await.map(|()| Observed::Nothing)
            }
            Action::EnableEvents { node, events } => {
                self.enable_events(node, events, tag).await.map(|()| Observed::Nothing)
            }
            Action::DisableEvents { node, events } => {
                self.disable_events(node, events, tag).await.map(|()| Observed::Nothing)
            }
            Action::CopyFrom { node, donor } => {
                self.copy_from(node, donor, tag).await.map(Observed::Copied)
            }
        }
    }
}
