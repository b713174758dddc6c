//! Where a server without GTIDs stands, and where it begins to read another's binary log.

use serde::{Deserialize, Serialize};

use crate::gtid::{Coordinate, PositionSet};

/// Where a server stands that replicates by position (`gtid_mode=OFF`), in two coordinates: what it
/// has executed of its source's binary log, and where that left its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// How far it has executed the log of the source that it has: Source_UUID, Relay_Source_Log_File,
    /// Exec_Source_Log_Pos ([`PositionSet::UNKNOWN_SOURCE`] while Source_UUID is empty). Empty where
    /// it has no source.
    pub executed: PositionSet,
    /// Where its own binary log ends.
    pub place: Coordinate,
    /// The first place in it behind which there is no transaction; none where that is its end. Each
    /// start and each FLUSH LOGS begins a new file, so the end moves by itself. Told of servers
    /// without a source only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_from: Option<Coordinate>,
}

/// From where a server reads another's binary log, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The place in the source's log.
    pub at: Coordinate,
    /// Where the server's own log ended when that was judged: if it ends elsewhere now, the server
    /// has executed something since, and `at` is wrong.
    pub judged: Coordinate,
}
