//! Command line of mysqlsvc: status, operations, sandbox, demo.

mod args;
mod commands;
mod connection;
mod demo;
mod failure;
mod names;
mod output;
mod render;
mod sandbox;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    commands::run(args::Cli::parse()).await
}
