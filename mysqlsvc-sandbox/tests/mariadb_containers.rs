//! MariaDB servers in containers: a later version than the host's.

mod support;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox};
use support::{eventually, has_row, left_in_docker, write_row};

#[tokio::test]
async fn they_replicate_keep_their_data_when_killed_and_leave_nothing() {
    let builder = Sandbox::builder().flavor(Flavor::MariaDb).runtime(Runtime::Container);
    let sandbox = builder.nodes(2).wire(true).start().await.unwrap();
    assert!(sandbox.version().starts_with("11.8."), "{}", sandbox.version());
    let app = sandbox.accounts().app.clone();

    write_row(&mut sandbox.connect(0, &app).await.unwrap(), 7).await;
    let mut replica = sandbox.connect(1, &app).await.unwrap();
    eventually("the row on the replica", async || has_row(&mut replica, 7).await).await;
    assert!(replica.query_drop("INSERT INTO app.t VALUES (8)").await.is_err(), "it took a row");
    let state: Option<String> = replica.query_first("SELECT @@gtid_binlog_state").await.unwrap();
    assert_eq!(state.as_deref(), Some("0-1-2"), "an errant transaction");

    sandbox.kill(0).await.unwrap();
    sandbox.restart(0).await.unwrap();
    let mut conn = sandbox.connect(0, &app).await.unwrap();
    assert!(has_row(&mut conn, 7).await);
    assert!(conn.query_drop("INSERT INTO app.t VALUES (2)").await.is_err(), "it came back open");

    let (dir, id) = (sandbox.dir().to_owned(), sandbox.describe().id.clone());
    sandbox.down().await.unwrap();
    assert!(!dir.exists(), "{} is left", dir.display());
    assert_eq!(left_in_docker(&id), "");
}
