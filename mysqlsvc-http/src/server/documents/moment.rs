//! Times as documents write them.

use std::time::{Duration, UNIX_EPOCH};

use mysqlsvc_core::{Micros, WallTime};

/// RFC 3339, UTC, to the millisecond. A time beyond the year 9999, which no clock of ours gives,
/// has no form there.
pub(super) fn rfc3339(time: WallTime) -> Option<String> {
    const END_OF_9999: u64 = 253_402_300_800_000_000;
    (time.0 < END_OF_9999).then(|| {
        let time = UNIX_EPOCH + Duration::from_micros(time.0);
        humantime::format_rfc3339_millis(time).to_string()
    })
}

/// Milliseconds with fractions.
pub(super) fn milliseconds(length: Micros) -> f64 {
    Duration::from_micros(length.0).as_secs_f64() * 1000.0
}

/// How long after `earlier` a moment was; zero where the clock was set back between.
pub(super) fn between(earlier: WallTime, later: WallTime) -> Micros {
    Micros(later.0.saturating_sub(earlier.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_in_utc() {
        let time = WallTime(1_484_623_200_250_000);
        assert_eq!(rfc3339(time).unwrap(), "2017-01-17T03:20:00.250Z");
        assert_eq!(rfc3339(WallTime(u64::MAX)), None);
    }
}
