//! What each statement does to a model server.

use super::{
    super::{
        history::Event,
        server::{Channel, Power, SemiSync, Server, ServerError, Statement, Until},
        transaction::Transaction,
    },
    cluster::Cluster,
    disturbance::Cut,
};
use crate::{
    Flavor, GtidSet, NodeId, ReadOnly, ReadOnlySet, Replication,
    backend::{FollowManner, Obstacle, Stand},
    gtid::Coordinate,
};

/// What a model server answers.
#[derive(Debug)]
pub(in crate::testing) enum Reply {
    Done,
    Killed(u32),
    Variables(ReadOnly),
    Position(GtidSet),
    Stand(Stand),
    Replication(Option<Replication>),
    Obstacles(Vec<Obstacle>),
}

impl Cluster {
    /// Carries out a statement on a server that is known to run.
    pub(in crate::testing) fn execute(
        &mut self,
        node: &NodeId,
        statement: &Statement,
    ) -> Result<Reply, ServerError> {
        let donor = match statement {
            Statement::TakeData { donor } => self.donor(node, donor)?,
            _ => None,
        };
        let Some(server) = self.servers.get_mut(node) else {
            return Err(ServerError::new(2003, "no such server"));
        };
        if let Some(donor) = donor {
            server.rebuild(&donor);
        }
        let mut erased = Vec::new();
        let answer = server.execute(statement, &mut erased);
        let outcome = match &answer {
            Ok(_) => String::new(),
            Err(error) => format!(" -> {} {}", error.errno, error.text),
        };
        if statement.changes_server() || answer.is_err() {
            self.note(Event::Statement {
                node: node.clone(),
                text: format!("{statement}{outcome}"),
            });
        }
        if !erased.is_empty() {
            self.note_erased(node, Some(statement.to_string()), &erased);
        }
        self.release_unlocked(node);
        self.refresh_links();
        self.note_writable();
        answer
    }

    fn donor(&self, node: &NodeId, donor: &NodeId) -> Result<Option<Server>, ServerError> {
        let up = self.servers.get(donor).filter(|server| server.power == Power::Up);
        match up.filter(|_| !self.cuts.contains(&Cut::between(node, donor))) {
            Some(server) => Ok(Some(server.clone())),
            None => Err(ServerError::new(3862, "Clone Donor Error: connection lost")),
        }
    }

    /// Lets go on what waited for a lock that is gone.
    pub(super) fn release_unlocked(&mut self, node: &NodeId) {
        let Some(server) = self.servers.get_mut(node) else {
            return;
        };
        if server.is_locked() {
            return;
        }
        let (due, rest) =
            server.waiting.drain(..).partition(|waiting| waiting.until == Until::Unlocked);
        server.waiting = rest;
        let due: Vec<_> = due;
        for waiting in due {
            // A waiting statement's error has nobody left to hear it.
            let _ = self.execute(node, &waiting.statement);
        }
    }
}

