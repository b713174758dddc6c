//! The asking side: follow a monitor's routes, acknowledge holds, call the API.
//!
//! [`Follower`] keeps one SSE stream to one of several monitors and publishes the newest acceptable
//! route; [`RouteOrder`] is the rule of what is acceptable; [`RouteFile`] keeps the last open route
//! over a restart; [`AckClient`] answers a hold; [`ApiClient`] is what a command line needs.
//! Every call has a time limit, no answer is read without a bound, and proxies of the environment
//! (`HTTP_PROXY`) are not used: these are calls within one network.
//!
//! A program that wants to know where the master is:
//!
//! ```no_run
//! use mysqlsvc_http::client::{Follower, FollowerConfig, FollowerLimits};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let follower = Follower::start(FollowerConfig {
//!     monitors: vec!["http://web-1:6033".parse()?],
//!     cluster: Some("main".to_owned()),
//!     identity: None,
//!     known: None,
//!     limits: FollowerLimits::default(),
//! })?;
//! let mut routes = follower.routes();
//! while routes.changed().await.is_ok() {
//!     if let Some(update) = &*routes.borrow_and_update() {
//!         println!("{}: {:?}", update.route.stamp.position, update.route.master);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod ack;
mod api;
mod backoff;
mod body;
mod follower;
mod monitor_url;
mod order;
mod route_file;
mod stream;
mod transport;

pub use ack::{AckClient, AckError};
pub use api::{ApiClient, ApiError};
pub use backoff::Backoff;
pub use follower::{
    Follower, FollowerConfig, FollowerLimits, FollowerStatus, ProxyIdentity, RouteUpdate,
};
pub use monitor_url::{MonitorUrl, MonitorUrlError};
pub use order::{Followed, RouteOrder, Verdict};
pub use route_file::{RouteFile, RouteFileError};
pub use transport::TransportError;
