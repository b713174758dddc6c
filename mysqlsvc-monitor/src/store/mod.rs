//! The durable store: one SQLite file with the journal of every cluster and the audit of who did
//! what, in a directory that one monitord at a time may have.
//!
//! WAL with `synchronous=FULL`: an append is one transaction, and one fsync of the log. One thread
//! owns the connection; what others want of it waits in a bounded queue.

mod audit;
mod directory;
mod error;
mod journal;
mod lock;
mod schema;
mod sqlite;
#[cfg(test)]
mod tests;
mod worker;

pub use self::{
    audit::AuditRow,
    directory::StateDirectory,
    error::{OpenError, QueryError},
    sqlite::SqliteStore,
};
