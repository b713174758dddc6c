//! `discovery = { kind = …, … }`: how the servers of a cluster are found.

use std::collections::BTreeMap;

use mysqlsvc_core::NodeId;
use toml::{Spanned, de::DeValue};

use super::{
    problem::{Place, Problems},
    section::Section,
    suggestion::nearest,
    value,
};

/// How the servers of a cluster are found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoveryConfig {
    /// They are listed here.
    Static {
        /// In the order of the file; at least one, none twice.
        nodes: Vec<NodeId>,
    },
}

const KINDS: [&str; 4] = ["static", "file", "lainlet", "dns"];

/// `seen` holds every node of the file so far: a server belongs to one cluster.
pub(super) fn read(
    cluster: &mut Section<'_>,
    seen: &mut BTreeMap<NodeId, Place>,
    problems: &mut Problems<'_>,
) -> Option<DiscoveryConfig> {
    let example = "discovery = { kind = \"static\", nodes = [\"10.0.0.1:3306\"] }";
    if cluster.raw("discovery").is_none() {
        let message = format!("a cluster needs a discovery, for example {example}");
        problems.add(cluster.place().clone(), message);
        return None;
    }
    let mut section = cluster.section(problems, "discovery", "discovery");
    if section.raw("kind").is_none() {
        let message = format!("discovery: the kind is missing; for example {example}");
        problems.add(section.place().clone(), message);
        return None;
    }
    section.read(problems, "kind", kind)?;
    let nodes = if let Some(raw) = section.raw("nodes") {
        read_nodes(raw, seen, problems)
    } else {
        let message = format!("discovery: nodes are missing; for example {example}");
        problems.add(section.place().clone(), message);
        Vec::new()
    };
    section.finish(problems);
    Some(DiscoveryConfig::Static { nodes })
}

fn kind(given: &DeValue<'_>) -> Result<(), String> {
    match value::text(given)? {
        "static" => Ok(()),
        known if KINDS.contains(&known) => Err(format!(
            "a discovery by {known} is not supported by this version; write kind = \"static\" \
             and list the nodes"
        )),
        other => Err(match nearest(other, &KINDS) {
            Some(near) => format!("there is no discovery `{other}`; did you mean `{near}`?"),
            None => format!("there is no discovery `{other}`; there is \"static\""),
        }),
    }
}

fn read_nodes(
    raw: &Spanned<DeValue<'_>>,
    seen: &mut BTreeMap<NodeId, Place>,
    problems: &mut Problems<'_>,
) -> Vec<NodeId> {
    let Some(array) = raw.get_ref().as_array().filter(|array| !array.is_empty()) else {
        let message = "nodes: expected a list of addresses, for example [\"10.0.0.1:3306\"]";
        problems.add_at(&raw.span(), message);
        return Vec::new();
    };
    array.iter().filter_map(|element| read_node(element, seen, problems)).collect()
}

fn read_node(
    element: &Spanned<DeValue<'_>>,
    seen: &mut BTreeMap<NodeId, Place>,
    problems: &mut Problems<'_>,
) -> Option<NodeId> {
    let place = problems.at(&element.span());
    let parsed = value::text(element.get_ref())
        .and_then(|given| given.parse::<NodeId>().map_err(|error| error.to_string()));
    let node = match parsed {
        Ok(node) => node,
        Err(message) => {
            problems.add(place, format!("nodes: {message}"));
            return None;
        }
    };
    if let Some(first) = seen.get(&node) {
        let message = format!("nodes: {node} is already at {first}; a server is listed once");
        problems.add(place, message);
        return None;
    }
    seen.insert(node.clone(), place);
    Some(node)
}
