//! Several writers at the same time.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use super::{
    ErrorCounts, Gap,
    writer::{Shared, Writer},
};
use crate::{Endpoint, Ledger, ledger::WriterLedger};

const POLL: Duration = Duration::from_millis(5);

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// How many writers, each with a connection of its own.
    pub writers: u32,
    /// Number of the first one. Loads that share a table need numbers of their own.
    pub first: u32,
    /// From an acknowledgement to the same writer's next row.
    pub pause: Duration,
}

impl Default for WriterOptions {
    /// Six writers, 10 ms between the rows of each: some 500 rows a second, which durable replicas
    /// on two cores can follow. Faster writers measure how far replicas fall behind, not a switch.
    fn default() -> Self {
        Self { writers: 6, first: 1, pause: Duration::from_millis(10) }
    }
}

/// Writers at work. Dropping them ends them at once, with the last rows in doubt.
#[derive(Debug)]
pub struct Writers {
    count: usize,
    ledgers: Vec<Arc<Mutex<WriterLedger>>>,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Begins to write at `endpoint`, where the tables must be.
    pub fn start(endpoint: &Endpoint, options: WriterOptions) -> Self {
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        let mut ledgers = Vec::new();
        for writer in options.first..options.first.saturating_add(options.writers) {
            let ledger = WriterLedger { writer, ..WriterLedger::default() };
            let ledger = Arc::new(Mutex::new(ledger));
            ledgers.push(Arc::clone(&ledger));
            let shared = Arc::clone(&shared);
            tasks.spawn(Writer { endpoint: endpoint.clone(), ledger, shared }.run());
        }
        let writers = Self { count: ledgers.len(), ledgers, shared, tasks };
        writers.set_pause(options.pause);
        writers
    }

    /// Writes slower or faster from now on.
    pub fn set_pause(&self, pause: Duration) {
        let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        self.shared.pause.store(micros, Ordering::Relaxed);
    }

    /// How many rows have been acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// What went wrong so far.
    pub fn errors(&self) -> ErrorCounts {
        self.shared.errors.counts()
    }

    /// Waits until every writer has been acknowledged a row after `moment`; whether that came
    /// within `limit`.
    pub async fn all_wrote_since(&self, moment: Instant, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.shared.timeline.writers_since(moment) < self.count {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
        true
    }

    /// The longest gaps between acknowledged rows that reach into `from..to`.
    pub fn gap(&self, from: Instant, to: Instant) -> Gap {
        self.shared.timeline.gap(from, to)
    }

    /// Lets each writer finish its row, and gives what they were told.
    pub async fn stop(mut self) -> Ledger {
        self.shared.stopping.store(true, Ordering::Relaxed);
        while let Some(joined) = self.tasks.join_next().await {
            if let Err(error) = joined {
                tracing::error!(%error, "a writer ended badly");
            }
        }
        let read = |ledger: &Arc<Mutex<WriterLedger>>| {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        Ledger { writers: self.ledgers.iter().map(read).collect() }
    }
}
