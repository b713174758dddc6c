//! How long to wait before trying again.

use std::time::Duration;

/// Doubles from `first` to `longest`, with jitter, so that proxies do not all come back at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    doublings: u32,
}

impl Backoff {
    /// Starts at `first`; never above `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first: first.min(longest), longest, doublings: 0 }
    }

    /// The next wait: between half of the current step and all of it.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.step();
        self.doublings = self.doublings.saturating_add(1);
        jittered(step, random_fraction())
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.doublings = 0;
    }

    fn step(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// `fraction` is 0 to 255 for 0 to just under 1.
fn jittered(step: Duration, fraction: u8) -> Duration {
    step / 2 + (step / 2) * u32::from(fraction) / 256
}

/// A version 4 UUID's first byte is random: enough for jitter, without one more dependency.
fn random_fraction() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let first = Duration::from_millis(100);
        let mut backoff = Backoff::new(first, Duration::from_secs(1));
        for expected_ms in [100, 200, 400, 800, 1000, 1000] {
            let step = Duration::from_millis(expected_ms);
            assert_eq!(backoff.step(), step);
            let wait = backoff.next_wait();
            assert!(wait >= step / 2 && wait <= step, "{wait:?} for {step:?}");
        }
        backoff.doublings = u32::MAX;
        assert_eq!(backoff.step(), Duration::from_secs(1));
        backoff.reset();
        assert_eq!(backoff.step(), first);
    }

    #[test]
    fn jitter_spreads_over_the_upper_half() {
        let step = Duration::from_millis(512);
        assert_eq!(jittered(step, 0), Duration::from_millis(256));
        assert_eq!(jittered(step, 255), Duration::from_millis(511));
    }
}
