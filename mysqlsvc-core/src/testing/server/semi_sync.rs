//! A model server's side of semi-synchronous replication.

use super::{super::transaction::TransactionId, Row, SessionId};
use crate::{
    Micros,
    backend::{SemiSyncPart, SemiSyncStatus, SemiSyncWait},
};

/// Its part, and who waits for what.
#[derive(Debug, Clone, Default)]
pub(in crate::testing) struct SemiSync {
    /// None: it plays none, as after every start.
    pub(in crate::testing) part: Option<SemiSyncPart>,
    /// How many replicas that acknowledge are connected.
    pub(in crate::testing) replicas: u32,
    /// Whether commits no longer wait, since one did for too long.
    pub(in crate::testing) degraded: bool,
    /// Committed, in the binary log, and not acknowledged yet.
    pub(in crate::testing) commits: Vec<WaitingCommit>,
}

/// A client that waits for its commit to be acknowledged.
#[derive(Debug, Clone)]
pub(in crate::testing) struct WaitingCommit {
    pub(in crate::testing) session: SessionId,
    pub(in crate::testing) rows: Vec<Row>,
    /// The last of its transactions.
    pub(in crate::testing) last: TransactionId,
    pub(in crate::testing) until: Micros,
}

impl SemiSync {
    pub(in crate::testing) fn source(&self) -> Option<SemiSyncWait> {
        match self.part {
            Some(SemiSyncPart::Source { replicas, timeout }) => {
                Some(SemiSyncWait { replicas, timeout })
            }
            _ => None,
        }
    }

    pub(in crate::testing) fn is_replica(&self) -> bool {
        self.part == Some(SemiSyncPart::Replica)
    }

    /// How commits wait at this moment, if they do.
    pub(in crate::testing) fn waits(&self) -> Option<SemiSyncWait> {
        self.source().filter(|_| !self.degraded)
    }

    pub(in crate::testing) fn play(&mut self, part: SemiSyncPart) {
        self.part = Some(part);
        self.degraded = false;
    }

    /// Takes over how many replicas acknowledge. Commits wait again once there are enough.
    pub(in crate::testing) fn connected(&mut self, replicas: u32) {
        self.replicas = replicas;
        if self.source().is_some_and(|wait| replicas >= wait.replicas) {
            self.degraded = false;
        }
    }

    pub(in crate::testing) fn status(&self) -> SemiSyncStatus {
        SemiSyncStatus {
            source: self.source(),
            replica: self.is_replica(),
            waiting: self.waits().is_some(),
            replicas: if self.source().is_some() { self.replicas } else { 0 },
        }
    }
}
