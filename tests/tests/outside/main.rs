//! monitord and proxyd as their users meet them: configuration, wrong requests, routes, restarts.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod adopting;
mod configuration;
mod documents;
mod requests;
mod routes;
