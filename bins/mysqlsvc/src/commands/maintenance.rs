//! `maintenance`.

use crate::{args::Maintenance, connection::Connection, failure::Failure, render};

pub(super) async fn set(connection: &Connection, state: Maintenance) -> Result<(), Failure> {
    let cluster = connection.cluster().await?.name;
    let document = connection.client.maintenance(&cluster, state == Maintenance::On).await?;
    Ok(connection.out.show(&document, render::maintenance)?)
}
