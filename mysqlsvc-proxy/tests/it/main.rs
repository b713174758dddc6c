//! The crate from outside: parts with made-up neighbours and paused time, and the whole over
//! loopback with small fake servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed step is a failed test")]

mod accept;
mod common;
mod find;
mod forwarder;
mod gate;
mod relay;
mod wait;
