//! `switch`: show the plan, ask, begin, follow.

use std::io::{self, BufRead as _, IsTerminal as _};

use mysqlsvc_http::wire::{PlanDocument, Strategy, SwitchRequest};

use super::follow::{check, follow};
use crate::{args::SwitchArgs, connection::Connection, failure::Failure, render};

pub(super) async fn switch(connection: &Connection, args: SwitchArgs) -> Result<(), Failure> {
    let out = connection.out;
    let asks = !args.yes && !args.dry_run;
    if asks {
        somebody_to_ask(connection, "a switch")?;
    }
    let (cluster, to) = connection.node(&args.to).await?;
    let request = SwitchRequest {
        confirm: Some(to.clone()),
        to: to.clone(),
        strategy: args.strategy,
        dry_run: false,
    };
    let plan = connection.client.plan_switch(&cluster, request.clone()).await?;
    if args.dry_run {
        return Ok(out.show(&plan, render::plan)?);
    }
    if !out.json {
        out.print(&render::plan(&plan, out.paint))?;
    }
    if asks {
        confirm(connection, &plan, &to).await?;
    }
    let begun = connection.client.switch(&cluster, request, None).await?;
    if !out.json {
        out.print(&format!("\nOperation {} began.\n", begun.id))?;
    }
    let operation = follow(connection, &cluster, begun).await?;
    out.show(&operation, render::summary)?;
    check(&operation)
}

/// Asks for the node's name: whoever types it has read it.
async fn confirm(connection: &Connection, plan: &PlanDocument, to: &str) -> Result<(), Failure> {
    let danger = match plan.strategy {
        Some(Strategy::Availability) => "Two servers will take writes for a moment.\n",
        Some(Strategy::Reliability) | None => "",
    };
    let question = format!("\n{danger}Type {to} to make it the master, anything else to stop: ");
    typed(connection, &question, to).await
}

/// Whether there is, before anything is shown.
pub(super) fn somebody_to_ask(connection: &Connection, what: &str) -> Result<(), Failure> {
    if !connection.out.json && io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{what} asks before it begins, and here is nobody to ask; say --yes to go ahead, or \
         --dry-run to see the plan"
    )))
}

/// Asks to type an address.
pub(super) async fn typed(
    connection: &Connection,
    question: &str,
    to: &str,
) -> Result<(), Failure> {
    connection.out.ask(question).map_err(Failure::CannotAsk)?;
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = reading.await.map_err(io::Error::other)??;
    let typed = line.trim();
    if typed == to {
        return Ok(());
    }
    Err(Failure::NotConfirmed { typed: typed.to_owned(), wanted: to.to_owned() })
}
