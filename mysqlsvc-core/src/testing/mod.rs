//! For tests: a deterministic model cluster that stands behind [`crate::ReplicationBackend`], faults
//! to strike it with, checkers of the invariants, and the conformance suite of the trait.
//!
//! The model has the semantics that real servers were seen to have: freezes that outlive their
//! client, relay logs that can be erased, positions that diverge, sessions that write through
//! `read_only`.

mod backend;
pub mod conformance;
mod faults;
mod history;
pub mod invariants;
pub mod planted;
mod server;
mod transaction;
mod world;

pub use self::{
    faults::{CallKind, Fault, FaultKind, When},
    history::{CallRecord, ErasedTransaction, Erasure, Event, History},
    server::{Applier, Power, Rights, SessionId},
    transaction::{Row, TransactionId},
    world::{Cut, Disturbance, ServerSnapshot, Snapshot, World, WorldBuilder, WriteAnswer, Writer},
};
