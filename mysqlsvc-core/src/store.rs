//! The seam to durable storage.

use async_trait::async_trait;

use crate::{Incarnation, journal::Entry};

/// Where one cluster's journal lives.
///
/// The contract: an append is all or nothing, in order, and durable (it survives `kill -9` and
/// power loss) once it returned `Ok`. After an error nobody knows whether it is durable, and no
/// further append succeeds until the store was loaded again. Two stores opened on the same place
/// never both append: whoever finds more in it than it expects fails with
/// [`StoreError::Conflict`].
#[async_trait]
pub trait Store: Send + Sync {
    /// Everything that is in it, oldest first; made empty with a new incarnation if it was not
    /// there.
    async fn load(&self) -> Result<Stored, StoreError>;

    /// Adds entries behind the last one.
    async fn append(&self, entries: &[Entry]) -> Result<(), StoreError>;
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which store it is.
    pub incarnation: Incarnation,
    /// The whole journal.
    pub entries: Vec<Entry>,
}

/// Why a store could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Someone else writes to it.
    #[error("another monitor has written to this store: {detail}")]
    Conflict {
        /// What was expected and found.
        detail: String,
    },
    /// It holds what cannot be read.
    #[error("the store is damaged: {detail}")]
    Damaged {
        /// Where, and what was found.
        detail: String,
    },
    /// Reading or writing failed.
    #[error("the store failed: {detail}")]
    Failed {
        /// What was tried, and what was seen.
        detail: String,
    },
}
