//! The documents that cross the wire, exactly as `CONTRACTS` fixes them.
//!
//! Answers are read tolerantly: unknown fields are ignored and absent ones take a default, so that
//! an older client outlives a newer monitor. Requests are read strictly: a misspelt `dry_run` must
//! not become a real switch.

mod ack;
mod adoption;
mod advice;
mod cluster;
mod health;
mod ids;
mod operation;
mod plan;
mod problem;
mod requests;
mod route;
mod route_flat;
mod servers;
mod targets;
mod words;

pub use ack::HoldAck;
pub use adoption::{AdoptionDocument, HeardDocument};
pub use advice::{
    AdviceDocument, AdviceFinding, AdviceSeverity, LagDocument, LagShare, NodeAdviceDocument,
};
pub use cluster::{
    AlarmDocument, AllowedOperation, ClusterDocument, NodeDocument, SemiSyncDocument,
    SemiSyncSource,
};
pub use health::{HealthCheck, HealthDocument, HealthStatus};
pub use ids::{AckToken, Incarnation, OperationId};
pub use operation::{
    DivergenceDocument, InterruptedDocument, LeftBehind, LossDocument, LossVerdict,
    OperationDocument, OperationOutcome, ProgressDocument, StepDocument, StepOutcome,
};
pub use plan::{ForecastCause, PlanDocument, PlannedStep, StepClass};
pub use problem::{PROBLEM_CONTENT_TYPE, Problem};
pub use requests::{
    ActivateRequest, AdoptRequest, CloneRequest, EmergencySwitchRequest, MaintenanceRequest,
    RegisterRequest, SwitchRequest,
};
pub use route::{Hold, Phase, Route, RouteError, RoutePosition, RouteStamp};
pub use route_flat::FlatRoute;
pub use servers::{EVENT_INIT, EVENT_UPDATE, HEARTBEAT_INTERVAL, ServersQuery};
pub use targets::{Container, Containers};
pub use words::{Flavor, NodeAction, NodeState, PhaseName, ProxyMode, Role, Strategy};
