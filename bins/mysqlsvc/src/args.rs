//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mysqlsvc_http::{
    client::MonitorUrl,
    wire::{Role, Strategy},
};

use crate::{demo, sandbox};

const EXAMPLES: &str = "\
Examples:
  mysqlsvc status --watch                        what there is, renewed as it changes
  mysqlsvc register 10.0.0.1:3306 --as master    tell the monitor who is who
  mysqlsvc switch --to 10.0.0.2:3306 --dry-run   what a switch would do
  mysqlsvc switch --to 10.0.0.2:3306             do it, after asking
  mysqlsvc operation 3                           what became of it
  mysqlsvc pause 10.0.0.3:3306                   stop its replication
  mysqlsvc maintenance on                        keep the monitor still

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Keeps MySQL and MariaDB clusters available
#[derive(Debug, Parser)]
#[command(name = "mysqlsvc", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which monitor, which cluster, which form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The monitor's API
    #[arg(
        long,
        global = true,
        env = "MYSQLSVC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) url: MonitorUrl,
    /// The cluster; may be left out while there is only one
    #[arg(long, global = true, env = "MYSQLSVC_CLUSTER", value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// File with the token to log in with
    #[arg(long, global = true, env = "MYSQLSVC_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show clusters, their nodes and what is under way
    Status {
        /// Renew as it changes, until Ctrl-C
        #[arg(long, short)]
        watch: bool,
    },
    /// Show the nodes of a cluster with all details
    Nodes,
    /// Say what could be better in the servers' replication settings, and how far replicas are behind
    Advise {
        /// Address, HOST:PORT; all nodes when left out
        node: Option<String>,
    },
    /// Make a node part of the cluster; changes nothing on the server
    Register {
        /// Address, HOST:PORT
        node: String,
        /// master, standby or slave
        #[arg(long = "as", value_name = "ROLE", value_parser = registered_role)]
        role: Role,
    },
    /// Take a node out of the cluster; changes nothing on the server
    Unregister {
        /// Address, HOST:PORT
        node: String,
    },
    /// Let a node replicate from the master, or the master from its standby
    Activate(ActivateArgs),
    /// Let a replica forget its source, or the master its standby
    Detach {
        /// Address, HOST:PORT
        node: String,
    },
    /// Stop a replica's replication, or the master's writes
    Pause {
        /// Address, HOST:PORT
        node: String,
    },
    /// Take a pause back
    Resume {
        /// Address, HOST:PORT
        node: String,
    },
    /// Replace all data of a replica by a copy of another node's: a diverged one, or a new one
    Clone(CloneArgs),
    /// Move the master to another node
    Switch(SwitchArgs),
    /// Take a cluster up again as its servers are: after the monitor's state was lost or restored
    Adopt(AdoptArgs),
    /// Keep the monitor from acting by itself, or let it act again
    Maintenance {
        /// on or off
        #[arg(value_name = "on|off")]
        state: Maintenance,
    },
    /// Show the last operations, newest first
    Operations,
    /// Show what an operation did, step by step
    Operation {
        /// Its number
        id: String,
        /// If it is under way, show the steps as they are done
        #[arg(long, short)]
        follow: bool,
    },
    /// Give up a clone under way, or an operation that can neither go on nor be taken back; what it
    /// did stays done
    Abandon {
        /// Its number
        id: String,
    },
    /// Show a planned switch live, on throw-away servers with an application at work
    Demo(demo::DemoArgs),
    /// Throw-away servers for trying things out
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

impl Command {
    /// Whether the exit code tells how a change ended, and not whether something could be shown.
    pub(crate) fn ends_by_outcome(&self) -> bool {
        match self {
            Self::Register { .. }
            | Self::Unregister { .. }
            | Self::Activate(_)
            | Self::Detach { .. }
            | Self::Pause { .. }
            | Self::Resume { .. }
            | Self::Clone(_)
            | Self::Switch(_)
            | Self::Adopt(_)
            | Self::Maintenance { .. }
            | Self::Abandon { .. }
            | Self::Operation { follow: true, .. } => true,
            Self::Status { .. }
            | Self::Nodes
            | Self::Advise { .. }
            | Self::Operations
            | Self::Operation { follow: false, .. }
            | Self::Demo(_)
            | Self::Sandbox(_)
            | Self::Completions { .. } => false,
        }
    }
}

