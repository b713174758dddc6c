//! How long anything asked of a server may take.

use std::time::Duration;

/// Time limits of a [`super::MySqlBackend`]. What a call is given as its own limit (freeze, waiting
/// for a position) comes before these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first packet to a session that is ready for statements; within a look its limit
    /// counts, too.
    pub connect: Duration,
    /// A whole look, connecting included.
    pub look: Duration,
    /// A whole inspection, and each action that has no limit of its own (open, close, thaw,
    /// kill clients), connecting included.
    pub action: Duration,
    /// Following or forgetting a source, which waits for replication threads.
    pub follow: Duration,
}

impl Default for Limits {
    /// Connect 1 s, look 1 s, action 4 s, follow 10 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            look: Duration::from_secs(1),
            action: Duration::from_secs(4),
            follow: Duration::from_secs(10),
        }
    }
}
