//! `[[cluster]]`: what is watched, and how patiently.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc, time::Duration};

use mysqlsvc_core::{Millis, NodeId, Settings};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    copying,
    discovery::{self, DiscoveryConfig},
    problem::{Place, Problems},
    section::Section,
    semi_sync, switch, value,
};
use crate::mysql::copying::CopySettings;

/// One cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfig {
    /// What it is called, in URLs too.
    pub name: ClusterName,
    /// How its servers are found.
    pub discovery: DiscoveryConfig,
    /// How they are watched.
    pub probe: ProbeConfig,
    /// The limits of operations.
    pub settings: Settings,
    /// How a server is made a copy of another.
    pub copying: CopySettings,
}

/// How servers are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeConfig {
    /// From the end of one look at a server to the beginning of the next (default 1 s).
    pub interval: Millis,
    /// How long a look may take (default 1 s).
    pub timeout: Millis,
    /// How many looks in a row must fail until a server that answered before is ERROR (default 2).
    pub failures: u32,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { interval: Millis(1000), timeout: Millis(1000), failures: 2 }
    }
}

/// What a cluster is called: 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or
/// digit. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(Arc<str>);

/// Why a text is no [`ClusterName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a cluster name: write 1 to 64 letters, digits, `-`, `_` or `.`, beginning with \
     a letter or digit"
)]
pub struct InvalidClusterName(String);

impl ClusterName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClusterName {
    type Err = InvalidClusterName;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let fits = given.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let begins = given.starts_with(|c: char| c.is_ascii_alphanumeric());
        if fits && begins && given.len() <= 64 {
            Ok(Self(given.into()))
        } else {
            Err(InvalidClusterName(given.to_owned()))
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All clusters; `raw` is what stands under `cluster`.
pub(super) fn read_all(
    raw: Option<&Spanned<DeValue<'_>>>,
    problems: &mut Problems<'_>,
) -> Vec<ClusterConfig> {
    let Some(raw) = raw else {
        let message = "no cluster is configured; add [[cluster]] with a name and a discovery";
        problems.add(problems.whole_file(), message);
        return Vec::new();
    };
    let DeValue::Array(array) = raw.get_ref() else {
        let message = "cluster: write [[cluster]] with double brackets; there may be several";
        problems.add_at(&raw.span(), message);
        return Vec::new();
    };
    let mut seen = Seen::default();
    array
        .iter()
        .filter_map(|element| match element.get_ref() {
            DeValue::Table(table) => {
                let place = problems.at(&element.span());
                read(table, place, &mut seen, problems)
            }
            other => {
                let found = other.type_str();
                problems.add_at(&element.span(), format!("expected [[cluster]], found {found}"));
                None
            }
        })
        .collect()
}

/// Names and nodes of the clusters read so far: neither may come twice.
#[derive(Debug, Default)]
struct Seen {
    names: BTreeMap<ClusterName, Place>,
    nodes: BTreeMap<NodeId, Place>,
}

fn read(
    table: &DeTable<'_>,
    place: Place,
    seen: &mut Seen,
    problems: &mut Problems<'_>,
) -> Option<ClusterConfig> {
    let mut section = Section::new("[[cluster]]", table, place);
    let name = read_name(&mut section, &mut seen.names, problems);
    let discovery = discovery::read(&mut section, &mut seen.nodes, problems);
    let probe = read_probe(section.section(problems, "probe", "[cluster.probe]"), problems);
    let switch = section.section(problems, "switch", "[cluster.switch]");
    let semi_sync = section.section(problems, "semi_sync", "[cluster.semi_sync]");
    let settings = Settings {
        semi_sync: semi_sync::read(semi_sync, problems),
        ..switch::read(switch, problems)
    };
    let copying = copying::read(section.section(problems, "clone", "[cluster.clone]"), problems);
    section.not_yet(problems, "failover", "[cluster.failover], automatic failover,");
    section.finish(problems);
    Some(ClusterConfig { name: name?, discovery: discovery?, probe, settings, copying })
}

fn read_name(
    section: &mut Section<'_>,
    seen: &mut BTreeMap<ClusterName, Place>,
    problems: &mut Problems<'_>,
) -> Option<ClusterName> {
    if section.raw("name").is_none() {
        let message = "a cluster needs a name, for example name = \"main\"";
        problems.add(section.place().clone(), message);
        return None;
    }
    let convert = |given: &DeValue<'_>| {
        value::text(given)?.parse().map_err(|error: InvalidClusterName| error.to_string())
    };
    let given = section.read::<ClusterName>(problems, "name", convert)?;
    if let Some(first) = seen.get(&given.value) {
        let message = format!("name: a cluster `{}` is already at {first}", given.value);
        problems.add(given.place, message);
    } else {
        seen.insert(given.value.clone(), given.place);
    }
    Some(given.value)
}

fn read_probe(mut section: Section<'_>, problems: &mut Problems<'_>) -> ProbeConfig {
    let default = ProbeConfig::default();
    let interval = Duration::from_millis(50)..=Duration::from_hours(1);
    let timeout = Duration::from_millis(50)..=Duration::from_mins(1);
    let probe = ProbeConfig {
        interval: section.read_or(
            problems,
            "interval",
            default.interval,
            value::duration(interval),
        ),
        timeout: section.read_or(problems, "timeout", default.timeout, value::duration(timeout)),
        failures: section.read_or(problems, "failures", default.failures, value::number(1..=100)),
    };
    section.finish(problems);
    probe
}
