//! GTID sets: their laws, checked against sets that list each transaction, and their texts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mariadb;
mod mysql;
mod positions;
mod refused;
mod sets;
mod texts;
mod transactions;
