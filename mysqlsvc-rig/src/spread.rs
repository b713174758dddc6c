//! How a handful of durations spread.

use std::time::Duration;

use serde::Serialize;

/// Median and worst of some durations, in milliseconds rounded to microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number, the upper of the two in the middle.
    pub p50: f64,
    /// The longest.
    pub max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(durations: &[Duration]) -> Option<Self> {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2)?;
        let max = sorted.last()?;
        Some(Self { p50: milliseconds(*middle), max: milliseconds(*max) })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_longest_are_told_whatever_the_order() {
        let some = [9, 1, 5].map(Duration::from_millis);
        assert_eq!(Spread::of(&some), Some(Spread { p50: 5.0, max: 9.0 }));
        assert_eq!(Spread::of(&some[..2]), Some(Spread { p50: 9.0, max: 9.0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}
