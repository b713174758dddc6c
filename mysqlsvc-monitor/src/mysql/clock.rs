//! What a server's clock will show at a moment of ours.

use std::time::Duration;

use tokio::time::Instant;

/// A server's clock, as far as answers have told.
///
/// What it says of a moment is never later than what the server's clock will show then, and earlier
/// by no more than the youngest answer took; unless somebody sets that clock meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerClock {
    base: Instant,
    /// What the server's clock showed at `base`, in microseconds since 1970; the earliest that
    /// agrees with what was read.
    at_base: i64,
}

impl ServerClock {
    /// From a reading, in seconds since 1970, that was taken between two moments of ours; and from
    /// what was known before.
    pub(super) fn read(
        seconds: f64,
        sent: Instant,
        received: Instant,
        known: Option<Self>,
    ) -> Self {
        let base = known.map_or(received, |known| known.base);
        #[expect(clippy::cast_possible_truncation, reason = "10^15 for this century's dates")]
        let shown = (seconds * 1e6) as i64;
        let (earliest, latest) = (shown - micros(base, received), shown - micros(base, sent));
        let at_base = known.map_or(earliest, |known| known.at_base.clamp(earliest, latest));
        Self { base, at_base }
    }

    /// Microseconds since 1970 at a moment of ours.
    pub(super) fn at(self, moment: Instant) -> i64 {
        self.at_base.saturating_add(micros(self.base, moment))
    }
}

/// How much later the second moment is.
fn micros(from: Instant, to: Instant) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    match to.checked_duration_since(from) {
        Some(later) => whole(later),
        None => -whole(from.duration_since(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_reading_is_taken_to_be_as_old_as_it_can_be_and_a_quicker_one_mends_that() {
        let start = Instant::now();
        let slow = ServerClock::read(1000.0, start, start + SECOND, None);
        assert_eq!(slow.at(start + SECOND), 1_000_000_000);
        assert_eq!(slow.at(start), 999_000_000);
        // In truth the first reading had been taken half a second before it came.
        let sent = start + 2 * SECOND;
        let quick = ServerClock::read(1001.51, sent, sent + SECOND / 50, Some(slow));
        assert_eq!(quick.at(start + 3 * SECOND), 1_002_490_000);
        // A slow one that agrees changes nothing.
        let slow = ServerClock::read(1002.6, sent + SECOND, sent + 2 * SECOND, Some(quick));
        assert_eq!(slow, quick);
    }

    #[test]
    fn a_clock_that_was_set_is_believed_whichever_way_it_went() {
        let start = Instant::now();
        let first = ServerClock::read(1000.0, start, start, None);
        for shown in [5.0, 90_000.0] {
            let read = ServerClock::read(shown, start + SECOND, start + SECOND, Some(first));
            #[expect(clippy::cast_possible_truncation, reason = "small")]
            let expected = (shown * 1e6) as i64;
            assert_eq!(read.at(start + SECOND), expected);
        }
    }
}
