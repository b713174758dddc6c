//! The tables of the load and of the checker, in the schema `app`.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;

use crate::{Endpoint, SqlError};

const LIMIT: Duration = Duration::from_secs(10);

/// Makes the tables, where they are not there yet, at the master or through its proxy.
pub async fn create_tables(master: &Endpoint) -> Result<(), SqlError> {
    let mut conn = master.connect(LIMIT).await?;
    for table in ["rig_rows", "rig_probe"] {
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {table} (writer INT UNSIGNED NOT NULL, \
             seq BIGINT UNSIGNED NOT NULL, PRIMARY KEY (writer, seq)) ENGINE=InnoDB"
        );
        master.bounded("create the tables", LIMIT, conn.query_drop(sql)).await?;
    }
    master.bounded("log out", LIMIT, conn.disconnect()).await
}
