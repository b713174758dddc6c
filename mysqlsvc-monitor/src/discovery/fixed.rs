//! A list that never changes.

use async_trait::async_trait;
use mysqlsvc_core::NodeId;

use super::{Discovery, DiscoveryError};

/// Servers listed in the configuration.
#[derive(Debug)]
pub struct StaticList {
    unsaid: Option<Vec<NodeId>>,
}

impl StaticList {
    /// These, and no others ever.
    pub fn new(nodes: Vec<NodeId>) -> Self {
        Self { unsaid: Some(nodes) }
    }
}

#[async_trait]
impl Discovery for StaticList {
    async fn next(&mut self) -> Result<Vec<NodeId>, DiscoveryError> {
        match self.unsaid.take() {
            Some(nodes) => Ok(nodes),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn a_list_is_said_once() {
        let nodes: Vec<NodeId> = vec!["a:1".parse().unwrap(), "b:1".parse().unwrap()];
        let mut list = StaticList::new(nodes.clone());
        assert_eq!(list.next().await, Ok(nodes));
        assert!(poll!(list.next()).is_pending());
    }
}
