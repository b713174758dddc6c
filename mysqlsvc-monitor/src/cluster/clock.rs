//! The time, as the engine is told it.

use std::time::{Duration, SystemTime};

use mysqlsvc_core::{Micros, Now, WallTime, driver::Clock};
use tokio::time::Instant;

/// Monotonic time since this was made, and the calendar beside it.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// When a moment that the engine named comes.
    pub(crate) fn instant_of(&self, moment: Now) -> Instant {
        self.start + Duration::from_micros(moment.monotonic.0)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { monotonic: Micros(whole(self.start.elapsed())), wall: WallTime(whole(wall)) }
    }
}

fn whole(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::Millis;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn moments_and_instants_are_the_same_thing_said_twice() {
        let clock = SystemClock::start();
        tokio::time::advance(Duration::from_millis(7)).await;
        let now = clock.now();
        assert_eq!(now.monotonic, Micros(7000));
        assert_eq!(clock.instant_of(now), Instant::now());
        let later = Instant::now() + Duration::from_secs(1);
        assert_eq!(clock.instant_of(now + Millis(1000)), later);
    }
}
