//! Client sessions of model servers.

use super::super::transaction::Row;

/// A client's session, on whichever server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub(in crate::testing) u64);

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// It reads and writes its tables.
    Ordinary,
    /// GRANT ALL: MySQL's SUPER, MariaDB's READ ONLY ADMIN, which writes through `read_only`.
    Everything,
}

/// Users whose sessions no kill pass ends.
pub(in crate::testing) const ALWAYS_SPARED: [&str; 2] = ["dba", "repl"];

#[derive(Debug, Clone)]
pub(in crate::testing) struct Session {
    pub(in crate::testing) id: SessionId,
    pub(in crate::testing) user: String,
    pub(in crate::testing) rights: Rights,
    /// Rows of the open transaction, if one is open.
    pub(in crate::testing) transaction: Option<Vec<Row>>,
    /// Whether it holds LOCK TABLES.
    pub(in crate::testing) locks: bool,
}

impl Session {
    pub(in crate::testing) fn is_spared(&self, spare: &[String]) -> bool {
        ALWAYS_SPARED.contains(&self.user.as_str()) || spare.contains(&self.user)
    }
}
