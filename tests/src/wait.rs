//! Waiting for a condition, never for a time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Nothing in these tests takes this long unless it is broken.
pub const LIMIT: Duration = Duration::from_mins(2);

/// Waits until `condition` gives a value, and fails with `what` if it does not within [`LIMIT`].
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = condition().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not seen within {LIMIT:?}: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
