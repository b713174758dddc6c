//! Shows a running operation's steps as they are done.

use std::time::Duration;

use mysqlsvc_http::wire::{OperationDocument, OperationOutcome};
use tokio::time::{Instant, sleep};

use crate::{
    connection::Connection,
    failure::Failure,
    render::{StepLines, progress},
};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an operation is followed; one that takes longer waits for a node that is away, unless
/// it copies data.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a monitor may be away before we stop following.
const ABSENCE: Duration = Duration::from_secs(30);

/// To the beginning of the line, and nothing there.
const ERASE: &str = "\r\x1b[K";

/// Follows to the end, printing each step when it is over (for people only).
pub(super) async fn follow(
    connection: &Connection,
    cluster: &str,
    begun: OperationDocument,
) -> Result<OperationDocument, Failure> {
    let mut lines = StepLines::default();
    let print = |operation: &OperationDocument| print_news(connection, &mut lines, operation);
    let followed = follow_to_the_end(connection, cluster, begun, print).await;
    if followed.is_err() && connection.out.terminal && !connection.out.json {
        connection.out.print(ERASE)?;
    }
    followed
}

/// Follows to the end.
pub(super) async fn follow_silently(
    connection: &Connection,
    cluster: &str,
    begun: OperationDocument,
) -> Result<OperationDocument, Failure> {
    follow_to_the_end(connection, cluster, begun, |_| Ok(())).await
}

async fn follow_to_the_end(
    connection: &Connection,
    cluster: &str,
    begun: OperationDocument,
    mut print: impl FnMut(&OperationDocument) -> Result<(), Failure>,
) -> Result<OperationDocument, Failure> {
    let id = begun.id.clone();
    let started = Instant::now();
    let mut operation = begun;
    let mut seen = started;
    loop {
        print(&operation)?;
        if operation.outcome.is_final() {
            return Ok(operation);
        }
        if started.elapsed() > PATIENCE && operation.progress.is_none() {
            return Err(Failure::StillRunning { id });
        }
        sleep(PAUSE).await;
        match connection.client.operation(cluster, &id).await {
            Ok(now) => {
                seen = Instant::now();
                operation = now;
            }
            // A monitor that is restarted goes on with the operation.
            Err(error) if error.problem().is_some() || seen.elapsed() > ABSENCE => {
                return Err(Failure::LostSight { id, error });
            }
            Err(_) => {}
        }
    }
}

fn print_news(
    connection: &Connection,
    lines: &mut StepLines,
    operation: &OperationDocument,
) -> Result<(), Failure> {
    let out = connection.out;
    if out.json {
        return Ok(());
    }
    let news = lines.news(operation, out.paint);
    if !out.terminal {
        return Ok(out.print(&news)?);
    }
    let now = StepLines::under_way(operation)
        .map(|step| {
            let far = operation.progress.as_ref().map(progress).unwrap_or_default();
            format!("{far:>30} … {step}")
        })
        .unwrap_or_default();
    Ok(out.print(&format!("{ERASE}{news}{}", out.paint.cut(&now)))?)
}

/// Whether it did what was asked.
pub(super) fn check(operation: &OperationDocument) -> Result<(), Failure> {
    match operation.outcome {
        OperationOutcome::Succeeded => Ok(()),
        outcome => Err(Failure::NotSucceeded { id: operation.id.clone(), outcome }),
    }
}
