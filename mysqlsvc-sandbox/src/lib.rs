//! Throw-away MySQL and MariaDB servers for demos, tests and benches: plain processes or containers.
//!
//! A [`Sandbox`] is a handful of servers with one set of accounts, alike in all but address and
//! server id, read-only when they boot as DESIGN demands of every server. It is made by a
//! [`SandboxBuilder`], gone after [`Sandbox::down`] or when dropped, and also when its owner is
//! killed: a small guard process (`guard.sh`) waits on a pipe for the owner's death and removes
//! servers, containers, network and directory. [`Sandbox::detach`] sends the guard away and leaves
//! the servers running, until [`take_down`] is called on the directory.
//!
//! ```no_run
//! # async fn example() -> Result<(), mysqlsvc_sandbox::SandboxError> {
//! use mysqlsvc_sandbox::{Flavor, Sandbox};
//!
//! let sandbox = Sandbox::builder().flavor(Flavor::MariaDb).nodes(2).wire(true).start().await?;
//! let mut master = sandbox.connect(0, &sandbox.accounts().app).await?;
//! // … use it …
//! # drop(master);
//! sandbox.kill(0).await?;
//! sandbox.restart(0).await?;
//! sandbox.down().await
//! # }
//! ```
//!
//! Linux only: it reads `/proc`, and reaches containers by their own addresses.

mod account;
mod apt;
mod builder;
mod containers;
mod control;
mod docker;
mod error;
mod flavor;
mod grants;
pub mod guard;
mod guarded;
mod home;
mod image;
mod mariadb;
mod network;
mod node;
pub mod ports;
mod process;
mod processes;
mod record;
mod sandbox;
mod session;
mod settings;
mod tools;
mod wire;

pub use account::{Account, Accounts, Password};
pub use builder::SandboxBuilder;
pub use error::SandboxError;
pub use flavor::{Flavor, Runtime};
pub use node::Node;
pub use record::{Description, NodeStatus, status, take_down};
pub use sandbox::Sandbox;
