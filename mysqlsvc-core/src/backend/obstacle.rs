//! What stands in the way of a freeze: seen before it is begun, waited for, and named.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// Something under way on a server that a freeze would wait for, or break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// What it is.
    pub kind: ObstacleKind,
    /// Whose session it is, as the server numbers them; none where it has none any more (XA).
    pub session: Option<u64>,
    /// The account, as `user@host`; empty where the server does not tell.
    pub account: String,
    /// For how long it has been under way, as far as the server tells.
    pub age: Option<Millis>,
    /// The statement, the table or the XA id, shortened.
    pub detail: String,
}

/// The kinds of obstacles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ObstacleKind {
    /// An open transaction that has written. A freeze ends its session and rolls it back.
    Transaction,
    /// A transaction prepared by XA: nobody's session holds it, and it would be left behind.
    PreparedXa,
    /// LOCK TABLES, or FLUSH TABLES WITH READ LOCK: a freeze waits for it.
    TableLock,
    /// A statement that changes a table's definition: a freeze waits for it, and replicas do so
    /// after it.
    Ddl,
}

impl Obstacle {
    /// Whether a freeze cannot be had while it is there. Others are broken by it.
    pub fn forbids_freeze(&self) -> bool {
        self.kind != ObstacleKind::Transaction
    }
}

impl fmt::Display for ObstacleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transaction => "open transaction",
            Self::PreparedXa => "prepared XA transaction",
            Self::TableLock => "table lock",
            Self::Ddl => "DDL",
        })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(session) = self.session {
            write!(f, " of session {session}")?;
        }
        if !self.account.is_empty() {
            write!(f, " ({})", self.account)?;
        }
        if let Some(age) = self.age {
            write!(f, ", {age} old")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}
