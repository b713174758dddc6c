//! What mysqlsvc says over HTTP.
//!
//! * [`wire`]: the documents themselves, shared by both sides and always compiled. It depends on
//!   nothing of mysqlsvc, so that a stranger's program can use it alone.
//! * `client` (feature `client`): the follower of a monitor's routes with acknowledgement and
//!   route file, and the typed API client.
//! * `server` (feature `server`): the REST and SSE service in front of a monitor.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod server;
pub mod wire;
