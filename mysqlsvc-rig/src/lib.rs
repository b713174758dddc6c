//! The whole product on throw-away servers, and what it takes to judge it: load with a ledger of
//! acknowledged rows, gaps between writes, a checker of who is writable.
//!
//! [`Product`] runs `monitord` and two `proxyd` beside a sandbox. [`Writers`] write numbered rows
//! through a proxy as an application does, reconnecting when cut; their [`Ledger`] is compared with
//! what servers hold afterwards. [`Checker`] looks at every server directly, and finds any moment
//! at which two took writes. [`measure_floor`] tells how long bare SQL needs for what a switch does
//! between freeze and open.
//!
//! Used by `mysqlsvc demo`, by the tests of the whole and by the benches. Linux only, as the sandbox.

mod checker;
mod endpoint;
mod floor;
mod ledger;
mod load;
mod product;
mod schema;
mod spread;

pub use checker::{CheckReport, Checker, Overlap, ThroughReadOnly, View};
pub use endpoint::{Endpoint, SqlError};
pub use floor::measure_floor;
pub use ledger::{Ledger, Row, ServerAudit};
pub use load::{ErrorCounts, Gap, Readers, WriterOptions, Writers};
pub use product::{Product, ProductBuilder, ProductError, Programs, Proxy};
pub use schema::create_tables;
pub use spread::Spread;
