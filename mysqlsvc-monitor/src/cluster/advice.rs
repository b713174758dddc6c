//! Asking every server for advice: past the engine, for nothing is changed and nobody waits for it.

use std::sync::Arc;

use futures_util::future::join_all;
use mysqlsvc_core::{NodeId, Role};
use tokio::sync::Semaphore;

use super::{AskError, ClusterHandle};
use crate::mysql::advice::{Advisor, Asked, NodeAdvice, judge};

/// How many may ask at once: each opens a session with every server.
const ASKING: usize = 4;

/// Who gives advice on a cluster's servers. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Advice {
    advisor: Arc<dyn Advisor>,
    places: Arc<Semaphore>,
}

impl Advice {
    pub(super) fn of(advisor: Arc<dyn Advisor>) -> Self {
        Self { advisor, places: Arc::new(Semaphore::new(ASKING)) }
    }

    async fn ask(&self, node: NodeId, role: Role) -> Asked {
        let facts = self.advisor.facts(&node).await;
        Asked { node, role, facts }
    }
}

impl ClusterHandle {
    /// Looks at the settings of every server, and says what could be better. Changes nothing.
    ///
    /// All at once, and each within the time limit of an inspection; one that cannot be asked says
    /// so in its place. Only the master is asked before the others, so that no replica seems to lack
    /// what was not there yet when it was looked at. In the order of the snapshot.
    ///
    /// # Errors
    /// [`AskError::Busy`] while too many are asking.
    pub async fn advice(&self) -> Result<Vec<NodeAdvice>, AskError> {
        let _place = self.advice.places.try_acquire().map_err(|_| AskError::Busy)?;
        let snapshot = self.snapshot();
        let nodes = || snapshot.nodes.iter().map(|node| (node.node.clone(), node.role));
        let ask = |(node, role)| self.advice.ask(node, role);
        let (masters, others): (Vec<_>, Vec<_>) =
            nodes().partition(|(_, role)| *role == Role::Master);
        let mut asked = join_all(masters.into_iter().map(ask)).await;
        asked.extend(join_all(others.into_iter().map(ask)).await);
        asked.sort_by_key(|one| nodes().position(|(node, _)| node == one.node));
        Ok(judge(&asked))
    }
}
