//! Semi-synchronous replication: a master that acknowledges a commit only once replicas have it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// The part a server is to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SemiSyncPart {
    /// It waits for replicas before it acknowledges a commit.
    Source {
        /// For so many of them; MariaDB waits for one, whatever this says.
        replicas: u32,
        /// For so long, then it goes on without them (asynchronously) until they are back.
        timeout: Millis,
    },
    /// It tells its source what it has received.
    Replica,
}

/// What a look sees of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemiSyncStatus {
    /// Whether it is told to wait for replicas, and how.
    pub source: Option<SemiSyncWait>,
    /// Whether it is told to tell its source what it receives.
    pub replica: bool,
    /// Whether commits wait for replicas at this moment. A source that does not has degraded to
    /// asynchronous replication.
    pub waiting: bool,
    /// How many replicas tell it what they received.
    pub replicas: u32,
}

/// How a source waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemiSyncWait {
    /// For so many replicas.
    pub replicas: u32,
    /// For so long.
    pub timeout: Millis,
}

impl SemiSyncStatus {
    /// Whether it plays this part, and only this.
    pub fn plays(&self, part: SemiSyncPart) -> bool {
        match part {
            SemiSyncPart::Replica => self.replica && self.source.is_none(),
            SemiSyncPart::Source { replicas, timeout } => {
                !self.replica && self.source == Some(SemiSyncWait { replicas, timeout })
            }
        }
    }

    /// Whether it is a source that goes on without its replicas.
    pub fn is_degraded(&self) -> bool {
        self.source.is_some() && !self.waiting
    }
}

impl fmt::Display for SemiSyncPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { replicas, timeout } => {
                write!(f, "source, waits for {replicas} (at most {timeout})")
            }
            Self::Replica => f.write_str("replica"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_played_only_where_the_other_is_not() {
        let wait = SemiSyncWait { replicas: 1, timeout: Millis(500) };
        let source = SemiSyncPart::Source { replicas: 1, timeout: Millis(500) };
        let plays = |source, replica, part| {
            SemiSyncStatus { source, replica, waiting: false, replicas: 0 }.plays(part)
        };
        assert!(plays(Some(wait), false, source));
        assert!(plays(None, true, SemiSyncPart::Replica));
        for part in [source, SemiSyncPart::Replica] {
            assert!(!plays(Some(wait), true, part), "both at once is neither: {part}");
            assert!(!plays(None, false, part), "{part}");
        }
        let other = Some(SemiSyncWait { replicas: 2, ..wait });
        assert!(!plays(other, false, source));
    }
}
