//! [`MySqlBackend`]: MySQL 8.0.26 to 9.7 and MariaDB 10.6 to 11.8 behind
//! [`ReplicationBackend`].
//!
//! | file | holds |
//! |---|---|
//! | `dialect/` | every difference between flavours and versions |
//! | `session`, `pool`, `answer`, `fault` | a text in, an answer or a fault out, within a deadline |
//! | `clock` | what a server's clock will show at a deadline of ours |
//! | `work`, `sessions`, `failure` | what all actions share |
//! | `look`, `freeze/`, `open`, `await_executed`, `follow`, `relay_guard` | what a switch does |
//! | `obstacles`, `await_quiet` | what a freeze would wait for or break |
//! | `standstill`, `semi_sync`, `events` | what else is done to a server |
//! | [`copying`] | what makes a server a copy of another |
//! | `inspect/` | what registering checks |
//! | [`advice`] | what else could be better |
//!
//! The facts it is built on are the project's notes on what real servers were seen to do; where a
//! line here looks odd, it is one of them.

pub mod advice;
mod answer;
mod await_executed;
mod await_place;
mod await_quiet;
mod clock;
pub mod copying;
mod credentials;
mod dialect;
mod events;
mod failure;
mod fault;
mod follow;
mod follow_place;
mod freeze;
mod inspect;
mod limits;
mod look;
mod obstacles;
mod open;
mod pool;
mod quiet;
mod relay_guard;
mod semi_sync;
mod session;
mod sessions;
mod standstill;
mod work;

use async_trait::async_trait;
use mysqlsvc_core::{
    ActionError, GtidSet, LookError, Millis, NodeId, Probe, ReplicationBackend, Tag,
    backend::{EventName, FollowManner, Inspection, Obstacle, SemiSyncPart, Stand, Start},
};
use tokio::time::Instant;

use self::{
    copying::{Copies, CopySettings},
    failure::Failure,
    pool::Pool,
    sessions::ServerSession,
    work::Work,
};
pub use self::{
    credentials::{Credentials, Login},
    limits::Limits,
};

/// Real servers.
///
/// Keeps two sessions open with every server that was looked at, so that a switch finds them warm.
/// Does at most one change at a time on each server: the caller sees to that, as the engine does;
/// each change begins with killing whatever other tagged statement it finds.
#[derive(Debug)]
pub struct MySqlBackend {
    credentials: Credentials,
    limits: Limits,
    pool: Pool,
    copies: Copies,
    copy_settings: CopySettings,
}

impl MySqlBackend {
    /// A backend that logs in everywhere with the same accounts. Nothing is connected yet.
    pub fn new(credentials: Credentials, limits: Limits) -> Self {
        let pool = Pool::new(credentials.dba.clone(), limits);
        let (copies, copy_settings) = (Copies::default(), CopySettings::default());
        Self { credentials, limits, pool, copies, copy_settings }
    }

    /// The same with other settings for copies.
    #[must_use]
    pub fn with_copy_settings(mut self, settings: CopySettings) -> Self {
        self.copy_settings = settings;
        self
    }

    /// Users whose sessions are never killed.
    fn own_users(&self) -> [&str; 2] {
        [&self.credentials.dba.user, &self.credentials.repl.user]
    }

    fn look_error(&self, fault: fault::Fault) -> LookError {
        fault.map_text(|text| self.credentials.redact(text)).into_look_error()
    }

    fn action_error(&self, node: &NodeId, action: &str, failure: &Failure) -> ActionError {
        ActionError {
            node: node.clone(),
            action: action.to_owned(),
            kind: failure.kind,
            detail: self.credentials.redact(&failure.detail),
        }
    }

