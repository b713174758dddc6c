//! The pure heart of mysqlsvc: roles, states, plans, journal and engine of a MySQL or MariaDB
//! cluster, and the seam behind which real servers stand.
//!
//! Nothing here does I/O, reads a clock or spawns a task; `clippy.toml` beside this crate keeps it
//! so by machine.

pub mod backend;
pub mod driver;
pub mod engine;
pub mod gtid;
pub mod intent;
pub mod journal;
mod node;
mod operation;
pub mod plan;
mod probe;
mod role;
mod route;
mod server;
mod settings;
pub mod state;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

pub use self::{
    backend::{Action, ActionError, ActionErrorKind, ReplicationBackend, Tag},
    gtid::GtidSet,
    node::{InvalidNodeId, NodeId},
    operation::OperationId,
    probe::{
        IoThread, Look, LookError, Probe, ReadOnly, ReadOnlySet, Replication, ReplicationError,
        SqlThread,
    },
    role::{InvalidRole, Role},
    route::{Epoch, Hold, Incarnation, Phase, Route, RouteNode, RouteVersion},
    server::{Flavor, Identity, InvalidVersion, ServerVersion},
    settings::{InvalidSettings, SemiSync, Settings},
    state::NodeState,
    store::{Store, StoreError, Stored},
    time::{Micros, Millis, Now, WallTime},
};
