//! The monitor: keeps MySQL/MariaDB clusters, serves API, pages and routes.

mod args;
mod error;
mod listeners;
mod serve;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use self::{args::Args, error::Failure};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    mysqlsvc_daemon::logging::start(args.log_format);
    mysqlsvc_daemon::raise_open_files();
    let ended = if args.check_config { check(&args) } else { serve::run(&args).await };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn check(args: &Args) -> Result<(), Failure> {
    let right = serve::check(args)?;
    // A reader that went away changes nothing about the answer, which is the exit code.
    let _ = writeln!(io::stdout(), "{right}");
    Ok(())
}

/// A bad configuration is for whoever wrote it, line by line; the rest goes into the log.
fn report(failure: &Failure) {
    match failure {
        Failure::Config(_) | Failure::Secrets(_) => {
            let _ = writeln!(io::stderr(), "{failure}");
        }
        _ => tracing::error!("{failure}"),
    }
}
