//! Where everything is, and what to do with it.

use std::time::Duration;

use mysqlsvc_http::wire::{ProxyMode, Role};

use super::{flavor_name, numbers};
use crate::demo::{failure::Failure, ground::Ground, screen::Style};

/// What runs, and where.
pub(in crate::demo) fn header(
    ground: &Ground,
    roles: &[(String, Role)],
    took: Duration,
    style: Style,
) -> Result<Vec<String>, Failure> {
    let flavor = flavor_name(ground.sandbox.flavor());
    let version = ground.sandbox.version().split('-').next().unwrap_or_default();
    let product = &ground.product;
    let services = [
        ("pages, API", format!("http://{}", product.http())),
        ("routes (SSE)", format!("http://{}/servers", product.sse())),
        ("master proxy", product.proxy(ProxyMode::Master)?.address().to_string()),
        ("slave proxy", product.proxy(ProxyMode::Slave)?.address().to_string()),
    ];
    let mut lines = vec![
        format!(
            "{}  {} {version}, {} servers, monitord, 2 proxyd  {}",
            style.bold("mysqlsvc demo"),
            flavor,
            roles.len(),
            style.dim(&format!("up in {}", numbers::duration(took))),
        ),
        String::new(),
    ];
    let rows = roles.len().max(services.len());
    for row in 0..rows {
        let server = roles.get(row).map(|(address, role)| format!("{role:<9}{address:<22}"));
        let service = services.get(row).map(|(what, place)| format!("{what:<14}{place}"));
        let line = format!("  {:<33}{}", server.unwrap_or_default(), service.unwrap_or_default());
        lines.push(line.trim_end().to_owned());
    }
    lines.push(String::new());
    Ok(lines)
}

/// Where to look and what to type.
pub(in crate::demo) fn what_next(
    ground: &Ground,
    roles: &[(String, Role)],
    style: Style,
) -> Result<Vec<String>, Failure> {
    let product = &ground.product;
    let program = std::env::args().next().unwrap_or_else(|| "mysqlsvc".to_owned());
    let command = format!("{program} --url http://{}", product.http());
    let master = product.proxy(ProxyMode::Master)?.address();
    let mut typed = vec![("look", format!("{command} status --watch"))];
    for (what, wanted) in [("switch back", Role::Standby), ("or to a slave", Role::Slave)] {
        if let Some((address, _)) = roles.iter().find(|(_, role)| *role == wanted) {
            typed.push((what, format!("{command} switch --to {address}")));
        }
    }
    typed.push(("routes", format!("curl -N http://{}/servers", product.sse())));
    let login = format!("mariadb -h {} -P {} -u app -p app", master.ip(), master.port());
    typed.push(("log in", login));
    let places = [
        ("accounts", ground.sandbox.dir().join("sandbox.json")),
        ("settings, logs", product.dir().to_owned()),
    ];
    let mut lines = vec![style.bold("Everything stays up. Try, in another terminal:")];
    lines.extend(typed.iter().map(|(what, typed)| format!("  {what:<15}{}", style.link(typed))));
    lines.extend(places.iter().map(|(what, place)| format!("  {what:<15}{}", place.display())));
    lines.push(style.dim("Ctrl-C ends and removes all of it."));
    Ok(lines)
}
