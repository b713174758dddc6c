//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use mysqlsvc_daemon::LogFormat;
use mysqlsvc_http::client::MonitorUrl;
use mysqlsvc_http::wire::ProxyMode;
use mysqlsvc_proxy::TargetAddr;

const EXAMPLES: &str = "\
Examples:
  proxyd -p 3306 -m master --monitor http://10.0.0.9:6033
  proxyd -p 3307 -m slave --monitor http://mon-1:6033 --monitor http://mon-2:6033 --cluster main
  proxyd -p 3307 --targets 10.0.0.2:3306,10.0.0.3:3306
  proxyd -p 3306 -m master --state /var/lib/proxyd --admin 127.0.0.1:9306

Exit codes: 0 well, 1 failed at run time, 2 wrong usage, 64 bad configuration.
SIGTERM and Ctrl-C let connections end for up to --drain; a second one cuts them.";

/// Forwards MySQL connections to the server a monitor names.
#[derive(Debug, Clone, Parser)]
#[command(name = "proxyd", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Port to listen on; 0 takes a free one (see --port-file)
    #[arg(short, long, value_name = "PORT", default_value_t = 3306)]
    pub(crate) port: u16,

    /// Which half of the cluster to serve
    #[arg(short, long, value_enum, default_value_t = Mode::Slave)]
    pub(crate) mode: Mode,

    /// Monitor to follow; may be repeated, the next is asked when one fails
    #[arg(
        long = "monitor",
        value_name = "URL",
        env = "MYSQLSVC_MONITOR",
        value_delimiter = ',',
        default_value = "http://web-1:6033"
    )]
    pub(crate) monitors: Vec<MonitorUrl>,

    /// Cluster to follow; needed where the monitor has several
    #[arg(long, value_name = "NAME", env = "MYSQLSVC_CLUSTER", value_parser = cluster_name)]
    pub(crate) cluster: Option<String>,

    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0")]
    pub(crate) listen: IpAddr,

    /// Serve these servers and ask no monitor
    #[arg(
        long,
        value_name = "HOST:PORT",
        value_delimiter = ',',
        conflicts_with_all = ["monitors", "cluster", "state"]
    )]
    pub(crate) targets: Vec<TargetAddr>,

    /// In mode slave: serve the master where no slave is left
    #[arg(long)]
    pub(crate) fall_back_to_master: bool,

    /// Serve /metrics, /healthz, /readyz and /route here
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) admin: Option<SocketAddr>,

    /// Most connections at once; fewer where the limit of open files asks for it
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) max_connections: u32,

    /// Directory to keep the last route in, to start from while no monitor answers; proxies that
    /// share it need a --proxy-id, or a --listen and --port, of their own
    #[arg(long, value_name = "DIR", env = "MYSQLSVC_STATE")]
    pub(crate) state: Option<PathBuf>,

    /// Name told to the monitor, unique among its proxies [default: HOST-MODE-ADDR:PORT]
    #[arg(long, value_name = "ID", value_parser = proxy_id)]
    pub(crate) proxy_id: Option<String>,

    /// Write the port listened on to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,

    /// Seconds connections get to end by themselves at the end
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) drain: Duration,

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

/// As [`ProxyMode`], for clap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// The master; holds new connections during a planned switch.
    Master,
    /// The slaves, in turn.
    Slave,
}

impl From<Mode> for ProxyMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Master => Self::Master,
            Mode::Slave => Self::Slave,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => Err("expected a whole number of seconds".to_owned()),
    }
}

/// As the monitor names clusters.
fn cluster_name(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits && begins && text.len() <= 64 {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 letters, digits, `-`, `_` or `.`, a letter or digit first".to_owned())
    }
}

/// As the monitor takes ids of proxies.
fn proxy_id(text: &str) -> Result<String, String> {
    if (1..=200).contains(&text.len()) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 200 bytes without control characters".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let args = parse("proxyd").unwrap();
        assert_eq!((args.port, args.mode), (3306, Mode::Slave));
        assert_eq!(args.listen.to_string(), "0.0.0.0");
        assert_eq!(args.monitors[0].to_string(), "http://web-1:6033");
    }

    #[test]
    fn monitors_and_targets_may_be_several() {
        let args = parse("proxyd --monitor http://a:1 --monitor http://b:2").unwrap();
        assert_eq!(args.monitors.len(), 2);
        let args = parse("proxyd --targets c:3,d:4").unwrap();
        assert_eq!(args.targets.len(), 2);
    }

    #[test]
    fn wrong_usage_names_the_flag_and_what_would_be_right() {
        for (line, needles) in [
            ("proxyd -p 70000", ["--port", "0..=65535"]),
            ("proxyd -m leader", ["--mode", "master, slave"]),
            ("proxyd --monitor web-1", ["--monitor", "expected http://HOST:PORT"]),
            ("proxyd --targets db", ["--targets", "HOST:PORT"]),
            ("proxyd --listen here", ["--listen", "invalid IP address"]),
            ("proxyd --max-connections 0", ["--max-connections", "0 is not in 1.."]),
            ("proxyd --proxy-id=", ["--proxy-id", "1 to 200 bytes"]),
            (&format!("proxyd --proxy-id {}", "x".repeat(201)), ["--proxy-id", "1 to 200 bytes"]),
            ("proxyd --cluster=", ["--cluster", "1 to 64"]),
            ("proxyd --cluster ma/in", ["--cluster", "1 to 64"]),
            ("proxyd --targets a:1 --monitor http://b:2", ["--targets", "--monitor"]),
            ("proxyd --targets a:1 --cluster main", ["--targets", "--cluster"]),
            ("proxyd --targets a:1 --state /x", ["--targets", "--state"]),
            ("proxyd --drain soon", ["--drain", "whole number of seconds"]),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(needles.iter().all(|needle| text.contains(needle)), "{line}: {text}");
        }
    }
}
