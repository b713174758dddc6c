//! The statements that each method sends.

use std::collections::BTreeSet;

use super::{
    super::{
        server::{Power, Rights, Session, Statement, closed},
        transaction::TransactionId,
        world::execute::Reply,
    },
    conversation::Conversation,
};
use crate::{
    ActionError, ActionErrorKind, Flavor, GtidSet, IoThread, NodeId, ReadOnly, Replication,
    SqlThread,
    backend::{FollowManner, Obstacle, SemiSyncPart, Stand, Start},
};

/// How often a freeze looks whether a position still moves before it gives up.
const FREEZE_PASSES: u32 = 5;

/// How often a wait for a position looks before its limit has passed.
pub(super) const AWAIT_PASSES: u32 = 100;

pub(super) type Outcome<T = ()> = Result<T, ActionError>;

impl Conversation<'_> {
    pub(super) fn freeze(&mut self, spare: &[String]) -> Outcome<GtidSet> {
        self.kill_leftovers()?;
        match self.cluster.flavor {
            Flavor::MySql => {
                self.set_read_only(ReadOnly::Super)?;
                self.kill_clients(spare)?;
                self.position()
            }
            Flavor::MariaDb => {
                self.send(&Statement::LockAllTables)?;
                self.set_read_only(ReadOnly::On)?;
                self.kill_clients(spare)?;
                let position = self.position()?;
                self.send(&Statement::UnlockTables)?;
                self.stable_position(position, spare)
            }
        }
    }

    /// MariaDB's `read_only` does not stop every account, so the position is read until it stands
    /// still with nobody left to move it.
    fn stable_position(&mut self, mut before: GtidSet, spare: &[String]) -> Outcome<GtidSet> {
        for _ in 0..FREEZE_PASSES {
            self.kill_clients(spare)?;
            let position = self.position()?;
            if position == before && !self.privileged_client_left(spare) {
                return Ok(position);
            }
            before = position;
        }
        Err(self.error(ActionErrorKind::Unknown, "a privileged account goes on writing"))
    }

    fn privileged_client_left(&self, spare: &[String]) -> bool {
        let server = self.cluster.servers.get(&self.node);
        let left = |s: &Session| s.rights == Rights::Everything && !s.is_spared(spare);
        server.is_some_and(|server| server.sessions.iter().any(left))
    }

    pub(super) fn thaw(&mut self) -> Outcome {
        self.kill_leftovers()?;
        self.set_read_only(ReadOnly::Off)
    }

    /// What an earlier call left waiting would otherwise come after this one.
    fn kill_leftovers(&mut self) -> Outcome {
        self.send(&Statement::KillTagged).map(drop)
    }

    pub(super) fn open(&mut self) -> Outcome {
        self.kill_leftovers()?;
        self.send(&Statement::StopReplication)?;
        self.set_read_only(ReadOnly::Off)
    }

    pub(super) fn close(&mut self) -> Outcome {
        self.kill_leftovers()?;
        self.set_read_only(closed(self.cluster.flavor))
    }

    /// Sets the variables and reads them back.
    fn set_read_only(&mut self, value: ReadOnly) -> Outcome {
        self.send(&Statement::SetReadOnly(value))?;
        match self.send(&Statement::ReadVariables)? {
            Reply::Variables(read) if read == value => Ok(()),
            other => {
                let detail = format!("set {value:?}, but read back {other:?}");
                Err(self.error(ActionErrorKind::Unknown, detail))
            }
        }
    }

    pub(super) fn kill_clients(&mut self, spare: &[String]) -> Outcome<u32> {
        match self.send(&Statement::KillClients { spare: spare.to_vec() })? {
            Reply::Killed(killed) => Ok(killed),
            other => Err(self.error(ActionErrorKind::Unknown, format!("answered {other:?}"))),
        }
    }

    fn position(&mut self) -> Outcome<GtidSet> {
        match self.send(&Statement::ReadPosition)? {
            Reply::Position(position) => Ok(position),
            other => Err(self.error(ActionErrorKind::Unknown, format!("answered {other:?}"))),
        }
    }

    pub(super) fn replication(&mut self) -> Outcome<Option<Replication>> {
        match self.send(&Statement::ReadReplication)? {
            Reply::Replication(replication) => Ok(replication),
            other => Err(self.error(ActionErrorKind::Unknown, format!("answered {other:?}"))),
        }
    }

    pub(super) fn await_executed(&mut self, position: &GtidSet) -> Outcome<Option<Stand>> {
        if self.is_by_position() {
            return self.await_place(position).map(Some);
        }
        // Applications may write on for ever, so that something always moves.
        for _ in 0..AWAIT_PASSES {
            if self.position()?.contains(position) {
                return Ok(None);
            }
            let applying = self
                .replication()?
                .is_some_and(|replication| replication.sql == SqlThread::Running);
            if !applying {
                return Err(self.error(ActionErrorKind::Behind, "its applier is stopped"));
            }
            // What arrives meanwhile is no progress: with clients that write there is always some.
            self.cluster.receive(&self.node, usize::MAX);
            if self.cluster.apply(&self.node, usize::MAX) == 0 {
                break;
            }
        }
        self.cluster.pass(self.limit);
        Err(self.error(ActionErrorKind::Behind, "the limit passed"))
    }

    pub(super) fn follow(
        &mut self,
        source: &NodeId,
        manner: FollowManner,
        from: Option<&Start>,
    ) -> Outcome {
        self.kill_leftovers()?;
        let before = self.replication()?;
        let change = before.as_ref().is_none_or(|before| before.source != *source);
        let stopped = before.as_ref().is_none_or(Replication::stands_still);
        let running = before.as_ref().is_some_and(Replication::is_running);
        if change && self.is_by_position() {
            self.guard_place(from)?;
        } else if change || (self.cluster.flavor == Flavor::MariaDb && stopped) {
            self.guard_relay_log(source)?;
        }
        if manner == FollowManner::Replica {
            self.set_read_only(closed(self.cluster.flavor))?;
        }
        if change {
            self.send(&Statement::StopReplication)?;
            let at = from.map(|from| from.at.clone());
            self.send(&Statement::ChangeSource { source: source.clone(), manner, at })?;
        }
        if change || !running {
            self.send(&Statement::StartReplication)?;
        }
        match self.replication()? {
            Some(now) if now.source == *source && now.is_running() => Ok(()),
            Some(now) => {
                let detail = format!("told to, but I/O is {:?}, SQL is {:?}", now.io, now.sql);
                Err(self.error(ActionErrorKind::Unknown, detail))
            }
            None => Err(self.error(ActionErrorKind::Unknown, "replication is not configured")),
        }
    }

    pub(super) fn forget_source(&mut self) -> Outcome {
        self.kill_leftovers()?;
        let Some(before) = self.replication()? else {
            return Ok(());
        };
        self.guard_relay_log(&before.source)?;
        self.send(&Statement::StopReplication)?;
        self.send(&Statement::ResetSource)?;
        Ok(())
    }

    pub(super) fn await_quiet(&mut self) -> Outcome<Vec<Obstacle>> {
        let Reply::Obstacles(before) = self.send(&Statement::ReadObstacles)? else {
            return Err(self.error(ActionErrorKind::Unknown, "answered something else"));
        };
        if before.is_empty() {
            return Ok(before);
        }
        self.cluster.pass(self.limit);
        let Reply::Obstacles(left) = self.send(&Statement::ReadObstacles)? else {
            return Err(self.error(ActionErrorKind::Unknown, "answered something else"));
        };
        match left.iter().find(|obstacle| obstacle.forbids_freeze()) {
            Some(obstacle) => Err(self.error(ActionErrorKind::Obstructed, obstacle)),
            None => Ok(left),
        }
    }

    pub(super) fn open_beside(&mut self) -> Outcome<GtidSet> {
        self.kill_leftovers()?;
        let position = self.position()?;
        self.set_read_only(ReadOnly::Off)?;
        Ok(position)
    }

    /// MySQL keeps its relay log; MariaDB applies what it has received before it stands still, for
    /// starting it again erases the rest.
    pub(super) fn stop_replication(&mut self) -> Outcome {
        self.kill_leftovers()?;
        let Some(before) = self.replication()? else {
            return Ok(());
        };
        if self.cluster.flavor == Flavor::MariaDb {
            self.guard_relay_log(&before.source)?;
        }
        self.send(&Statement::StopReplication).map(drop)
    }

    pub(super) fn start_replication(&mut self) -> Outcome {
        self.kill_leftovers()?;
        let Some(before) = self.replication()? else {
            return Err(self.error(ActionErrorKind::Refused, "replication is not configured"));
        };
        if before.is_running() {
            return Ok(());
        }
        if self.cluster.flavor == Flavor::MariaDb && before.stands_still() {
            self.guard_relay_log(&before.source)?;
        }
        self.send(&Statement::StartReplication)?;
        match self.replication()? {
            Some(now) if now.is_running() => Ok(()),
            now => Err(self.error(ActionErrorKind::Unknown, format!("started, but is {now:?}"))),
        }
    }

    pub(super) fn set_semi_sync(&mut self, part: SemiSyncPart) -> Outcome {
        self.kill_leftovers()?;
        self.send(&Statement::SetSemiSync(part))?;
        let receives = self.replication()?.is_some_and(|seen| seen.io == IoThread::Running);
        if part == SemiSyncPart::Replica && receives {
            self.send(&Statement::StopReceiving)?;
            self.send(&Statement::StartReceiving)?;
        }
        Ok(())
    }

    pub(super) fn copy_from(&mut self, donor: &NodeId) -> Outcome<GtidSet> {
        self.kill_leftovers()?;
        self.send(&Statement::StopReplication)?;
        self.send(&Statement::DropData)?;
        self.send(&Statement::TakeData { donor: donor.clone() })?;
        self.position()
    }

    pub(super) fn change_events(&mut self, change: &Statement) -> Outcome {
        self.kill_leftovers()?;
        self.send(change).map(drop)
    }

    /// Invariant 5: what was received and not applied must be on this server or on `source`, else
    /// its relay log is the last copy.
    fn guard_relay_log(&mut self, source: &NodeId) -> Outcome {
        let servers = &self.cluster.servers;
        let Some(own) = servers.get(&self.node) else {
            return Ok(());
        };
        let nothing = BTreeSet::<TransactionId>::new();
        let there = servers.get(source).filter(|server| server.power == Power::Up);
        let there = there.map_or(&nothing, |server| &server.executed);
        let waiting = own.channel.iter().flat_map(|channel| &channel.relay);
        let last_copies: Vec<String> = waiting
            .map(|transaction| transaction.id)
            .filter(|id| !own.executed.contains(id) && !there.contains(id))
            .map(|id| id.to_string())
            .collect();
        if last_copies.is_empty() {
            Ok(())
        } else {
            let detail = format!("it would erase the last copy of {}", last_copies.join(", "));
            Err(self.error(ActionErrorKind::Unsafe, detail))
        }
    }
}
