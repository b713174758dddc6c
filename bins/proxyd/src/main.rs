//! The proxy: forwards TCP connections to the master or the slaves a monitor names.

mod admin;
mod admin_server;
mod args;
mod capacity;
mod holding;
mod keeper;
mod metrics;
mod port_file;
mod serve;
mod steer;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    mysqlsvc_daemon::logging::start(args.log_format);
    match serve::serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
