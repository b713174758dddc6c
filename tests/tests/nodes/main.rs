//! What the monitor makes of servers: probing those that are ill, registering, activating.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod activating;
mod by_position;
mod lost_answers;
mod probing;
mod registering;
