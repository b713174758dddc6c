//! Time, which the core is told and never asks for.

use std::{fmt, ops::Add, time::Duration};

use serde::{Deserialize, Serialize};

/// A length of time in whole milliseconds: limits, lags.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// A length of time in whole microseconds: what a step took.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub u64);

/// A point on the calendar: microseconds since 1970-01-01 UTC. For people and records, never for
/// deciding: it may jump.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(pub u64);

/// A moment as the driver hands it in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Since the driver's own start; never goes back. What deadlines and durations are made of.
    pub monotonic: Micros,
    /// The calendar beside it, for records.
    pub wall: WallTime,
}

impl Now {
    /// How long ago `earlier` was; zero if it was not earlier.
    pub fn since(self, earlier: Self) -> Micros {
        Micros(self.monotonic.0.saturating_sub(earlier.monotonic.0))
    }
}

impl Add<Millis> for Now {
    type Output = Self;

    fn add(self, later: Millis) -> Self {
        let micros = later.0.saturating_mul(1000);
        Self {
            monotonic: Micros(self.monotonic.0.saturating_add(micros)),
            wall: WallTime(self.wall.0.saturating_add(micros)),
        }
    }
}

impl From<Millis> for Duration {
    fn from(length: Millis) -> Self {
        Self::from_millis(length.0)
    }
}

impl From<Duration> for Millis {
    fn from(length: Duration) -> Self {
        Self(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Millis> for Micros {
    fn from(length: Millis) -> Self {
        Self(length.0.saturating_mul(1000))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            whole if whole >= 1000 && whole.is_multiple_of(1000) => write!(f, "{} s", whole / 1000),
            other => write!(f, "{other} ms"),
        }
    }
}
