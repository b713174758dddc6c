//! Records on their way to the store: buffered, and written in one batch at the next barrier.

use super::{Answer, Effect, Engine, PersistTicket, Reason, Refusal, RequestTicket};
use crate::{
    Epoch, Now, RouteVersion, StoreError,
    intent::{Change, Intent},
    journal::{Entry, Progress, Record, StepError},
};

/// What is not durable yet, and who waits for it.
#[derive(Debug, Default, Clone)]
pub(super) struct Writer {
    buffer: Vec<Entry>,
    in_flight: Option<InFlight>,
    last_ticket: u64,
    replies: Vec<(RequestTicket, Answer)>,
    /// Route versions up to this one are durably reserved.
    durable: RouteVersion,
    /// The epoch that is durable: one that a crash could take back is told to nobody.
    durable_epoch: Epoch,
    /// The store failed: from now on what is done is done unrecorded, and only to take back.
    broken: Option<StoreError>,
}

/// A batch that is being written.
#[derive(Debug, Clone)]
struct InFlight {
    ticket: PersistTicket,
    replies: Vec<(RequestTicket, Answer)>,
    versions: Option<RouteVersion>,
    epoch: Epoch,
}

impl Writer {
    /// A writer behind what was read from the store.
    pub(super) fn behind(intent: &Intent) -> Self {
        Self { durable_epoch: intent.epoch, ..Self::default() }
    }

    pub(super) fn durable_epoch(&self) -> Epoch {
        self.durable_epoch
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.buffer.push(entry);
    }

    pub(super) fn reply_when_durable(&mut self, ticket: RequestTicket, answer: Answer) {
        self.replies.push((ticket, answer));
    }

    pub(super) fn durable_versions(&self) -> RouteVersion {
        self.durable
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether everything recorded so far is durable, and more can be.
    pub(super) fn is_idle(&self) -> bool {
        self.buffer.is_empty() && !self.is_waiting() && !self.is_broken()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Whether somebody waits for a batch that is not being written yet.
    pub(super) fn is_awaited(&self) -> bool {
        !self.replies.is_empty()
    }

    pub(super) fn is_clean(&self) -> bool {
        self.buffer.is_empty() || self.is_broken()
    }
}

impl Engine {
    /// A barrier: nothing goes on until everything recorded so far is durable.
    pub(super) fn flush(&mut self) {
        if self.writer.is_clean() || self.writer.is_waiting() {
            return;
        }
        self.writer.last_ticket += 1;
        let ticket = PersistTicket(self.writer.last_ticket);
        let entries = std::mem::take(&mut self.writer.buffer);
        let versions = entries.iter().rev().find_map(|entry| match &entry.record {
            Record::Changed { change: Change::VersionsReserved { up_to }, .. } => Some(*up_to),
            _ => None,
        });
        let replies = std::mem::take(&mut self.writer.replies);
        let epoch = self.intent().epoch;
        self.writer.in_flight = Some(InFlight { ticket, replies, versions, epoch });
        self.outbox.push_back(Effect::Persist { ticket, entries });
    }

    pub(super) fn persisted(
        &mut self,
        now: Now,
        ticket: PersistTicket,
        result: Result<(), StoreError>,
    ) {
        let written = self.writer.in_flight.take_if(|batch| batch.ticket == ticket);
        let Some(InFlight { replies, versions, epoch, .. }) = written else {
            return;
        };
        match result {
            Ok(()) => {
                self.writer.durable = versions.unwrap_or(self.writer.durable);
                self.writer.durable_epoch = epoch;
                for (ticket, answer) in replies {
                    self.outbox.push_back(Effect::Reply { ticket, answer: Ok(answer) });
                }
            }
            Err(error) => self.store_failed(now, &error, replies),
        }
    }

    /// Before the pivot, what was done is taken back, unrecorded; at or after it nobody knows what
    /// is durable, so the process stops and replays when it is started again (DESIGN 4).
    fn store_failed(
        &mut self,
        now: Now,
        error: &StoreError,
        replies: Vec<(RequestTicket, Answer)>,
    ) {
        self.writer.replies.splice(0..0, replies);
        self.refuse_waiting(error);
        self.writer.broken = Some(error.clone());
        let running = self.running().map(|it| (it.progress, it.can_be_taken_back()));
        match running {
            Some((Progress::Forward { next, .. }, true)) => {
                let detail = error.to_string();
                self.record(
                    now,
                    Record::Failed { step: next, error: StepError::Journal { detail } },
                );
            }
            Some((Progress::Unwinding { .. }, _)) => {}
            Some((Progress::Forward { .. } | Progress::Ended(_), _)) | None => {
                self.halt(error.to_string());
            }
        }
    }

    /// Whoever waits for something to be durable is told that it may not be.
    fn refuse_waiting(&mut self, error: &StoreError) {
        for (ticket, _) in std::mem::take(&mut self.writer.replies) {
            let refusal = Refusal::new(
                Reason::StoreFailed,
                format!(
                    "{error}; what was asked may or may not be recorded: look again after \
                         the monitor's restart"
                ),
            );
            self.outbox.push_back(Effect::Reply { ticket, answer: Err(refusal) });
        }
    }

    /// Once everything is taken back, or given up, a process whose store failed has nothing more to
    /// do.
    pub(super) fn halt_if_broken(&mut self) {
        if let Some(error) = self.writer.broken.clone() {
            self.refuse_waiting(&error);
            self.halt(error.to_string());
        }
    }
}
