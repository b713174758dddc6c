//! `operations`, `operation`, `abandon`.

use mysqlsvc_http::wire::OperationId;

use super::follow::{check, follow};
use crate::{connection::Connection, failure::Failure, render};

pub(super) async fn all(connection: &Connection) -> Result<(), Failure> {
    let cluster = connection.cluster().await?;
    let operations = connection.client.operations(&cluster.name).await?;
    Ok(connection.out.show(&operations, |all, paint| render::operations(all, paint))?)
}

pub(super) async fn one(connection: &Connection, id: &str, wait: bool) -> Result<(), Failure> {
    let cluster = connection.cluster().await?.name;
    let operation = connection.client.operation(&cluster, &OperationId::new(id)).await?;
    if !wait {
        return Ok(connection.out.show(&operation, render::operation)?);
    }
    if operation.outcome.is_final() {
        connection.out.show(&operation, render::operation)?;
        // As if it had ended a moment later: followed, its outcome is what counts.
        return check(&operation);
    }
    let operation = follow(connection, &cluster, operation).await?;
    connection.out.show(&operation, render::summary)?;
    check(&operation)
}

/// Gives up an operation that cannot go on. What it has done so far stays done.
pub(super) async fn abandon(connection: &Connection, id: &str) -> Result<(), Failure> {
    let cluster = connection.cluster().await?.name;
    let given_up = connection.client.abandon(&cluster, &OperationId::new(id)).await?;
    Ok(connection.out.show(&given_up, render::operation)?)
}
