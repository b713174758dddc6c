//! Scheduled events by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A scheduled event (CREATE EVENT) of a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventName {
    /// The database it is in.
    pub schema: String,
    /// Its name there.
    pub name: String,
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}
