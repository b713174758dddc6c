//! How the servers of a cluster are found. What a discovery says only adds nodes or marks missing
//! ones (invariant 7); roles are the operator's.

mod fixed;

use async_trait::async_trait;
use mysqlsvc_core::NodeId;

pub use self::fixed::StaticList;
use crate::config::DiscoveryConfig;

/// Whoever knows which servers there are.
#[async_trait]
pub trait Discovery: Send {
    /// Waits for the next answer: the first one at once, later ones as something changes. Waits
    /// for ever where nothing will.
    ///
    /// Cancellation safe: an answer is either given or will be given by the next call. After an
    /// error the next call waits before it asks again.
    async fn next(&mut self) -> Result<Vec<NodeId>, DiscoveryError>;
}

/// A discovery could not be asked, or its answer not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the discovery by {kind} failed: {detail}")]
pub struct DiscoveryError {
    /// `lainlet`, `dns`, …
    pub kind: &'static str,
    /// What was tried, what was seen, and what to do.
    pub detail: String,
}

/// The discovery that a configuration asks for.
pub fn from_config(config: &DiscoveryConfig) -> Box<dyn Discovery> {
    match config {
        DiscoveryConfig::Static { nodes } => Box::new(StaticList::new(nodes.clone())),
    }
}