/// Options of `activate`.
#[derive(Debug, Args)]
pub(crate) struct ActivateArgs {
    /// Address, HOST:PORT
    pub(crate) node: String,
    /// Servers without GTIDs: where in the master's binary log the node's data are at now, exactly
    /// (a wrong place loses or repeats transactions) [default: what the monitor knows]
    #[arg(long, value_name = "FILE:OFFSET", value_parser = place)]
    pub(crate) at: Option<String>,
}

/// Options of `switch`.
#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    /// The node to become master, HOST:PORT
    #[arg(long, value_name = "NODE")]
    pub(crate) to: String,
    /// Only show the plan
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What comes first: reliability (nothing is lost, nobody writes for a moment) or availability
    /// (somebody can always write, and for a moment two servers can) [default: reliability]
    #[arg(long, value_name = "reliability|availability")]
    pub(crate) strategy: Option<Strategy>,
    /// Do not ask; confirms whatever the plan asks to be confirmed
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Options of `clone`.
#[derive(Debug, Args)]
pub(crate) struct CloneArgs {
    /// The node that gets other data, HOST:PORT; what it holds now is lost
    pub(crate) node: String,
    /// Whose data it gets, HOST:PORT [default: the replica that is the least behind, else the master]
    #[arg(long, value_name = "NODE")]
    pub(crate) from: Option<String>,
    /// Only show the plan, and what would be lost
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Options of `adopt`.
#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// Only show what servers and proxies say, and what it comes to
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Whether the monitor is to keep still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Maintenance {
    /// It does nothing by itself.
    On,
    /// It acts again.
    Off,
}

/// A place in a binary log, as SHOW BINARY LOG STATUS tells it in two columns; the monitor reads it
/// more closely.
fn place(text: &str) -> Result<String, String> {
    let offset = text.rsplit_once(':').filter(|(file, _)| file.contains('.'));
    match offset.map(|(_, offset)| offset.parse::<u64>()) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("expected FILE:OFFSET, for example binlog.000003:157".to_owned()),
    }
}

fn registered_role(text: &str) -> Result<Role, String> {
    match text.parse() {
        Ok(Role::Unregistered) | Err(_) => Err("expected master, standby or slave".to_owned()),
        Ok(role) => Ok(role),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_may_stand_before_and_behind_the_command() {
        for line in ["mysqlsvc --cluster a --json nodes", "mysqlsvc nodes --json --cluster a"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!((cli.global.cluster.as_deref(), cli.global.json), (Some("a"), true));
        }
    }

    #[test]
    fn a_strategy_is_named_by_what_it_puts_first() {
        for (word, strategy) in [
            ("reliability", Strategy::Reliability),
            ("availability", Strategy::Availability),
            ("availability-first", Strategy::Availability),
        ] {
            let line = ["mysqlsvc", "switch", "--to", "a:1", "--strategy", word];
            let Command::Switch(args) = Cli::try_parse_from(line).unwrap().command else {
                panic!("not a switch");
            };
            assert_eq!(args.strategy, Some(strategy));
        }
    }

    #[test]
    fn a_place_is_a_file_and_an_offset() {
        let line = "mysqlsvc activate a:1 --at binlog.000003:157";
        let Command::Activate(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not an activation");
        };
        assert_eq!(args.at.as_deref(), Some("binlog.000003:157"));
    }

    #[test]
    fn what_is_wrong_is_wrong_usage() {
        for line in [
            "mysqlsvc",
            "mysqlsvc statsu",
            "mysqlsvc register 10.0.0.1:3306",
            "mysqlsvc register 10.0.0.1:3306 --as leader",
            "mysqlsvc register 10.0.0.1:3306 --as unregistered",
            "mysqlsvc switch",
            "mysqlsvc switch --to a:1 --strategy luck",
            "mysqlsvc pause",
            "mysqlsvc activate a:1 --at binlog.000003",
            "mysqlsvc activate a:1 --at binlog:157",
            "mysqlsvc clone",
            "mysqlsvc maintenance",
            "mysqlsvc maintenance maybe",
            "mysqlsvc --url https://x status",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
