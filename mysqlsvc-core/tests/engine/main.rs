//! The engine by its effects: what it asks for, in which order, and what it never does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics says so")]
#![allow(unreachable_pub, reason = "modules of one test binary")]

mod adopting;
mod allowed;
mod availability;
mod cloning;
mod documents;
mod preflight;
mod recovery;
mod requests;
mod seeing;
mod semi_sync;
mod standing;
mod support;
mod switch;
mod unasked;
