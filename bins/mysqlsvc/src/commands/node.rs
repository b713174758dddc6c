//! `register`, `unregister`, `activate`, `detach`, `pause`, `resume`.

use std::collections::BTreeSet;

use mysqlsvc_http::wire::{NodeAction, NodeDocument, OperationDocument, OperationId, Role};

use super::follow::{check, follow_silently};
use crate::{args::ActivateArgs, connection::Connection, failure::Failure, render};

pub(super) async fn register(
    connection: &Connection,
    node: &str,
    role: Role,
) -> Result<(), Failure> {
    let (cluster, node) = connection.node(node).await?;
    let document = connection.client.register(&cluster, &node, role).await?;
    show(connection, &document)
}

pub(super) async fn unregister(connection: &Connection, node: &str) -> Result<(), Failure> {
    let (cluster, node) = connection.node(node).await?;
    let document = connection.client.act(&cluster, &node, NodeAction::Unregister).await?;
    show(connection, &document)
}

/// Does what is an operation of one node. A monitor that takes longer answers with the node before
/// the end of the operation, so what counts is the operation.
pub(super) async fn act(
    connection: &Connection,
    node: &str,
    action: NodeAction,
) -> Result<(), Failure> {
    operate(connection, node, action, None).await
}

/// Lets a node replicate from the master, by position from where it is told to be.
pub(super) async fn activate(connection: &Connection, args: ActivateArgs) -> Result<(), Failure> {
    operate(connection, &args.node, NodeAction::Activate, args.at).await
}

async fn operate(
    connection: &Connection,
    node: &str,
    action: NodeAction,
    at: Option<String>,
) -> Result<(), Failure> {
    let (cluster, node) = connection.node(node).await?;
    let client = &connection.client;
    let before: BTreeSet<OperationId> =
        client.operations(&cluster).await?.into_iter().map(|operation| operation.id).collect();
    let document = match at {
        Some(at) => client.activate(&cluster, &node, at).await?,
        None => client.act(&cluster, &node, action).await?,
    };
    let now = client.operations(&cluster).await?;
    let begun = now
        .into_iter()
        .find(|operation| is_of(operation, action, &node) && !before.contains(&operation.id));
    match begun {
        Some(begun) if !begun.outcome.is_final() => {
            check(&follow_silently(connection, &cluster, begun).await?)?;
            show(connection, &client.node(&cluster, &node).await?)
        }
        Some(ended) => {
            check(&ended)?;
            show(connection, &document)
        }
        // Done at once, without an operation.
        None => show(connection, &document),
    }
}

fn is_of(operation: &OperationDocument, action: NodeAction, node: &str) -> bool {
    let nodes = [operation.from.as_deref(), operation.to.as_deref()];
    operation.kind == action.as_str() && nodes.contains(&Some(node))
}

fn show(connection: &Connection, document: &NodeDocument) -> Result<(), Failure> {
    Ok(connection.out.show(document, render::node_line)?)
}
