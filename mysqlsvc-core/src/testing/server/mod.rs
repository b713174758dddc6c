//! One model server: its data, variables, sessions and replication.

mod channel;
mod look;
mod places;
mod semi_sync;
mod session;
mod statement;

use std::collections::BTreeSet;

pub use self::{
    channel::Applier,
    session::{Rights, SessionId},
};
pub(super) use self::{
    channel::Channel,
    places::beginning,
    semi_sync::{SemiSync, WaitingCommit},
    session::Session,
    statement::{ServerError, Statement, Until, Waiting},
};
use super::{
    faults::CallKind,
    transaction::{Row, Transaction, TransactionId, gtid_set},
};
use crate::{
    Flavor, GtidSet, Identity, ReadOnly, ReadOnlySet, ServerVersion,
    backend::{EventName, Finding},
};

/// Whether a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It does.
    Up,
    /// Its process is stopped (SIGSTOP): it accepts and never answers.
    Hung,
    /// Its process is gone.
    Down,
}

#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) identity: Identity,
    pub(super) flavor: Flavor,
    pub(super) version: ServerVersion,
    pub(super) power: Power,
    pub(super) read_only: ReadOnly,
    pub(super) read_only_set: ReadOnlySet,
    /// What a restart begins with. MySQL: the persisted value; MariaDB: the option file's.
    pub(super) boot_read_only: ReadOnly,
    /// Everything executed, in the order of the binary log.
    pub(super) log: Vec<Transaction>,
    /// Whether it gives no GTIDs (`gtid_mode=OFF`), so that others follow it by position.
    pub(super) by_position: bool,
    /// How long the log was at each boot, which begins a new file.
    pub(super) boots: Vec<usize>,
    /// How many transactions at the beginning of the log are no longer in the binary log.
    pub(super) purged: usize,
    /// The same as `log`, for asking.
    pub(super) executed: BTreeSet<TransactionId>,
    /// MariaDB's `gtid_slave_pos`.
    pub(super) replica_position: Option<TransactionId>,
    pub(super) channel: Option<Channel>,
    pub(super) applier: Applier,
    pub(super) sessions: Vec<Session>,
    pub(super) waiting: Vec<Waiting>,
    /// FLUSH TABLES WITH READ LOCK is held.
    pub(super) all_tables_locked: bool,
    pub(super) login_refused: bool,
    pub(super) denied: BTreeSet<CallKind>,
    pub(super) findings: Vec<Finding>,
    pub(super) semi_sync: SemiSync,
    /// The scheduled events that are enabled.
    pub(super) events: BTreeSet<EventName>,
}

impl Server {
    pub(super) fn new(identity: Identity, flavor: Flavor) -> Self {
        Self {
            identity,
            flavor,
            version: match flavor {
                Flavor::MySql => ServerVersion::new(8, 4, 3),
                Flavor::MariaDb => ServerVersion::new(10, 11, 19),
            },
            power: Power::Up,
            read_only: closed(flavor),
            read_only_set: ReadOnlySet::AtBoot,
            boot_read_only: closed(flavor),
            log: Vec::new(),
            by_position: false,
            boots: Vec::new(),
            purged: 0,
            executed: BTreeSet::new(),
            replica_position: None,
            channel: None,
            applier: Applier::Free,
            sessions: Vec::new(),
            waiting: Vec::new(),
            all_tables_locked: false,
            login_refused: false,
            denied: BTreeSet::new(),
            findings: Vec::new(),
            semi_sync: SemiSync::default(),
            events: BTreeSet::new(),
        }
    }

    /// Whether an application that gets through to it could have a write acknowledged, now or as
    /// soon as a lock goes. A freeze that still waits changes nothing about that.
    pub(super) fn is_writable(&self) -> bool {
        self.power != Power::Down && self.read_only.is_writable()
    }

    pub(super) fn executed_set(&self) -> GtidSet {
        gtid_set(self.flavor, self.executed.iter().copied())
    }

    pub(super) fn rows(&self) -> BTreeSet<Row> {
        self.log.iter().map(|transaction| transaction.row).collect()
    }

    /// Whether it has a transaction, applied or received.
    pub(super) fn holds(&self, id: TransactionId) -> bool {
        let received = |channel: &Channel| channel.relay.iter().any(|waiting| waiting.id == id);
        self.executed.contains(&id) || self.channel.as_ref().is_some_and(received)
    }

    /// Whether a client holds LOCK TABLES.
    pub(super) fn is_locked(&self) -> bool {
        self.sessions.iter().any(|session| session.locks)
    }

    /// Whether MySQL's SET of a freeze waits behind a lock: it blocks writers already.
    pub(super) fn freeze_waits(&self) -> bool {
        self.waiting.iter().any(|waiting| {
            waiting.until == Until::Unlocked
                && matches!(waiting.statement, Statement::SetReadOnly(_))
        })
    }

    /// Why a write of that account would be refused, if it would.
    pub(super) fn refuses_write(&self, rights: Rights) -> bool {
        match (self.flavor, self.read_only) {
            (_, ReadOnly::Off) => false,
            (_, ReadOnly::On) => rights == Rights::Ordinary,
            (_, ReadOnly::Super) => true,
        }
    }

