//! `advise`.

use mysqlsvc_http::wire::AdviceDocument;

use crate::{connection::Connection, failure::Failure, render};

pub(super) async fn advise(connection: &Connection, node: Option<&str>) -> Result<(), Failure> {
    let document = if let Some(typed) = node {
        let (cluster, node) = connection.node(typed).await?;
        let nodes = vec![connection.client.node_advice(&cluster, &node).await?];
        AdviceDocument { cluster, nodes }
    } else {
        let cluster = connection.cluster().await?.name;
        connection.client.advice(&cluster).await?
    };
    Ok(connection.out.show(&document, render::advice)?)
}
