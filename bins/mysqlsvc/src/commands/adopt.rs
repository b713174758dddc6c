//! `adopt`: show what servers and proxies say, ask, take the cluster up.

use std::slice::from_ref;

use super::switch::{somebody_to_ask, typed};
use crate::{args::AdoptArgs, connection::Connection, failure::Failure, render};

pub(super) async fn adopt(connection: &Connection, args: &AdoptArgs) -> Result<(), Failure> {
    let out = connection.out;
    let asks = !args.yes && !args.dry_run;
    if asks {
        somebody_to_ask(connection, "adopting")?;
    }
    let name = connection.cluster().await?.name;
    let adoption = connection.client.plan_adoption(&name).await?;
    // After it: every server was looked at for it.
    let cluster = connection.client.cluster(&name).await?;
    if args.dry_run {
        return Ok(out.show(&adoption, |it, paint| render::adoption(&cluster, it, paint))?);
    }
    if !out.json {
        out.print(&render::adoption(&cluster, &adoption, out.paint))?;
    }
    if asks {
        let question = format!("\nType {name} to take it up like this, anything else to stop: ");
        typed(connection, &question, &name).await?;
    }
    let document = connection.client.adopt(&name).await?;
    if !out.json {
        out.print("\n")?;
    }
    Ok(out.show(&document, |it, paint| render::clusters(from_ref(it), paint))?)
}
