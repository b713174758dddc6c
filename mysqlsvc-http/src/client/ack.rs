//! Acknowledging a hold.

use std::time::Duration;

use tokio::time::timeout;

use super::body::{excerpt, parse_problem, read_body, with_causes};
use super::monitor_url::MonitorUrl;
use super::transport::{TransportError, http_client};
use crate::wire::HoldAck;

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 16 << 10;

/// Sends acknowledgements.
#[derive(Debug, Clone)]
pub struct AckClient {
    http: reqwest::Client,
    limit: Duration,
}

/// An acknowledgement was not accepted; the monitor goes on without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// No answer in time. It may have been received.
    #[error("the monitor {monitor} did not answer the acknowledgement within {limit:?}")]
    TimedOut {
        /// Who was asked.
        monitor: MonitorUrl,
        /// How long it had.
        limit: Duration,
    },
    /// The connection failed.
    #[error("the acknowledgement could not be sent to {monitor}: {reason}")]
    Unreachable {
        /// Who was asked.
        monitor: MonitorUrl,
        /// What was seen.
        reason: String,
    },
    /// The monitor did not want it: the hold is over, or was never its own.
    #[error("the monitor {monitor} refused the acknowledgement with {status}: {detail}")]
    Refused {
        /// Who was asked.
        monitor: MonitorUrl,
        /// The HTTP status.
        status: u16,
        /// What the monitor said.
        detail: String,
    },
}

impl AckError {
    /// Whether sending it again may help.
    pub fn is_worth_repeating(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
        }
    }
}

impl AckClient {
    /// A sender that gives each acknowledgement `limit`.
    pub fn new(limit: Duration) -> Result<Self, TransportError> {
        let http = http_client(limit, None)?;
        Ok(Self { http, limit })
    }

    /// Tells `monitor` that the proxy named `proxy` holds. One attempt; sending one twice is
    /// harmless.
    pub async fn acknowledge(
        &self,
        monitor: &MonitorUrl,
        proxy: &str,
        ack: &HoldAck,
    ) -> Result<(), AckError> {
        let sending = self.send(monitor, proxy, ack);
        timeout(self.limit, sending).await.unwrap_or_else(|_| {
            Err(AckError::TimedOut { monitor: monitor.clone(), limit: self.limit })
        })
    }

    async fn send(&self, monitor: &MonitorUrl, proxy: &str, ack: &HoldAck) -> Result<(), AckError> {
        let url = monitor.endpoint(&["proxies", proxy, "ack"]);
        let response = self.http.post(url).json(ack).send().await;
        let response = response.map_err(|error| AckError::Unreachable {
            monitor: monitor.clone(),
            reason: with_causes(&error),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = read_body(response, LONGEST_ANSWER).await.unwrap_or_default();
        let detail = parse_problem(status.as_u16(), &body)
            .map_or_else(|| excerpt(&body), |problem| problem.to_string());
        Err(AckError::Refused { monitor: monitor.clone(), status: status.as_u16(), detail })
    }
}