impl Server {
    fn execute(
        &mut self,
        statement: &Statement,
        erased: &mut Vec<Transaction>,
    ) -> Result<Reply, ServerError> {
        match statement {
            Statement::KillTagged => {
                let before = self.waiting.len();
                self.waiting
                    .retain(|waiting| !waiting.tag.as_str().starts_with(crate::Tag::PREFIX));
                Ok(Reply::Killed(count(before - self.waiting.len())))
            }
            Statement::SetReadOnly(value) => self.set_read_only(*value),
            Statement::LockAllTables if self.is_locked() => Err(ServerError::lock_wait_timeout()),
            Statement::LockAllTables => {
                self.all_tables_locked = true;
                Ok(Reply::Done)
            }
            Statement::UnlockTables => {
                self.all_tables_locked = false;
                Ok(Reply::Done)
            }
            Statement::KillClients { spare } => {
                let before = self.sessions.len();
                self.sessions.retain(|session| session.is_spared(spare));
                Ok(Reply::Killed(count(before - self.sessions.len())))
            }
            Statement::StopReplication => {
                if let Some(channel) = &mut self.channel {
                    channel.stop();
                }
                Ok(Reply::Done)
            }
            Statement::ChangeSource { source, manner, at } => {
                *erased = self.change_source(source, *manner, at.clone())?;
                Ok(Reply::Done)
            }
            Statement::StartReplication => {
                *erased = self.start_replication(false)?;
                Ok(Reply::Done)
            }
            Statement::ResetSource => {
                *erased = self.reset_source()?;
                Ok(Reply::Done)
            }
            Statement::StartReceiving => {
                if let Some(channel) = &mut self.channel {
                    channel.io_started = true;
                    channel.io_error = None;
                }
                Ok(Reply::Done)
            }
            Statement::StopReceiving => {
                if let Some(channel) = &mut self.channel {
                    channel.io_started = false;
                    channel.connected = false;
                }
                Ok(Reply::Done)
            }
            Statement::SetSemiSync(part) => {
                self.semi_sync.play(*part);
                Ok(Reply::Done)
            }
            Statement::EnableEvents(events) => {
                self.events.extend(events.iter().cloned());
                Ok(Reply::Done)
            }
            Statement::DisableEvents(events) => {
                self.events.retain(|event| !events.contains(event));
                Ok(Reply::Done)
            }
            Statement::DropData => {
                *erased = self.drop_data()?;
                Ok(Reply::Done)
            }
            // The data are there; it boots.
            Statement::TakeData { .. } => {
                self.begin_log_file();
                self.read_only = self.boot_read_only;
                self.read_only_set = ReadOnlySet::AtBoot;
                self.semi_sync = SemiSync::default();
                Ok(Reply::Done)
            }
            Statement::ReadObstacles => Ok(Reply::Obstacles(self.obstacles())),
            Statement::ReadVariables => Ok(Reply::Variables(self.reads())),
            Statement::ReadPosition if self.by_position => {
                Ok(Reply::Position(GtidSet::Positions(self.whole_log())))
            }
            Statement::ReadPosition => Ok(Reply::Position(self.executed_set())),
            Statement::ReadStand => Ok(Reply::Stand(self.stand())),
            Statement::ReadReplication => Ok(Reply::Replication(self.replication())),
        }
    }

    fn set_read_only(&mut self, value: ReadOnly) -> Result<Reply, ServerError> {
        if self.read_only == value {
            self.read_only_set = ReadOnlySet::ByStatement;
            return Ok(Reply::Done);
        }
        // A commit that waits for replicas holds its lock (bugs.mysql.com 96644).
        if value != ReadOnly::Off && (self.is_locked() || !self.semi_sync.commits.is_empty()) {
            return Err(ServerError::lock_wait_timeout());
        }
        self.read_only = value;
        self.read_only_set = ReadOnlySet::ByStatement;
        if self.flavor == Flavor::MySql && value != ReadOnly::Off {
            self.boot_read_only = value;
        }
        Ok(Reply::Done)
    }

    fn change_source(
        &mut self,
        source: &NodeId,
        manner: FollowManner,
        at: Option<Coordinate>,
    ) -> Result<Vec<Transaction>, ServerError> {
        if self.all_tables_locked {
            return Err(ServerError::new(1223, "Can't execute: you have a conflicting read lock"));
        }
        let erased = self.erase_stopped_channel()?;
        if manner == FollowManner::Replica {
            // MASTER_DEMOTE_TO_SLAVE: what it wrote itself counts as replicated.
            self.replica_position = self.log.last().map(|transaction| transaction.id);
        }
        self.channel = Some(Channel::new(source.clone(), at));
        Ok(erased)
    }

    fn reset_source(&mut self) -> Result<Vec<Transaction>, ServerError> {
        let erased = self.erase_stopped_channel()?;
        self.channel = None;
        Ok(erased)
    }

    /// A copy begins. Whatever breaks off now leaves a server that says to have what it has not.
    fn drop_data(&mut self) -> Result<Vec<Transaction>, ServerError> {
        if !matches!(self.read_only, ReadOnly::On | ReadOnly::Super) {
            return Err(ServerError::new(3871, "it is not read-only"));
        }
        let erased = self.erase_stopped_channel()?;
        self.log.clear();
        self.purged = 0;
        Ok(erased)
    }

    fn erase_stopped_channel(&mut self) -> Result<Vec<Transaction>, ServerError> {
        match &mut self.channel {
            Some(channel) if channel.io_started || channel.sql_started => {
                Err(ServerError::new(3021, "replication is running; STOP REPLICA first"))
            }
            Some(channel) => Ok(channel.erase_relay_log()),
            None => Ok(Vec::new()),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
