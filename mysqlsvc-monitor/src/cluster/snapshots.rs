//! When what the engine knows is shown to others.

use std::{sync::Arc, time::Duration};

use mysqlsvc_core::engine::{Engine, Snapshot};
use tokio::{sync::watch, time::Instant};

/// At least this long passes from one snapshot to the next, unless someone waits for it.
const PAUSE: Duration = Duration::from_millis(20);

/// Making snapshots may take this part of the time at most: an operation has the actor first.
const SHARE: u32 = 10;

/// Shows snapshots, not too many of them.
#[derive(Debug)]
pub(super) struct Snapshots {
    sender: watch::Sender<Arc<Snapshot>>,
    stale: bool,
    earliest: Instant,
}

impl Snapshots {
    pub(super) fn new(engine: &Engine) -> (Self, watch::Receiver<Arc<Snapshot>>) {
        let (sender, receiver) = watch::channel(Arc::new(engine.snapshot()));
        (Self { sender, stale: false, earliest: Instant::now() }, receiver)
    }

    /// Something has changed.
    pub(super) fn touch(&mut self) {
        self.stale = true;
    }

    /// When to call [`Self::show`], if nothing else is to be done.
    pub(super) fn due(&self) -> Option<Instant> {
        self.stale.then_some(self.earliest)
    }

    /// Shows what is known now; gives it back, too.
    pub(super) fn show(&mut self, engine: &Engine) -> Arc<Snapshot> {
        let begun = Instant::now();
        let snapshot = Arc::new(engine.snapshot());
        self.sender.send_replace(Arc::clone(&snapshot));
        self.stale = false;
        self.earliest = Instant::now() + PAUSE.max(begun.elapsed() * SHARE);
        snapshot
    }
}
