//! A small application: it writes through the master proxy and reads through the slave proxy.

use std::time::{Duration, Instant};

use mysqlsvc_rig::{Readers, WriterOptions, Writers};

use super::{failure::Failure, ground::Ground};

/// Between two rows of one writer, while it is watched. Replicas on the same two cores, each commit
/// on disk, can follow; else the demo would show how far they fall behind.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
pub(super) const READ_PAUSE: Duration = Duration::from_millis(4);
pub(super) const READERS: u32 = 2;
const FIRST_WRITE: Duration = Duration::from_mins(1);

pub(super) struct Application {
    pub(super) writers: Writers,
    pub(super) readers: Readers,
    seen: Seen,
}

/// Counters at a moment, to tell rates.
#[derive(Clone, Copy)]
struct Seen {
    at: Instant,
    writes: u64,
    reads: u64,
    writes_per_second: f64,
    reads_per_second: f64,
}

/// Rates are those of at least so long.
const RATE_SPAN: Duration = Duration::from_millis(500);

impl Application {
    /// Begins with these writers, and waits until each has written.
    pub(super) async fn start(
        ground: &Ground,
        options: WriterOptions,
        read_pause: Option<Duration>,
    ) -> Result<Self, Failure> {
        let begun = Instant::now();
        let writers = Writers::start(&ground.master()?, options);
        let readers = Readers::start(&ground.slaves()?, READERS, read_pause.unwrap_or(READ_PAUSE));
        if !writers.all_wrote_since(begun, FIRST_WRITE).await {
            let errors = format!("{:?}", writers.errors());
            return Err(Failure::NoWrites { seconds: FIRST_WRITE.as_secs(), errors });
        }
        let seen = Seen {
            at: Instant::now(),
            writes: writers.acknowledged(),
            reads: readers.reads(),
            writes_per_second: 0.0,
            reads_per_second: 0.0,
        };
        Ok(Self { writers, readers, seen })
    }

    /// Writes and reads a second, of the last half second or so.
    pub(super) fn rates(&mut self) -> (f64, f64) {
        let elapsed = self.seen.at.elapsed();
        if elapsed >= RATE_SPAN {
            let (writes, reads) = (self.writers.acknowledged(), self.readers.reads());
            self.seen = Seen {
                at: Instant::now(),
                writes,
                reads,
                writes_per_second: rate(writes - self.seen.writes, elapsed),
                reads_per_second: rate(reads - self.seen.reads, elapsed),
            };
        }
        (self.seen.writes_per_second, self.seen.reads_per_second)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
