//! Waiting for a server that ended to come back with its new data.

use std::time::Duration;

use mysqlsvc_core::{NodeId, Tag};
use tokio::time::{Instant, sleep};

use super::super::{MySqlBackend, failure::Failure, fault::Fault, work::Work};

/// Between two attempts.
const POLL: Duration = Duration::from_millis(100);

impl MySqlBackend {
    /// A session with the server once it can be had, by `until` at the latest. Its sessions from
    /// before are forgotten.
    pub(super) async fn back<'a>(
        &self,
        node: &NodeId,
        tag: &'a Tag,
        until: Instant,
    ) -> Result<Work<'a>, Failure> {
        self.pool.clear(node);
        loop {
            let deadline = Instant::now() + self.limits.action;
            let fault = match self.pool.lease_new(node, deadline).await {
                Ok(lease) => return Ok(Work { lease, tag, deadline }),
                Err(fault) => fault,
            };
            // Between two boots it may know no account yet.
            let waits = matches!(
                fault,
                Fault::Unreachable { .. }
                    | Fault::SlowConnect { .. }
                    | Fault::Lost { .. }
                    | Fault::Server { .. }
            );
            if !waits || Instant::now() + POLL >= until {
                return Err(Failure::unknown(format!(
                    "the server did not come back with its new data: {fault}. Start it on {node}, \
                     look at its error log, then clone it again"
                )));
            }
            sleep(POLL).await;
        }
    }
}
