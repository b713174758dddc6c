//! `adopt`: what servers and proxies say, and what it comes to.

use mysqlsvc_http::wire::{AdoptionDocument, ClusterDocument, HeardDocument, NodeDocument, Role};

use super::{
    cluster::shown,
    notes::notes,
    paint::{Paint, Tone},
    paragraph::paragraph,
    table::{Cell, table},
};

/// What the cluster is taken to be, who said what, and what does not fit.
pub(crate) fn adoption(
    cluster: &ClusterDocument,
    adoption: &AdoptionDocument,
    paint: Paint,
) -> String {
    let mutual = if adoption.mutual { ", mutual" } else { "" };
    let title = format!(
        "Adopt {}: epoch {}, master {}{mutual}",
        cluster.name, adoption.epoch, adoption.master
    );
    let mut nodes: Vec<_> =
        cluster.nodes.iter().map(|node| (role(adoption, &node.addr), node)).collect();
    nodes.sort_by_key(|(role, _)| *role);
    let mut text = paint.text(Tone::Strong, &title);
    text.push_str("\n\n");
    text.push_str(&servers(&nodes, paint));
    text.push('\n');
    text.push_str(&paragraph(&[(Tone::Plain, &epoch(cluster, adoption))], 0, paint));
    if !adoption.writable {
        let closed = "The master is read-only and stays so: `mysqlsvc resume` opens it afterwards.";
        text.push_str(&paragraph(&[(Tone::Uneasy, closed)], 0, paint));
    }
    text.push_str(&notes(&adoption.warnings, paint));
    text
}

fn role(adoption: &AdoptionDocument, node: &str) -> Role {
    if adoption.master == node {
        Role::Master
    } else if adoption.standby.as_deref() == Some(node) {
        Role::Standby
    } else if adoption.slaves.iter().any(|slave| slave == node) {
        Role::Slave
    } else {
        Role::Unregistered
    }
}

/// In columns, if the page is wide enough for them; else what a server says stands below it.
fn servers(nodes: &[(Role, &NodeDocument)], paint: Paint) -> String {
    let rows = || nodes.iter().map(|(role, node)| row(*role, node));
    let head = ["TAKEN AS", "NODE", "SAYS"];
    if paint.fits(&table(&head, rows().collect(), paint.plain())) {
        return table(&head, rows().collect(), paint);
    }
    let narrow =
        table(&head[..2], rows().map(|row| row.into_iter().take(2).collect()).collect(), paint);
    let widths = nodes.iter().map(|(role, _)| role.as_str().len());
    let indent = widths.chain([head[0].len()]).max().unwrap_or(0) + 2;
    let said = nodes.iter().map(|(_, node)| {
        let says = paragraph(&[(Tone::Dim, &says(node))], indent, paint);
        format!("{}{says}", " ".repeat(indent))
    });
    let below = std::iter::once(String::new()).chain(said);
    narrow
        .lines()
        .zip(below)
        .flat_map(|(line, said)| [line.to_owned(), "\n".to_owned(), said])
        .collect()
}

fn row(role: Role, node: &NodeDocument) -> Vec<Cell> {
    let tone = match role {
        Role::Master => Tone::Strong,
        Role::Standby | Role::Slave => Tone::Plain,
        Role::Unregistered => Tone::Uneasy,
    };
    vec![Cell::new(tone, role.as_str()), Cell::plain(shown(node)), Cell::plain(says(node))]
}

fn says(node: &NodeDocument) -> String {
    let writes = match node.read_only {
        Some(true) => "read-only",
        Some(false) => "writable",
        None => return "nothing: it could not be looked at".to_owned(),
    };
    match &node.source {
        Some(source) => format!("{writes}, replicates from {source}"),
        None => writes.to_owned(),
    }
}

/// Where the number comes from.
fn epoch(cluster: &ClusterDocument, adoption: &AdoptionDocument) -> String {
    let (ours, next) = (cluster.epoch, adoption.epoch);
    match &adoption.heard {
        Some(heard) => format!(
            "This store is at epoch {ours}. Proxy {} ({}, mode {}) says that it knows epoch {} of {}: \
             it takes routes from epoch {next} on.",
            heard.proxy,
            from(heard),
            heard.mode,
            heard.epoch,
            whose(heard)
        ),
        None => format!(
            "This store is at epoch {ours}, and no proxy spoke of a later one. A proxy that is not \
             connected now may know one: it would then keep its route."
        ),
    }
}

fn from(heard: &HeardDocument) -> String {
    match heard.address.as_str() {
        "local" => "on the monitor's host".to_owned(),
        address => format!("at {address}"),
    }
}

fn whose(heard: &HeardDocument) -> &'static str {
    if heard.other_store { "another store" } else { "a later state of this store" }
}
