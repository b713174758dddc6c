//! One hold: wait until the gate is settled, acknowledge, see how it ends.

use std::time::Duration;

use mysqlsvc_http::client::{AckClient, MonitorUrl};
use mysqlsvc_http::wire::{Hold, HoldAck, Route};
use mysqlsvc_proxy::{HoldCounts, HoldEnded, ShutHandle};
use tokio::time::sleep;

/// One attempt to acknowledge. The monitor waits half a second for all of them.
pub(crate) const ACK_LIMIT: Duration = Duration::from_millis(400);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Who acknowledges.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledger {
    pub(crate) client: AckClient,
    pub(crate) proxy_id: String,
}

/// Sees a hold through to its end. May be dropped at any time; the gate is not touched.
pub(crate) async fn hold_through(
    shut: ShutHandle,
    acknowledger: Acknowledger,
    monitor: MonitorUrl,
    route: std::sync::Arc<Route>,
    hold: Hold,
) {
    let ended = match shut.settled().await {
        Ok(counts) => {
            let ack = acknowledgement(&route, &hold, counts);
            tokio::select! {
                () = acknowledge(&acknowledger, &monitor, &ack) => shut.ended().await,
                ended = shut.ended() => ended,
            }
        }
        Err(ended) => ended,
    };
    match ended {
        HoldEnded::Expired => tracing::warn!(
            operation = %hold.operation,
            "no new route came while holding; serving the last one again"
        ),
        ended => tracing::debug!(operation = %hold.operation, %ended, "the hold is over"),
    }
}

fn acknowledgement(route: &Route, hold: &Hold, counts: HoldCounts) -> HoldAck {
    HoldAck {
        cluster: route.cluster.clone(),
        epoch: route.stamp.position.epoch,
        operation: hold.operation.clone(),
        ack_token: hold.ack_token.clone(),
        held: counts.held as u64,
        active: counts.active as u64,
    }
}

/// Tries until the monitor has it or does not want it; the caller bounds it by the hold.
async fn acknowledge(acknowledger: &Acknowledger, monitor: &MonitorUrl, ack: &HoldAck) {
    loop {
        let sent = acknowledger.client.acknowledge(monitor, &acknowledger.proxy_id, ack).await;
        match sent {
            Ok(()) => {
                tracing::info!(operation = %ack.operation, held = ack.held, active = ack.active,
                    "the hold is acknowledged");
                return;
            }
            Err(error) if error.is_worth_repeating() => tracing::debug!("{error}; trying again"),
            Err(error) => return tracing::warn!("{error}"),
        }
        sleep(PAUSE).await;
    }
}
