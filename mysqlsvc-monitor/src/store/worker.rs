//! The thread that owns the connection.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

/// How much may be asked for at once. A cluster has one append under way at most.
const QUEUE: usize = 64;

/// How long the disk may take for one thing.
const LIMIT: Duration = Duration::from_secs(10);

/// The log is copied into the database once nothing was asked for this long.
const IDLE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A connection and the thread it lives on. Dropping it finishes what was begun and joins.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Why the thread did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Too much was asked for at once.
    #[error("too many requests are waiting for the store")]
    Full,
    /// The disk hangs. What was asked for may still happen.
    #[error("the disk did not answer within {} s", LIMIT.as_secs())]
    Hung,
    /// It panicked.
    #[error("the thread of the store has ended")]
    Ended,
}

impl Worker {
    pub(super) fn spawn(connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(connection, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does something with the connection, and gives what came of it. Once called it is done, even
    /// if nobody waits any longer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever asked may have gone; what was done is done.
            let _ = answer.send(work(connection));
        });
        let jobs = self.jobs.as_ref().ok_or(WorkerError::Ended)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => WorkerError::Full,
            TrySendError::Disconnected(_) => WorkerError::Ended,
        })?;
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(WorkerError::Ended),
            Err(_) => Err(WorkerError::Hung),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the store has panicked");
        }
    }
}

fn work(mut connection: Connection, queue: &Receiver<Job>) {
    let mut behind = false;
    loop {
        let next = if behind {
            queue.recv_timeout(IDLE)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match next {
            Ok(job) => {
                job(&mut connection);
                behind = true;
            }
            Err(RecvTimeoutError::Timeout) => {
                checkpoint(&connection);
                behind = false;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        // Nothing is lost: all of it is in the log, which only grows.
        tracing::warn!(%error, "the log of the store could not be copied into the database");
    }
}
