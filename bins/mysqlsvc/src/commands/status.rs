//! `status`, `nodes`.

use std::time::Duration;

use tokio::{signal::ctrl_c, time::sleep};

use crate::{connection::Connection, failure::Failure, render};

/// How often `--watch` looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Back to the upper left corner, and nothing there.
const CLEAR: &str = "\x1b[H\x1b[2J";

pub(super) async fn show(connection: &Connection) -> Result<(), Failure> {
    let clusters = connection.clusters().await?;
    Ok(connection.out.show(&clusters, |all, paint| render::clusters(all, paint))?)
}

pub(super) async fn nodes(connection: &Connection) -> Result<(), Failure> {
    let cluster = connection.cluster().await?;
    if connection.out.json {
        return Ok(connection.out.show(&cluster.nodes, |_, _| String::new())?);
    }
    Ok(connection.out.print(&render::nodes(&cluster, connection.out.paint))?)
}

/// Until Ctrl-C. A terminal shows the present; a file gets each state once. A monitor that is away
/// for a while is waited for.
pub(super) async fn watch(connection: &Connection) -> Result<(), Failure> {
    let mut last = String::new();
    let watching = async {
        loop {
            let text = present(connection).await;
            if text != last {
                let clear = if connection.out.terminal { CLEAR } else { "" };
                connection.out.print(&format!("{clear}{text}"))?;
                last = text;
            }
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        ended = watching => ended,
        interrupted = ctrl_c() => Ok(interrupted?),
    }
}

async fn present(connection: &Connection) -> String {
    match connection.clusters().await {
        Ok(clusters) if connection.out.json => {
            // Documents of texts and numbers always have a JSON form.
            serde_json::to_string(&clusters).unwrap_or_default() + "\n"
        }
        Ok(clusters) => render::clusters(&clusters, connection.out.paint),
        Err(failure) if connection.out.json => {
            eprintln!("mysqlsvc: {failure}");
            String::new()
        }
        Err(failure) => format!("{failure}\n"),
    }
}
