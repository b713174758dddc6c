//! What is meant by a name that somebody typed.

use mysqlsvc_http::wire::{ClusterDocument, NodeDocument};

use crate::failure::Failure;

/// The cluster meant: the one named, or the only one.
pub(crate) fn choose_cluster<'a>(
    clusters: &'a [ClusterDocument],
    named: Option<&str>,
) -> Result<&'a ClusterDocument, Failure> {
    let all = || clusters.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (named, clusters) {
        (Some(name), _) => clusters.iter().find(|one| one.name == name).ok_or_else(|| {
            Failure::usage(format!("no cluster is named `{name}`; there are: {}", all()))
        }),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::usage("the monitor keeps no cluster; see its configuration")),
        (None, _) => {
            Err(Failure::usage(format!("which cluster? Say --cluster with one of: {}", all())))
        }
    }
}

/// The address of the node meant: by address, by display name, or by host where only one has it.
pub(crate) fn choose_node(cluster: &ClusterDocument, typed: &str) -> Result<String, Failure> {
    let exact = |node: &&NodeDocument| {
        node.addr.eq_ignore_ascii_case(typed) || node.name.as_deref() == Some(typed)
    };
    if let Some(node) = cluster.nodes.iter().find(exact) {
        return Ok(node.addr.clone());
    }
    let of_host = |node: &&NodeDocument| {
        let host = node.addr.rsplit_once(':').map(|(host, _)| host);
        host.is_some_and(|host| host.eq_ignore_ascii_case(typed))
    };
    let mut candidates = cluster.nodes.iter().filter(of_host);
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(only.addr.clone()),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("`{typed}` has several servers; say which port, HOST:PORT")))
        }
        (None, _) => {
            let nodes: Vec<_> = cluster.nodes.iter().map(|node| node.addr.as_str()).collect();
            Err(Failure::usage(format!(
                "cluster {} has no node `{typed}`; it has {}",
                cluster.name,
                if nodes.is_empty() { "none".to_owned() } else { nodes.join(", ") }
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cluster(name: &str, nodes: &[&str]) -> ClusterDocument {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|addr| json!({"addr": addr, "role": "slave", "state": "OK"}))
            .collect();
        let document = json!({"name": name, "epoch": 1, "phase": "open", "nodes": nodes});
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn the_only_cluster_need_not_be_named() {
        let (a, b) = (cluster("a", &[]), cluster("b", &[]));
        assert_eq!(choose_cluster(std::slice::from_ref(&a), None).unwrap().name, "a");
        let both = [a, b];
        assert_eq!(choose_cluster(&both, Some("b")).unwrap().name, "b");
        assert!(choose_cluster(&both, None).unwrap_err().to_string().contains("a, b"));
        assert!(choose_cluster(&both, Some("c")).unwrap_err().to_string().contains("a, b"));
        assert!(choose_cluster(&[], None).is_err());
    }

    #[test]
    fn a_node_may_be_named_by_its_host_while_that_is_clear() {
        let cluster = cluster("a", &["db-1:3306", "db-2:3306", "127.0.0.1:1", "127.0.0.1:2"]);
        assert_eq!(choose_node(&cluster, "db-1").unwrap(), "db-1:3306");
        assert_eq!(choose_node(&cluster, "DB-2:3306").unwrap(), "db-2:3306");
        assert!(choose_node(&cluster, "127.0.0.1").unwrap_err().to_string().contains("port"));
        let unknown = choose_node(&cluster, "db-3:3306").unwrap_err().to_string();
        assert!(unknown.contains("db-1:3306, db-2:3306"), "{unknown}");
    }
}
