//! The raw facts of one look at one server. What they mean is judged in [`crate::state`].

use serde::{Deserialize, Serialize};

use crate::{
    Flavor, GtidSet, Identity, Millis, NodeId, Now, ServerVersion, backend::SemiSyncStatus,
    gtid::Coordinate,
};

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Which server answered.
    pub identity: Identity,
    /// Its family.
    pub flavor: Flavor,
    /// Its version.
    pub version: ServerVersion,
    /// Whom it lets write.
    pub read_only: ReadOnly,
    /// Who said so last.
    pub read_only_set: ReadOnlySet,
    /// Everything it has executed. MySQL: `gtid_executed`; MariaDB: `gtid_binlog_state` together
    /// with `gtid_slave_pos` (server-facts 2: positions alone hide errant transactions).
    pub executed: GtidSet,
    /// What it has handed out to replicas and not counted as executed yet (MySQL: `gtid_owned`,
    /// read before `gtid_executed`). MySQL sends a transaction as soon as its binary log has it,
    /// which may be well before its own commit is over. Empty on MariaDB.
    pub committing: GtidSet,
    /// By position (`gtid_mode=OFF`): where its own binary log ends. None with GTIDs.
    ///
    /// Such a server's `executed` is, as a back end sees it, what it has executed of the log of the
    /// source that it has (`Source_UUID` up to `Relay_Source_Log_File`, `Exec_Source_Log_Pos`), and
    /// empty without a source; `replication.received` likewise (`Source_Log_File`,
    /// `Read_Source_Log_Pos`); `committing` is empty. The engine makes it whole.
    #[serde(default)]
    pub place: Option<Coordinate>,
    /// By position, of a read-only server without a source: the first place in its own binary log
    /// behind which there is no transaction, but maybe new files; none where that is its end.
    #[serde(default)]
    pub quiet_from: Option<Coordinate>,
    /// Its replication from a source, if one is configured.
    pub replication: Option<Replication>,
    /// Semi-synchronous replication; none where the server does not have it (plugin not loaded).
    pub semi_sync: Option<SemiSyncStatus>,
}

impl Probe {
    /// Everything that a replica can have from it. What a replica holds beyond this is errant.
    pub fn handed_out(&self) -> GtidSet {
        self.executed.union(&self.committing)
    }
}

/// Where the value of `read_only` comes from: a server that came back from a restart is told from
/// one that somebody closed. MySQL: `performance_schema.variables_info`; MariaDB:
/// `information_schema.SYSTEM_VARIABLES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOnlySet {
    /// It started with it: an option file, a persisted value, the default.
    AtBoot,
    /// A SET since it started.
    ByStatement,
}

/// Whom a server lets write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOnly {
    /// Everybody: `read_only=0`.
    Off,
    /// Administrators only: `read_only=1`.
    On,
    /// Nobody: MySQL `super_read_only=1`, MariaDB 12 `read_only=NO_LOCK_NO_ADMIN`.
    Super,
}

impl ReadOnly {
    /// Whether an ordinary account may write.
    pub fn is_writable(self) -> bool {
        self == Self::Off
    }
}

/// A replica's side of replication, as `SHOW REPLICA STATUS` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// The address it was told to follow.
    pub source: NodeId,
    /// Who answered there, once connected. MySQL: Source_UUID; MariaDB: Master_Server_Id.
    pub source_identity: Option<Identity>,
    /// The thread that receives.
    pub io: IoThread,
    /// The thread (or the coordinator) that applies.
    pub sql: SqlThread,
    /// Why the receiving thread last failed.
    pub io_error: Option<ReplicationError>,
    /// Why the applying thread stopped.
    pub sql_error: Option<ReplicationError>,
    /// Seconds_Behind_Source, in milliseconds; none while the server does not know.
    pub lag: Option<Millis>,
    /// How far behind it is told to stay (SQL_Delay); zero for all but delayed replicas.
    pub delay: Millis,
    /// What has been received, applied or not. Empty where the server cannot say.
    pub received: GtidSet,
}

impl Replication {
    /// Whether both threads run, the receiving one connected.
    pub fn is_running(&self) -> bool {
        self.io == IoThread::Running && self.sql == SqlThread::Running
    }

    /// Whether the receiving thread is connected to its source, or (`soon`) tries to be.
    pub fn receives(&self, soon: bool) -> bool {
        match self.io {
            IoThread::Running => true,
            IoThread::Connecting => soon,
            IoThread::Stopped => false,
        }
    }

    /// Whether neither thread runs.
    pub fn stands_still(&self) -> bool {
        self.io == IoThread::Stopped && self.sql == SqlThread::Stopped
    }
}

/// The receiving thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoThread {
    /// Connected to the source.
    Running,
    /// Trying to reach it.
    Connecting,
    /// Not running.
    Stopped,
}

/// The applying thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlThread {
    /// Applying, or ready to.
    Running,
    /// Not running.
    Stopped,
}

/// An error a replication thread reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationError {
    /// The server's error number.
    pub errno: u32,
    /// The server's own words.
    pub text: String,
}

/// One look at one node: when, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When it began; nothing seen is older than this.
    pub begun: Now,
    /// When the answer was there; nothing seen is younger than this.
    pub ended: Now,
    /// What was seen.
    pub seen: Result<Probe, LookError>,
}

/// Why a look saw nothing. Each is a different state of the node, so none may be confused with
/// another: a refused login never counts as a dead server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LookError {
    /// No connection: refused, no route, name unknown, connection lost.
    #[error("cannot connect: {detail}")]
    Unreachable {
        /// What the connection attempt said.
        detail: String,
    },
    /// Connected, or connecting, but no answer within the limit.
    #[error("no answer within {limit}: the server hangs, or the network drops packets")]
    Hung {
        /// The limit that ran out.
        limit: Millis,
    },
    /// The server refused the account, or a right it needs.
    #[error("login or rights refused: {detail}")]
    Refused {
        /// The server's own words, with its error number.
        detail: String,
    },
    /// It answered, but is not a server that is supported.
    #[error("not supported: {detail}")]
    Unsupported {
        /// What was seen, and what is supported.
        detail: String,
    },
}
