//! What a look at a model server sees.

use super::{super::transaction::gtid_set, Server, Session};
use crate::{
    Flavor, GtidSet, IoThread, Millis, Probe, ReadOnly, Replication, SqlThread,
    backend::{Obstacle, ObstacleKind},
};

impl Server {
    /// What its variables read. While MySQL's SET of a freeze waits behind LOCK TABLES it reads
    /// `read_only=0, super_read_only=1`, although nothing is frozen (server-facts 1).
    pub(in crate::testing) fn reads(&self) -> ReadOnly {
        if self.flavor == Flavor::MySql && self.freeze_waits() {
            ReadOnly::Super
        } else {
            self.read_only
        }
    }

    pub(in crate::testing) fn probe(&self) -> Probe {
        Probe {
            identity: self.identity,
            flavor: self.flavor,
            version: self.version,
            read_only: self.reads(),
            read_only_set: self.read_only_set,
            executed: if self.by_position {
                GtidSet::Positions(self.stand().executed)
            } else {
                self.executed_set()
            },
            committing: GtidSet::empty(self.flavor),
            place: self.by_position.then(|| self.place()),
            quiet_from: None,
            replication: self.replication(),
            semi_sync: Some(self.semi_sync.status()),
        }
    }

    /// What a freeze would wait for, as far as the server tells: MariaDB has no way to see who
    /// holds LOCK TABLES (server-facts 2).
    pub(in crate::testing) fn obstacles(&self) -> Vec<Obstacle> {
        let seen = |session: &Session| match &session.transaction {
            _ if session.locks && self.flavor == Flavor::MySql => Some(ObstacleKind::TableLock),
            Some(rows) if !rows.is_empty() => Some(ObstacleKind::Transaction),
            _ => None,
        };
        let obstacle = |session: &Session| {
            Some(Obstacle {
                kind: seen(session)?,
                session: Some(session.id.0),
                account: session.user.clone(),
                age: None,
                detail: String::new(),
            })
        };
        self.sessions.iter().filter_map(obstacle).collect()
    }

    pub(in crate::testing) fn replication(&self) -> Option<Replication> {
        let channel = self.channel.as_ref()?;
        let io = match (channel.io_started, channel.connected) {
            (false, _) => IoThread::Stopped,
            (true, false) => IoThread::Connecting,
            (true, true) => IoThread::Running,
        };
        let sql = if channel.sql_started { SqlThread::Running } else { SqlThread::Stopped };
        let known = io == IoThread::Running && sql == SqlThread::Running;
        // A second for each transaction that waits: enough to tell a little from much.
        let waiting = u64::try_from(channel.relay.len()).unwrap_or(u64::MAX);
        Some(Replication {
            source: channel.source.clone(),
            source_identity: channel.source_identity,
            io,
            sql,
            io_error: channel.io_error.clone(),
            sql_error: channel.sql_error.clone(),
            delay: Millis(0),
            lag: known.then(|| Millis(waiting.saturating_mul(1000))),
            received: if self.by_position {
                GtidSet::Positions(channel.received_log())
            } else {
                gtid_set(self.flavor, channel.received.iter().copied())
            },
        })
    }
}
