//! The HTTP API, typed.

mod call;
mod error;

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;

pub use self::error::ApiError;
use super::MonitorUrl;
use super::transport::{TransportError, http_client};
use crate::wire::{
    ActivateRequest, AdoptRequest, AdoptionDocument, AdviceDocument, CloneRequest, ClusterDocument,
    EmergencySwitchRequest, HealthDocument, MaintenanceRequest, NodeAction, NodeAdviceDocument,
    NodeDocument, OperationDocument, OperationId, PlanDocument, RegisterRequest, Role,
    SwitchRequest,
};

/// How long to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// Calls one monitor's API.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    monitor: MonitorUrl,
    authorization: Option<HeaderValue>,
    limit: Duration,
}

impl ApiClient {
    /// A client that gives each call `limit`, on top of what the call itself asks to wait.
    pub fn new(monitor: MonitorUrl, limit: Duration) -> Result<Self, TransportError> {
        Ok(Self { http: http_client(CONNECT, None)?, monitor, authorization: None, limit })
    }

    /// Sends this bearer token with each call. It is never shown.
    ///
    /// # Errors
    /// [`ApiError::BadToken`].
    pub fn with_token(mut self, token: &str) -> Result<Self, ApiError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| ApiError::BadToken)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Who is called.
    pub fn monitor(&self) -> &MonitorUrl {
        &self.monitor
    }

    /// `GET /clusters`.
    pub async fn clusters(&self) -> Result<Vec<ClusterDocument>, ApiError> {
        self.get(&["clusters"]).await
    }

    /// `GET /clusters/{c}`.
    pub async fn cluster(&self, cluster: &str) -> Result<ClusterDocument, ApiError> {
        self.get(&["clusters", cluster]).await
    }

    /// `GET /clusters/{c}/nodes/{addr}`.
    pub async fn node(&self, cluster: &str, node: &str) -> Result<NodeDocument, ApiError> {
        self.get(&["clusters", cluster, "nodes", node]).await
    }

    /// `GET /clusters/{c}/advice`.
    pub async fn advice(&self, cluster: &str) -> Result<AdviceDocument, ApiError> {
        self.get(&["clusters", cluster, "advice"]).await
    }

    /// `GET /clusters/{c}/nodes/{addr}/advice`.
    pub async fn node_advice(
        &self,
        cluster: &str,
        node: &str,
    ) -> Result<NodeAdviceDocument, ApiError> {
        self.get(&["clusters", cluster, "nodes", node, "advice"]).await
    }

    /// `POST /clusters/{c}/nodes/{addr}/register`.
    pub async fn register(
        &self,
        cluster: &str,
        node: &str,
        role: Role,
    ) -> Result<NodeDocument, ApiError> {
        let path = ["clusters", cluster, "nodes", node, "register"];
        self.post(&path, &RegisterRequest { role }).await
    }

    /// `POST /clusters/{c}/nodes/{addr}/{action}`.
    pub async fn act(
        &self,
        cluster: &str,
        node: &str,
        action: NodeAction,
    ) -> Result<NodeDocument, ApiError> {
        let path = ["clusters", cluster, "nodes", node, action.as_str()];
        self.post(&path, &serde_json::Map::new()).await
    }

    /// `POST /clusters/{c}/nodes/{addr}/activate`; `at` is the place in its source's binary log that
    /// the node's data are at now, `FILE:OFFSET`, where it has no GTIDs.
    pub async fn activate(
        &self,
        cluster: &str,
        node: &str,
        at: String,
    ) -> Result<NodeDocument, ApiError> {
        let path = ["clusters", cluster, "nodes", node, NodeAction::Activate.as_str()];
        self.post(&path, &ActivateRequest { at: Some(at) }).await
    }

    /// `POST /clusters/{c}/maintenance`: suspends what the monitor does on its own account, or lets
    /// it do so again.
    pub async fn maintenance(&self, cluster: &str, on: bool) -> Result<ClusterDocument, ApiError> {
        self.post(&["clusters", cluster, "maintenance"], &MaintenanceRequest { on }).await
    }

    /// What `cluster` would be taken up as; nothing is changed.
    pub async fn plan_adoption(&self, cluster: &str) -> Result<AdoptionDocument, ApiError> {
        let dry = AdoptRequest { dry_run: true, confirm: None };
        self.post(&["clusters", cluster, "adopt"], &dry).await
    }

    /// Takes `cluster` up as its servers are, above every epoch that a proxy knows. Calling this
    /// is the confirmation.
    pub async fn adopt(&self, cluster: &str) -> Result<ClusterDocument, ApiError> {
        let real = AdoptRequest { dry_run: false, confirm: Some(cluster.to_owned()) };
        self.post(&["clusters", cluster, "adopt"], &real).await
    }

    /// The plan of a switch; nothing is changed, whatever `request.dry_run` says.
    pub async fn plan_switch(
        &self,
        cluster: &str,
        request: SwitchRequest,
    ) -> Result<PlanDocument, ApiError> {
        let dry = SwitchRequest { dry_run: true, ..request };
        self.post(&["clusters", cluster, "switch"], &dry).await
    }

    /// Begins a switch, whatever `request.dry_run` says, and gives it back as it stands: at once,
    /// or, with `wait`, at its end or when `wait` is over.
    pub async fn switch(
        &self,
        cluster: &str,
        request: SwitchRequest,
        wait: Option<Duration>,
    ) -> Result<OperationDocument, ApiError> {
        let real = SwitchRequest { dry_run: false, ..request };
        self.submit(&["clusters", cluster, "switch"], &real, wait).await
    }

    /// The plan of an emergency switch; nothing is changed.
    pub async fn plan_emergency_switch(
        &self,
        cluster: &str,
        request: EmergencySwitchRequest,
    ) -> Result<PlanDocument, ApiError> {
        let dry = EmergencySwitchRequest { dry_run: true, ..request };
        self.post(&["clusters", cluster, "emergency-switch"], &dry).await
    }

    /// Begins an emergency switch; see [`ApiClient::switch`].
    pub async fn emergency_switch(
        &self,
        cluster: &str,
        request: EmergencySwitchRequest,
        wait: Option<Duration>,
    ) -> Result<OperationDocument, ApiError> {
        let real = EmergencySwitchRequest { dry_run: false, ..request };
        self.submit(&["clusters", cluster, "emergency-switch"], &real, wait).await
    }

    /// The plan of a clone; nothing is changed, whatever `request.dry_run` says.
    pub async fn plan_clone(
        &self,
        cluster: &str,
        node: &str,
        request: CloneRequest,
    ) -> Result<PlanDocument, ApiError> {
        let dry = CloneRequest { dry_run: true, ..request };
        self.post(&["clusters", cluster, "nodes", node, "clone"], &dry).await
    }

    /// Begins to make `node` a copy of another, whatever `request.dry_run` says.
    pub async fn clone_node(
        &self,
        cluster: &str,
        node: &str,
        request: CloneRequest,
    ) -> Result<OperationDocument, ApiError> {
        let real = CloneRequest { dry_run: false, ..request };
        self.post(&["clusters", cluster, "nodes", node, "clone"], &real).await
    }

    /// `GET /clusters/{c}/operations`, newest first.
    pub async fn operations(&self, cluster: &str) -> Result<Vec<OperationDocument>, ApiError> {
        self.get(&["clusters", cluster, "operations"]).await
    }

    /// `GET /clusters/{c}/operations/{id}`.
    pub async fn operation(
        &self,
        cluster: &str,
        id: &OperationId,
    ) -> Result<OperationDocument, ApiError> {
        self.get(&["clusters", cluster, "operations", id.as_str()]).await
    }

    /// `POST /clusters/{c}/operations/{id}/abandon`.
    pub async fn abandon(
        &self,
        cluster: &str,
        id: &OperationId,
    ) -> Result<OperationDocument, ApiError> {
        let path = ["clusters", cluster, "operations", id.as_str(), "abandon"];
        self.post(&path, &serde_json::Map::new()).await
    }

    /// `GET /healthz`: whether the monitor lives.
    pub async fn healthz(&self) -> Result<HealthDocument, ApiError> {
        self.call(self.request(Method::GET, &["healthz"]), self.limit).await
    }

    /// `GET /readyz`: whether it knows enough to be asked. A failing one is a document, too.
    pub async fn readyz(&self) -> Result<HealthDocument, ApiError> {
        self.call(self.request(Method::GET, &["readyz"]), self.limit).await
    }
}
