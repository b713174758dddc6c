//! `status`: a line for each cluster, a table of its nodes, what is under way.

use mysqlsvc_http::wire::{
    AlarmDocument, ClusterDocument, Flavor, NodeDocument, PhaseName, Role, StepOutcome,
};

use super::{
    notes::notes,
    operation::what,
    paint::{Paint, Tone},
    paragraph::paragraph,
    table::{Cell, table},
    time::whole,
};

/// All clusters.
pub(crate) fn clusters(clusters: &[ClusterDocument], paint: Paint) -> String {
    if clusters.is_empty() {
        return "the monitor keeps no cluster\n".to_owned();
    }
    let parts: Vec<String> = clusters.iter().map(|one| cluster(one, paint)).collect();
    parts.join("\n")
}

fn cluster(cluster: &ClusterDocument, paint: Paint) -> String {
    let mut text = headline(cluster, paint);
    text.extend(cluster.alarms.iter().map(|one| alarm(one, paint)));
    if let Some(operation) = &cluster.operation {
        let done = operation.steps.iter().filter(|step| step.outcome == StepOutcome::Done).count();
        let of = operation.plan.as_ref().map_or(0, |plan| plan.steps.len());
        let line = format!(
            "operation {} under way: {}, {done} of {of} steps done",
            operation.id,
            what(operation)
        );
        text.push_str(&paint.text(Tone::Strong, &line));
        text.push('\n');
    }
    text.push('\n');
    let mut nodes: Vec<&NodeDocument> = cluster.nodes.iter().collect();
    nodes.sort_by_key(|node| node.role);
    if nodes.is_empty() {
        text.push_str("no node is known; see `discovery` in the monitor's configuration\n");
        return text;
    }
    text.push_str(&node_table(&nodes, paint));
    text
}

const HEAD: [&str; 8] = ["ROLE", "NODE", "STATE", "WRITES", "LAG", "SOURCE", "SERVER", "CAUSE"];
/// As many of them fit on a narrow page.
const NARROW: usize = 6;

/// On a page too narrow for all columns causes stand below their rows, and servers are left out:
/// `nodes` tells them.
fn node_table(nodes: &[&NodeDocument], paint: Paint) -> String {
    let rows = || nodes.iter().map(|node| row(node));
    if paint.fits(&table(&HEAD, rows().collect(), paint.plain())) {
        return table(&HEAD, rows().collect(), paint);
    }
    let narrow = rows().map(|row| row.into_iter().take(NARROW).collect());
    let narrow = table(&HEAD[..NARROW], narrow.collect(), paint);
    let roles = nodes.iter().map(|node| node.role.as_str().len());
    let role_width = roles.chain([HEAD[0].len()]).max().unwrap_or(0);
    let causes = nodes.iter().map(|node| node.cause.as_deref());
    let mut text = String::new();
    for (line, cause) in narrow.lines().zip(std::iter::once(None).chain(causes)) {
        text.push_str(line);
        text.push('\n');
        if let Some(cause) = cause {
            let indent = role_width + 2;
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(&paragraph(&[(Tone::Dim, cause)], indent, paint));
        }
    }
    text
}

fn alarm(alarm: &AlarmDocument, paint: Paint) -> String {
    let title = format!("ALARM {}:", alarm.id);
    paragraph(&[(Tone::Bad, &title), (Tone::Bad, &alarm.text)], 0, paint)
}

/// Whether the monitor keeps still now.
pub(crate) fn maintenance(cluster: &ClusterDocument, paint: Paint) -> String {
    let name = &cluster.name;
    if cluster.maintenance {
        let on = paint.text(Tone::Uneasy, "maintenance is on");
        format!("{name}: {on}, the monitor does nothing by itself\n")
    } else {
        format!("{name}: maintenance is off, the monitor acts by itself again\n")
    }
}

fn headline(cluster: &ClusterDocument, paint: Paint) -> String {
    let mut parts = vec![format!("epoch {}", cluster.epoch)];
    parts.push(match &cluster.master {
        Some(master) => format!("master {master}"),
        None => paint.text(Tone::Bad, "no master"),
    });
    if cluster.mutual {
        parts.push("mutual".to_owned());
    }
    if cluster.maintenance {
        parts.push(paint.text(Tone::Uneasy, "maintenance"));
    }
    if cluster.phase == PhaseName::Hold {
        parts.push(paint.text(Tone::Uneasy, "proxies hold"));
    }
    format!("{}  {}\n", paint.text(Tone::Strong, &cluster.name), parts.join(", "))
}

fn row(node: &NodeDocument) -> Vec<Cell> {
    let role = if node.role == Role::Master { Tone::Strong } else { Tone::Plain };
    let writes = node.read_only.map(|read_only| if read_only { "no" } else { "yes" });
    vec![
        Cell::new(role, node.role.as_str()),
        Cell::plain(shown(node)),
        Cell::new(node.state.into(), node.state.as_str()),
        Cell::maybe(writes),
        Cell::maybe(node.lag_ms.map(whole)),
        Cell::maybe(node.source.as_deref()),
        Cell::maybe(server(node)),
        Cell::plain(node.cause.as_deref().unwrap_or_default()),
    ]
}

/// The address, with the display name where it has one.
pub(super) fn shown(node: &NodeDocument) -> String {
    match &node.name {
        Some(name) => format!("{} ({name})", node.addr),
        None => node.addr.clone(),
    }
}

/// Family and version.
pub(super) fn server(node: &NodeDocument) -> Option<String> {
    let family = match node.flavor? {
        Flavor::Mysql => "MySQL",
        Flavor::Mariadb => "MariaDB",
    };
    Some(match &node.version {
        Some(version) => format!("{family} {version}"),
        None => family.to_owned(),
    })
}

/// What became of one node, in one line, and what is to be known about it.
pub(crate) fn node_line(node: &NodeDocument, paint: Paint) -> String {
    let state = paint.text(node.state.into(), node.state.as_str());
    let cause = node.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
    let notes = notes(&node.warnings, paint);
    format!("{} is {}, {state}{cause}\n{notes}", shown(node), node.role)
}
