//! What the tests of the whole product share: a monitord on any list of addresses, its API, what
//! servers say of themselves, and things that stand between the monitor and a server.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "helpers of tests fail by panicking"
)]

pub mod api;
pub mod bed;
pub mod blocker;
pub mod fake;
pub mod monitord;
pub mod relay;
pub mod servers;
pub mod wait;

pub use api::Api;
pub use bed::Bed;
pub use blocker::Blocker;
pub use monitord::Monitord;
pub use servers::{Picture, Servers};
pub use wait::{LIMIT, eventually};

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
