//! An application: writers and readers that go on whatever happens to their connections.

mod errors;
mod readers;
mod timeline;
mod writer;
mod writers;

pub use errors::ErrorCounts;
pub use readers::Readers;
pub use timeline::Gap;
pub use writers::{WriterOptions, Writers};
