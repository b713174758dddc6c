//! The whole forwarder: listener, gate, targets, connector and relay put together.

mod builder;
mod handle;

pub use builder::Forwarder;
pub use handle::ForwarderHandle;
