//! `clone`: show what is lost, ask, begin, follow.

use mysqlsvc_http::wire::CloneRequest;

use super::{
    follow::{check, follow},
    switch::{somebody_to_ask, typed},
};
use crate::{args::CloneArgs, connection::Connection, failure::Failure, render};

pub(super) async fn clone(connection: &Connection, args: CloneArgs) -> Result<(), Failure> {
    let out = connection.out;
    let asks = !args.yes && !args.dry_run;
    if asks {
        somebody_to_ask(connection, "a clone")?;
    }
    let (cluster, node) = connection.node(&args.node).await?;
    let donor = match &args.from {
        Some(from) => Some(connection.node(from).await?.1),
        None => None,
    };
    let request = CloneRequest { donor, dry_run: false, confirm: Some(node.clone()) };
    let plan = connection.client.plan_clone(&cluster, &node, request.clone()).await?;
    if args.dry_run {
        return Ok(out.show(&plan, render::plan)?);
    }
    if !out.json {
        out.print(&render::plan(&plan, out.paint))?;
    }
    if asks {
        let question =
            format!("\nType {node} to replace everything on it, anything else to stop: ");
        typed(connection, &question, &node).await?;
    }
    // What was shown is what is done.
    let request = CloneRequest { donor: plan.from.clone(), ..request };
    let begun = connection.client.clone_node(&cluster, &node, request).await?;
    if !out.json {
        let hint = "`mysqlsvc abandon` ends it; what is copied by then is of no use";
        out.print(&format!("\nOperation {} began; {hint}.\n", begun.id))?;
    }
    let operation = follow(connection, &cluster, begun).await?;
    out.show(&operation, render::summary)?;
    check(&operation)
}