    async fn work<'a>(&self, node: &NodeId, tag: &'a Tag) -> Result<Work<'a>, Failure> {
        let deadline = Instant::now() + self.limits.action;
        Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)
    }

    async fn open_now(&self, node: &NodeId, tag: &Tag) -> Result<(), Failure> {
        let mut work = self.work(node, tag).await?;
        open::open(&mut work).await?;
        work.finish();
        Ok(())
    }

    async fn thaw_now(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, Failure> {
        let mut work = self.work(node, tag).await?;
        let executed = open::thaw(&mut work).await?;
        work.finish();
        Ok(executed)
    }

    async fn open_beside_now(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, Failure> {
        let work = self.work(node, tag).await?;
        if work.dialect().by_position {
            work.finish();
            return Err(Failure::refused(
                "it has no GTIDs (gtid_mode is OFF), so what it writes beside its source could not \
                 be told from what it replicates",
            ));
        }
        work.finish();
        self.thaw_now(node, tag).await
    }

    async fn close_now(&self, node: &NodeId, tag: &Tag) -> Result<(), Failure> {
        let mut work = self.work(node, tag).await?;
        open::close(&mut work).await?;
        work.finish();
        Ok(())
    }

    async fn kill_now(&self, node: &NodeId, spare: &[String], tag: &Tag) -> Result<u32, Failure> {
        let mut work = self.work(node, tag).await?;
        let spared = sessions::spared(self.own_users(), spare);
        let mut clients = work.sessions().await.map_err(Failure::of_question)?;
        if clients.iter().any(ServerSession::is_tagged) {
            work.clear_tagged(1).await?;
        }
        clients.retain(|session| session.is_client(&spared));
        let ids: Vec<u64> = clients.iter().map(|session| session.id).collect();
        let killed = work.kill(&ids).await.map_err(Failure::of_change)?;
        work.finish();
        if killed.denied.is_empty() {
            return Ok(killed.count);
        }
        let denied = clients.iter().filter(|session| killed.denied.contains(&session.id));
        let denied: Vec<String> =
            denied.map(|session| format!("{} of user {}", session.id, session.user)).collect();
        Err(Failure::refused(format!(
            "{} sessions were ended, but our account must not kill session {}; MySQL: GRANT \
             SYSTEM_USER, CONNECTION_ADMIN, MariaDB: GRANT CONNECTION ADMIN to it",
            killed.count,
            denied.join(", ")
        )))
    }
}

#[async_trait]
impl ReplicationBackend for MySqlBackend {
    async fn look(&self, node: &NodeId) -> Result<Probe, LookError> {
        let deadline = Instant::now() + self.limits.look;
        self.look_until(node, deadline).await.map_err(|fault| match self.look_error(fault) {
            // Not what was left of it when the last text was sent.
            LookError::Hung { .. } => LookError::Hung { limit: self.limits.look.into() },
            other => other,
        })
    }

    async fn inspect(&self, node: &NodeId) -> Result<Inspection, LookError> {
        let deadline = Instant::now() + self.limits.action;
        self.inspect_until(node, deadline).await.map_err(|fault| self.look_error(fault))
    }

    async fn freeze(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        let frozen = self.freeze_until(node, limit, spare, tag).await;
        frozen.map_err(|failure| self.action_error(node, "freeze", &failure))
    }

    async fn thaw(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let thawed = self.thaw_now(node, tag).await;
        thawed.map(drop).map_err(|failure| self.action_error(node, "thaw", &failure))
    }

    async fn close(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let closed = self.close_now(node, tag).await;
        closed.map_err(|failure| self.action_error(node, "make read-only", &failure))
    }

    async fn await_executed(
        &self,
        node: &NodeId,
        position: &GtidSet,
        limit: Millis,
    ) -> Result<Option<Stand>, ActionError> {
        let reached = self.await_until(node, position, Instant::now() + limit.into()).await;
        reached.map_err(|failure| self.action_error(node, "wait until executed", &failure))
    }

    async fn open(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let opened = self.open_now(node, tag).await;
        opened.map_err(|failure| self.action_error(node, "open for writes", &failure))
    }

    async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        let deadline = Instant::now() + self.limits.follow;
        let told = follow::Told { source, manner, from };
        let following = self.follow_until(node, told, tag, deadline).await;
        following.map_err(|failure| self.action_error(node, &format!("follow {source}"), &failure))
    }

    async fn forget_source(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let deadline = Instant::now() + self.limits.follow;
        let forgotten = self.forget_until(node, tag, deadline).await;
        forgotten.map_err(|failure| self.action_error(node, "forget the source", &failure))
    }

    async fn kill_clients(
        &self,
        node: &NodeId,
        spare: &[String],
        tag: &Tag,
    ) -> Result<u32, ActionError> {
        let killed = self.kill_now(node, spare, tag).await;
        killed.map_err(|failure| self.action_error(node, "end client sessions", &failure))
    }

    async fn await_quiet(
        &self,
        node: &NodeId,
        limit: Millis,
    ) -> Result<Vec<Obstacle>, ActionError> {
        let left = self.quiet_by(node, Instant::now() + limit.into()).await;
        left.map_err(|failure| self.action_error(node, "wait until quiet", &failure))
    }

    async fn open_beside(&self, node: &NodeId, tag: &Tag) -> Result<GtidSet, ActionError> {
        let opened = self.open_beside_now(node, tag).await;
        opened.map_err(|failure| self.action_error(node, "open beside its source", &failure))
    }

    async fn stop_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let stopped = self.stop_by(node, tag, Instant::now() + self.limits.follow).await;
        stopped.map_err(|failure| self.action_error(node, "stop replication", &failure))
    }

    async fn start_replication(&self, node: &NodeId, tag: &Tag) -> Result<(), ActionError> {
        let started = self.start_by(node, tag, Instant::now() + self.limits.follow).await;
        started.map_err(|failure| self.action_error(node, "start replication", &failure))
    }

    async fn set_semi_sync(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), ActionError> {
        let set = self.set_semi_sync_now(node, part, tag).await;
        set.map_err(|failure| self.action_error(node, &format!("semi-sync: {part}"), &failure))
    }

    async fn enable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        let enabled = self.enable_events_now(node, events, tag).await;
        enabled.map_err(|failure| self.action_error(node, "enable events", &failure))
    }

    async fn disable_events(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), ActionError> {
        let disabled = self.disable_events_now(node, events, tag).await;
        disabled.map_err(|failure| self.action_error(node, "disable events", &failure))
    }

    async fn copy_from(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, ActionError> {
        let copied = self.copy_now(node, donor, tag).await;
        copied.map_err(|failure| self.action_error(node, &format!("copy {donor}"), &failure))
    }

    async fn end_copy(&self, node: &NodeId) {
        self.copies.end(node).await;
    }
}
