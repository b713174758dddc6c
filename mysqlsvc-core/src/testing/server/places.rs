//! The binary log of a model server without GTIDs: each transaction is one byte long, and each boot
//! begins a new file.

use super::{Channel, Server};
use crate::{
    backend::Stand,
    gtid::{BinaryLogName, Coordinate, PositionSet},
};

/// A file's first event.
const FIRST: u64 = 4;

/// The place after so many transactions, in that file of a log, counted from 1.
fn place(file: usize, transactions: usize) -> Coordinate {
    let number = u64::try_from(file).unwrap_or(u64::MAX);
    let offset = FIRST + u64::try_from(transactions).unwrap_or(u64::MAX - FIRST);
    Coordinate { log: BinaryLogName::of("binlog", number), offset }
}

/// Where a fresh server's log begins.
pub(in crate::testing) fn beginning() -> Coordinate {
    place(1, 0)
}

impl Server {
    /// Where its log ends.
    pub(in crate::testing) fn place(&self) -> Coordinate {
        place(1 + self.boots.len(), self.log.len())
    }

    /// It boots. With GTIDs nobody asks for files.
    pub(in crate::testing) fn begin_log_file(&mut self) {
        if self.by_position {
            self.boots.push(self.log.len());
        }
    }

    /// The end of the transaction of that index.
    pub(in crate::testing) fn end_of(&self, index: usize) -> Coordinate {
        place(1 + self.boots.iter().filter(|length| **length <= index).count(), index + 1)
    }

    /// How many transactions are before a place; none where it is beyond the end.
    pub(in crate::testing) fn index_of(&self, at: &Coordinate) -> Option<usize> {
        let within = *at <= self.place();
        usize::try_from(at.offset.checked_sub(FIRST)?).ok().filter(|_| within)
    }

    /// What a look at it says of its source's log.
    pub(in crate::testing) fn stand(&self) -> Stand {
        let executed = self.channel.as_ref().and_then(|it| it.done_at.as_ref().map(|at| (it, at)));
        let executed = executed.map(|(channel, at)| PositionSet::of(channel.source_uuid(), at));
        Stand { executed: executed.unwrap_or_default(), place: self.place(), quiet_from: None }
    }

    /// Everything in its log.
    pub(in crate::testing) fn whole_log(&self) -> PositionSet {
        PositionSet::of(self.identity.server_uuid.unwrap_or_default(), &self.place())
    }

    /// What its log no longer holds.
    pub(in crate::testing) fn purged_log(&self) -> PositionSet {
        let upto = self.purged.checked_sub(1).map_or_else(beginning, |last| self.end_of(last));
        PositionSet::of(self.identity.server_uuid.unwrap_or_default(), &upto)
    }
}

impl Channel {
    /// Who answers as its source, as Source_UUID says.
    fn source_uuid(&self) -> uuid::Uuid {
        let uuid = self.source_identity.and_then(|identity| identity.server_uuid);
        uuid.unwrap_or(PositionSet::UNKNOWN_SOURCE)
    }

    /// What it has received of its source's log.
    pub(in crate::testing) fn received_log(&self) -> PositionSet {
        let read = self.read_at.as_ref();
        read.map_or_else(PositionSet::default, |at| PositionSet::of(self.source_uuid(), at))
    }

    /// The first transaction of the relay log was applied.
    pub(in crate::testing) fn applied(&mut self) {
        self.relay.pop_front();
        self.done_at = self.ends.pop_front().or(self.done_at.take());
        if self.relay.is_empty() && self.read_at.is_some() {
            self.done_at.clone_from(&self.read_at);
        }
    }
}
