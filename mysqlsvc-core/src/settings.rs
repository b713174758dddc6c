//! The limits an operator may set for a cluster (`[cluster.switch]` in CONTRACTS 1).

use serde::{Deserialize, Serialize};

use crate::{Flavor, Millis, backend::SemiSyncPart};

/// Limits and choices of one cluster. [`Settings::default`] is what DESIGN says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// A replica further behind than this is SYNCING, and a switch to it is not begun (seed 2:
    /// "less than, say, 5 seconds").
    pub max_lag: Millis,
    /// A replica further behind than this is not offered for reads.
    pub max_read_lag: Millis,
    /// Whether replicas go on serving reads while the master is dead.
    pub reads_without_master: bool,
    /// Whether the standby serves reads beside the slaves.
    pub standby_serves_reads: bool,
    /// How long a switch waits for proxies to say that they hold.
    pub ack_timeout: Millis,
    /// How long freezing the old master may take; at most 2 s reach the server as
    /// `lock_wait_timeout`.
    pub freeze_timeout: Millis,
    /// How long the new master may take to execute what the old one had.
    pub catch_up_timeout: Millis,
    /// How long proxies hold at most; more than the three limits above together.
    pub hold_timeout: Millis,
    /// Accounts whose sessions the kill passes leave alone.
    pub kill_exclude: Vec<String>,
    /// How long a switch waits, while everybody still writes, for locks, DDL, prepared XA and open
    /// transactions on the old master to end.
    pub quiet_timeout: Millis,
    /// A switch that is expected to keep applications from writing for longer is not begun; none
    /// leaves that to whoever asks for it.
    pub downtime_budget: Option<Millis>,
    /// Semi-synchronous replication, if it is ours to manage.
    pub semi_sync: Option<SemiSync>,
}

/// How the cluster replicates semi-synchronously (`[cluster.semi_sync]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemiSync {
    /// How many replicas must have received a commit before it is acknowledged; 1 or more.
    pub wait_for: u32,
    /// How long the master waits for them before it goes on asynchronously.
    pub timeout: Millis,
}

impl SemiSync {
    /// The master's part where so many replicas acknowledge.
    pub fn source(&self, replicas: usize, flavor: Flavor) -> SemiSyncPart {
        SemiSyncPart::Source { replicas: self.number(replicas, flavor), timeout: self.timeout }
    }

    /// How many replicas a master waits for where so many acknowledge: never for more than there
    /// are, but for one at least, and on MariaDB for one, as that server knows no other way.
    pub fn number(&self, replicas: usize, flavor: Flavor) -> u32 {
        let there = u32::try_from(replicas).unwrap_or(u32::MAX).max(1);
        let most = if flavor == Flavor::MariaDb { 1 } else { there };
        self.wait_for.min(most)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_lag: Millis(5_000),
            max_read_lag: Millis(10_000),
            reads_without_master: true,
            standby_serves_reads: false,
            ack_timeout: Millis(500),
            freeze_timeout: Millis(3_000),
            catch_up_timeout: Millis(5_000),
            hold_timeout: Millis(10_000),
            kill_exclude: Vec::new(),
            quiet_timeout: Millis(2_000),
            downtime_budget: None,
            semi_sync: None,
        }
    }
}

/// Limits that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "hold_timeout is {hold}, but must exceed ack_timeout + freeze_timeout + catch_up_timeout = \
     {needed}, else proxies reopen in the middle of a switch"
)]
pub struct InvalidSettings {
    hold: Millis,
    needed: Millis,
}

impl Settings {
    /// Checks what no single field can say (CONTRACTS 2).
    pub fn validate(&self) -> Result<(), InvalidSettings> {
        let needed = Millis(self.ack_timeout.0 + self.freeze_timeout.0 + self.catch_up_timeout.0);
        if self.hold_timeout > needed {
            Ok(())
        } else {
            Err(InvalidSettings { hold: self.hold_timeout, needed })
        }
    }
}
