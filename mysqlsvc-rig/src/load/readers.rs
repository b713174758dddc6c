//! Readers, to see that reads go on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mysql_async::{Conn, prelude::Queryable as _};
use tokio::{task::JoinSet, time::sleep};

use crate::Endpoint;

const LIMIT: Duration = Duration::from_secs(15);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(10);

/// Readers at work; they end when dropped.
#[derive(Debug)]
pub struct Readers {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    reads: AtomicU64,
    errors: AtomicU64,
    pause: AtomicU64,
    stopping: AtomicBool,
}

impl Readers {
    /// Begins to read at `endpoint` with `count` connections, each pausing between two reads.
    pub fn start(endpoint: &Endpoint, count: u32, pause: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        for writer in 1..=count {
            tasks.spawn(read(endpoint.clone(), writer, Arc::clone(&shared)));
        }
        let readers = Self { shared, tasks };
        readers.set_pause(pause);
        readers
    }

    /// Reads slower or faster from now on.
    pub fn set_pause(&self, pause: Duration) {
        let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        self.shared.pause.store(micros, Ordering::Relaxed);
    }

    /// How many reads were answered.
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Ordering::Relaxed)
    }

    /// How many reads or logins failed.
    pub fn errors(&self) -> u64 {
        self.shared.errors.load(Ordering::Relaxed)
    }

    /// Lets each reader finish its read.
    pub async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn read(endpoint: Endpoint, writer: u32, shared: Arc<Shared>) {
    let sql = format!("SELECT MAX(seq) FROM rig_rows WHERE writer = {writer}");
    let mut session: Option<Conn> = None;
    while !shared.stopping.load(Ordering::Relaxed) {
        let done = async {
            let mut conn = match session.take() {
                Some(conn) => conn,
                None => endpoint.connect(LIMIT).await?,
            };
            let reading = conn.query_first::<Option<u64>, _>(&sql);
            endpoint.bounded("read", LIMIT, reading).await?;
            Ok::<_, crate::SqlError>(conn)
        };
        match done.await {
            Ok(conn) => {
                session = Some(conn);
                shared.reads.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_micros(shared.pause.load(Ordering::Relaxed))).await;
            }
            Err(error) => {
                tracing::debug!(%error, "read");
                shared.errors.fetch_add(1, Ordering::Relaxed);
                sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }
}
