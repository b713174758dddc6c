//! The configuration of CONTRACTS 1, checked whole: every mistake at once, each with its place and
//! with what would be right.

mod cluster;
mod copying;
mod discovery;
mod environment;
mod monitor;
mod problem;
mod section;
mod semi_sync;
mod suggestion;
mod switch;
#[cfg(test)]
mod tests;
mod value;

use std::{fs, path::Path};

use toml::de::DeTable;

pub use self::{
    cluster::{ClusterConfig, ClusterName, InvalidClusterName, ProbeConfig},
    discovery::DiscoveryConfig,
    environment::Environment,
    monitor::MonitorConfig,
    problem::{ConfigError, Place, Problem},
};
use self::{problem::Problems, section::Section};

/// Everything monitord is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where monitord listens, and where its things are.
    pub monitor: MonitorConfig,
    /// At least one; no two of the same name, no two with the same node.
    pub clusters: Vec<ClusterConfig>,
}

impl Config {
    /// Reads a file. Relative paths in it begin at its directory.
    pub fn load(file: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(file).map_err(|error| ConfigError::unreadable(file, &error))?;
        Self::parse(file, &text, environment)
    }

    /// Understands the text of a file; `file` is what it is called in messages.
    pub fn parse(file: &Path, text: &str, environment: &Environment) -> Result<Self, ConfigError> {
        let mut problems = Problems::new(file, text);
        let (document, syntax) = DeTable::parse_recoverable(text);
        for error in syntax {
            let span = error.span().unwrap_or_default();
            problems.add_at(&span, format!("not TOML: {}", error.message()));
        }
        if !problems.is_empty() {
            return problems.settle(None);
        }
        let base = file.parent().unwrap_or(Path::new(""));
        let config = read(document.get_ref(), environment, base, &mut problems);
        problems.settle(Some(config))
    }
}

fn read(
    document: &DeTable<'_>,
    environment: &Environment,
    base: &Path,
    problems: &mut Problems<'_>,
) -> Config {
    let mut root = Section::new("the configuration", document, problems.whole_file());
    let section = root.section(problems, "monitor", "[monitor]");
    let monitor = monitor::read(section, environment, base, problems);
    let clusters = cluster::read_all(root.raw("cluster"), problems);
    root.not_yet(problems, "report", "[report]");
    root.not_yet(problems, "auth", "[auth], a login,");
    root.not_yet(problems, "tls", "[tls]");
    root.finish(problems);
    Config { monitor, clusters }
}