    /// Commits a row written here.
    pub(super) fn commit(&mut self, row: Row) {
        let counted_with_ours =
            |id: &TransactionId| self.flavor == Flavor::MariaDb || id.origin == self.identity;
        let ours = self.executed.iter().filter(|id| counted_with_ours(id));
        let number = ours.map(|id| id.number).max().unwrap_or(0) + 1;
        self.append(Transaction { id: TransactionId { origin: self.identity, number }, row });
    }

    /// Applies a transaction written elsewhere.
    pub(super) fn apply(&mut self, transaction: Transaction) -> Result<(), ServerError> {
        match self.flavor {
            // Nothing tells that it is there already but its row.
            Flavor::MySql if self.by_position && self.executed.contains(&transaction.id) => {
                let text = format!("Duplicate entry '{}' for key 'PRIMARY'", transaction.row);
                return Err(ServerError::new(1062, text));
            }
            // What is in gtid_executed already is passed over.
            Flavor::MySql if self.executed.contains(&transaction.id) => return Ok(()),
            Flavor::MySql => {}
            Flavor::MariaDb => {
                let newest = self.executed.iter().map(|id| id.number).max().unwrap_or(0);
                if transaction.id.number <= newest {
                    let text = format!(
                        "An attempt was made to binlog GTID {} which would create an out-of-order \
                         sequence number, and gtid strict mode is enabled",
                        transaction.id,
                    );
                    return Err(ServerError::new(1950, text));
                }
                self.replica_position = Some(transaction.id);
            }
        }
        self.append(transaction);
        Ok(())
    }

    fn append(&mut self, transaction: Transaction) {
        self.executed.insert(transaction.id);
        self.log.push(transaction);
    }

    /// kill -9: sessions, locks, waiting statements and variables are gone; committed data stay.
    pub(super) fn crash(&mut self) {
        self.power = Power::Down;
        self.sessions.clear();
        self.waiting.clear();
        self.semi_sync.commits.clear();
        self.all_tables_locked = false;
        if let Some(channel) = &mut self.channel {
            channel.connected = false;
        }
    }

    /// Power is lost, and the last so many transactions had not been synced; nor had the relay
    /// log, which a boot after this writes anew (`relay_log_recovery`). Returns what was in it.
    pub(super) fn lose_power(&mut self, transactions: usize) -> Vec<Transaction> {
        let lost = self.log.split_off(self.log.len().saturating_sub(transactions));
        for transaction in &lost {
            self.executed.remove(&transaction.id);
        }
        let went_back = lost.iter().any(|gone| Some(gone.id) == self.replica_position);
        if went_back {
            self.replica_position = self.log.last().map(|transaction| transaction.id);
        }
        self.purged = self.purged.min(self.log.len());
        for length in &mut self.boots {
            *length = self.log.len().min(*length);
        }
        self.crash();
        self.channel.as_mut().map(Channel::erase_relay_log).unwrap_or_default()
    }

    /// Takes over another server's data, as a clone or a backup does; it is left read-only, and
    /// follows nobody.
    pub(super) fn rebuild(&mut self, from: &Self) {
        self.log.clone_from(&from.log);
        self.executed.clone_from(&from.executed);
        self.purged = from.log.len();
        self.boots.clear();
        self.begin_log_file();
        self.replica_position = from.log.last().map(|transaction| transaction.id);
        self.channel = None;
        self.sessions.clear();
        self.waiting.clear();
        self.read_only = closed(self.flavor);
    }

    /// Boots it; replication that is configured starts. Returns what was lost of the relay log,
    /// which MariaDB, replicating by GTID, writes anew.
    pub(super) fn start(&mut self) -> Vec<Transaction> {
        if self.power != Power::Down {
            return Vec::new();
        }
        self.power = Power::Up;
        self.begin_log_file();
        self.read_only = self.boot_read_only;
        self.read_only_set = ReadOnlySet::AtBoot;
        self.semi_sync = SemiSync::default();
        self.start_replication(true).unwrap_or_default()
    }

    /// START REPLICA; returns what it erased of the relay log.
    pub(super) fn start_replication(
        &mut self,
        booting: bool,
    ) -> Result<Vec<Transaction>, ServerError> {
        if let Some(channel) = self.channel.as_mut().filter(|_| booting) {
            channel.stop();
        }
        let erased = self.start_applier();
        let Some(channel) = &mut self.channel else {
            return Err(ServerError::new(1200, "The server is not configured as replica"));
        };
        channel.io_started = true;
        channel.io_error = None;
        Ok(erased)
    }

    /// START REPLICA SQL_THREAD; returns what it erased of the relay log: on MariaDB all of it, if
    /// neither thread ran (`ha-managers.md` 2a).
    pub(super) fn start_applier(&mut self) -> Vec<Transaction> {
        let Some(channel) = &mut self.channel else { return Vec::new() };
        let stood = !channel.sql_started && !channel.io_started;
        channel.sql_started = true;
        channel.sql_error = None;
        if self.flavor == Flavor::MariaDb && stood {
            channel.read_up_to = self.replica_position;
            channel.erase_relay_log()
        } else {
            Vec::new()
        }
    }
}

/// What a replica of that flavour is set to.
pub(super) fn closed(flavor: Flavor) -> ReadOnly {
    match flavor {
        Flavor::MySql => ReadOnly::Super,
        Flavor::MariaDb => ReadOnly::On,
    }
}
