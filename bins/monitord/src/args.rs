//! The command line.

use std::path::PathBuf;

use clap::Parser;
use mysqlsvc_daemon::LogFormat;

const EXAMPLES: &str = "\
Examples:
  monitord --config /etc/mysqlsvc/monitord.toml
  monitord --check-config --config monitord.toml
  MYSQLSVC_MONITOR_HTTP=127.0.0.1:0 monitord --config m.toml --address-file addresses.json

MYSQLSVC_MONITOR_HTTP, _SSE, _STATE and _SECRETS come before [monitor] in the file.

Exit codes: 0 well, 1 failed at run time, 2 wrong usage, 64 bad configuration.
SIGTERM and Ctrl-C let an operation under way end; a second one ends at once, and the next start
goes on from the journal.";

/// Keeps MySQL and MariaDB clusters: watches them, switches them, tells proxies where to go.
#[derive(Debug, Clone, Parser)]
#[command(name = "monitord", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration
    #[arg(
        long,
        value_name = "FILE",
        env = "MYSQLSVC_CONFIG",
        default_value = "/etc/mysqlsvc/monitord.toml"
    )]
    pub(crate) config: PathBuf,

    /// Say everything that is wrong with the configuration and its secrets, and start nothing
    #[arg(long)]
    pub(crate) check_config: bool,

    /// Write the addresses listened on to this file, as JSON: {"http":"IP:PORT","sse":"IP:PORT"}
    #[arg(long, value_name = "FILE")]
    pub(crate) address_file: Option<PathBuf>,

    /// How to write the log, which goes to stderr
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "MYSQLSVC_LOG_FORMAT",
        default_value_t = LogFormat::Text
    )]
    pub(crate) log_format: LogFormat,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
