//! Planned switches on real servers: under load, killed in the middle, and such as cannot succeed.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod disturbed;
mod failing;
mod killed;
mod load;
mod rights;
