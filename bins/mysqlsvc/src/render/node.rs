//! `nodes`: everything known of each node.

use mysqlsvc_http::wire::{AllowedOperation, ClusterDocument, NodeDocument, SemiSyncDocument};

use super::{
    cluster::{server, shown},
    paint::{Paint, Tone},
    table::{Cell, lines},
    time::whole,
};

/// The nodes of a cluster, by role.
pub(crate) fn nodes(cluster: &ClusterDocument, paint: Paint) -> String {
    if cluster.nodes.is_empty() {
        return format!("cluster {} has no node\n", cluster.name);
    }
    let mut nodes: Vec<&NodeDocument> = cluster.nodes.iter().collect();
    nodes.sort_by_key(|node| node.role);
    let blocks: Vec<String> = nodes.into_iter().map(|node| block(node, paint)).collect();
    blocks.join("\n")
}

fn block(node: &NodeDocument, paint: Paint) -> String {
    let head = format!(
        "{}  {}  {}\n",
        paint.text(Tone::Strong, &shown(node)),
        node.role,
        paint.text(node.state.into(), node.state.as_str()),
    );
    let mut rows = Vec::new();
    let mut line = |title: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let title = Cell::new(Tone::Dim, format!("  {title}"));
            rows.push(vec![title, Cell::plain(text)]);
        }
    };
    line("cause", node.cause.clone());
    line("server", described(node));
    line("replicates", replication(node));
    line("semi-sync", node.semi_sync.as_ref().and_then(semi_sync));
    line("executed", node.gtid_executed.clone());
    line("binlog end", node.binlog_end.clone());
    line("missing", node.missing.clone());
    line("errant", node.errant.clone());
    line("looked at", node.probed_at.clone());
    let may = node.allowed.iter().filter(|one| one.ok).map(|one| one.operation.as_str());
    line("may", Some(may.collect::<Vec<_>>().join(", ")));
    for refused in node.allowed.iter().filter(|one| !one.ok) {
        line("may not", Some(refusal(refused)));
    }
    head + &lines(&rows, paint)
}

fn described(node: &NodeDocument) -> Option<String> {
    let mut parts = vec![server(node)?];
    parts.extend(node.server_id.map(|id| format!("server_id {id}")));
    parts.extend(node.server_uuid.as_ref().map(|uuid| format!("server_uuid {uuid}")));
    parts.push(match (node.super_read_only, node.read_only) {
        (Some(true), _) => "super_read_only".to_owned(),
        (_, Some(true)) => "read_only".to_owned(),
        (_, Some(false)) => "writable".to_owned(),
        (_, None) => return Some(parts.join(", ")),
    });
    Some(parts.join(", "))
}

fn replication(node: &NodeDocument) -> Option<String> {
    let source = node.source.as_ref()?;
    let unknown = || "?".to_owned();
    let lag = node.lag_ms.map(|lag| format!(", {} behind", whole(lag))).unwrap_or_default();
    let delay = node.delay_ms.filter(|delay| *delay > 0);
    let delay = delay.map(|delay| format!(", told to stay {} behind", whole(delay)));
    let delay = delay.unwrap_or_default();
    Some(format!(
        "from {source}, I/O {}, SQL {}{lag}{delay}",
        node.io_running.clone().unwrap_or_else(unknown),
        node.sql_running.clone().unwrap_or_else(unknown),
    ))
}

/// Nothing for a server that has the plugins and plays no part.
fn semi_sync(seen: &SemiSyncDocument) -> Option<String> {
    let Some(source) = &seen.source else {
        return seen.replica.then(|| "replica".to_owned());
    };
    let waits = if seen.waiting { "waits" } else { "DEGRADED: does not wait, but is told to," };
    let (of, timeout) = (source.replicas, whole(source.timeout_ms));
    Some(format!("source, {waits} for {of} of {} replicas, at most {timeout}", seen.replicas))
}

fn refusal(refused: &AllowedOperation) -> String {
    match &refused.reason {
        Some(reason) => format!("{}: {reason}", refused.operation),
        None => refused.operation.clone(),
    }
}
