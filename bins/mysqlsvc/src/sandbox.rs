//! `mysqlsvc sandbox`: throw-away servers that stay up until they are taken down.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox, SandboxError};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

/// Start and remove throw-away servers for trying things out.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Start servers, and print where they are and how to log in as JSON
    #[command(after_help = UP_EXAMPLES)]
    Up(UpArgs),
    /// End the servers of a sandbox and remove all of it
    Down(DirArgs),
    /// Show how the servers of a sandbox do, as JSON
    Status(DirArgs),
}

const UP_EXAMPLES: &str = "\
Examples:
  mysqlsvc sandbox up --wire --dir /tmp/box     four MariaDB servers, the first the master
  mysqlsvc sandbox up --flavor mysql --nodes 2  two MySQL servers in containers, not replicating
  mysqlsvc sandbox up --runtime container       four MariaDB 11.8 servers, whatever the host has
  mysqlsvc sandbox down --dir /tmp/box          end and remove the first one";

/// Options of `sandbox up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Kind of servers: mariadb or mysql
    #[arg(long, default_value_t = Flavor::MariaDb)]
    flavor: Flavor,
    /// How to run them: process (the host's MariaDB) or container (MySQL, or MariaDB 11.8)
    /// [default: process for mariadb, container for mysql]
    #[arg(long)]
    runtime: Option<Runtime>,
    /// How many servers, 1 to 64
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    /// Directory to make, and to name to `down` [default: a new one for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Use this port and those after it [default: free ports]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    base_port: Option<u16>,
    /// Open the first server for writes and make the others replicate from it
    #[arg(long)]
    wire: bool,
    /// Leave gtid_mode OFF and replicate by position (MySQL)
    #[arg(long)]
    without_gtids: bool,
    /// Do not wait for the disk at each commit: faster, but not what production does
    #[arg(long)]
    relaxed_durability: bool,
}

/// The sandbox that is meant.
#[derive(Debug, Args)]
pub(crate) struct DirArgs {
    /// Directory of the sandbox, as `up` printed it
    #[arg(long)]
    dir: PathBuf,
}

/// Runs a sandbox command to its end.
pub(crate) async fn run(command: SandboxCommand) -> ExitCode {
    let done = match command {
        SandboxCommand::Up(args) => up(args).await,
        SandboxCommand::Down(args) => {
            mysqlsvc_sandbox::take_down(&args.dir).await.map_err(Failure::from)
        }
        SandboxCommand::Status(args) => status(&args.dir).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mysqlsvc sandbox: {failure}");
            failure.exit_code()
        }
    }
}

async fn up(args: UpArgs) -> Result<(), Failure> {
    let mut builder = Sandbox::builder()
        .flavor(args.flavor)
        .nodes(args.nodes)
        .wire(args.wire)
        .gtid(!args.without_gtids)
        .durable(!args.relaxed_durability);
    if let Some(runtime) = args.runtime {
        builder = builder.runtime(runtime);
    }
    if let Some(dir) = args.dir {
        builder = builder.dir(dir);
    }
    if let Some(port) = args.base_port {
        builder = builder.base_port(port);
    }
    // An interrupted start is dropped here, which removes what there was of it.
    let sandbox = tokio::select! {
        started = builder.start() => started?,
        stopped = interrupted() => return Err(stopped),
    };
    // Nobody could find the servers again without this; while it fails they are still removed.
    print(sandbox.describe())?;
    let description = sandbox.detach()?;
    let dir = description.dir.display();
    eprintln!("The servers stay up until `mysqlsvc sandbox down --dir {dir}`.");
    eprintln!("monitord's `secrets` for them: {dir}/secret.conf");
    Ok(())
}

async fn status(dir: &Path) -> Result<(), Failure> {
    print(&mysqlsvc_sandbox::status(dir).await?)
}

fn print(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::from)
}

async fn interrupted() -> Failure {
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Failure::Interrupted
        }
        (Err(error), _) | (_, Err(error)) => Failure::Io(error),
    }
}

/// Why a sandbox command did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error("cannot print the result: {0}")]
    Io(#[from] io::Error),
    #[error("interrupted; everything was removed again")]
    Interrupted,
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Sandbox(error) if error.is_usage() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
