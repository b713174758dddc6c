//! What each command does.

mod adopt;
mod advise;
mod clone;
mod follow;
mod maintenance;
mod node;
mod operation;
mod status;
mod switch;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::CommandFactory as _;
use mysqlsvc_http::wire::NodeAction;

use self::node::act;
use crate::{
    args::{Cli, Command},
    connection::Connection,
    demo,
    failure::Failure,
    sandbox,
};

/// Does what was asked and gives the exit code.
pub(crate) async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Sandbox(command) => return sandbox::run(command).await,
        Command::Demo(args) => return demo::run(args, cli.global.json).await,
        Command::Completions { shell } => {
            // Into memory first: whoever reads may stop in the middle.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mysqlsvc", &mut script);
            io::stdout().lock().write_all(&script).map_err(Failure::from)
        }
        command => match Connection::new(&cli.global) {
            Ok(connection) if command.ends_by_outcome() => {
                talk(command, &connection.that_may_be_unread()).await
            }
            Ok(connection) => talk(command, &connection).await,
            Err(failure) => Err(failure),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The commands that need a monitor.
async fn talk(command: Command, connection: &Connection) -> Result<(), Failure> {
    match command {
        Command::Status { watch: true } => status::watch(connection).await,
        Command::Status { watch: false } => status::show(connection).await,
        Command::Advise { node } => advise::advise(connection, node.as_deref()).await,
        Command::Nodes => status::nodes(connection).await,
        Command::Register { node, role } => node::register(connection, &node, role).await,
        Command::Unregister { node } => node::unregister(connection, &node).await,
        Command::Activate(args) => node::activate(connection, args).await,
        Command::Detach { node } => act(connection, &node, NodeAction::Detach).await,
        Command::Pause { node } => act(connection, &node, NodeAction::Pause).await,
        Command::Resume { node } => act(connection, &node, NodeAction::Resume).await,
        Command::Adopt(args) => adopt::adopt(connection, &args).await,
        Command::Maintenance { state } => maintenance::set(connection, state).await,
        Command::Clone(args) => clone::clone(connection, args).await,
        Command::Switch(args) => switch::switch(connection, args).await,
        Command::Operations => operation::all(connection).await,
        Command::Operation { id, follow } => operation::one(connection, &id, follow).await,
        Command::Abandon { id } => operation::abandon(connection, &id).await,
        Command::Demo(_) | Command::Sandbox(_) | Command::Completions { .. } => Ok(()),
    }
}
