//! What is under way on the old master is seen before a switch is begun, and named when it is in
//! its way.

use std::time::Duration;

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_http::wire::OperationOutcome;
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{
    Bed, LIMIT,
    api::{CLUSTER, switch_to},
    eventually,
};

/// An application at the master itself.
pub(crate) async fn application(bed: &Bed, server: usize) -> Conn {
    bed.direct(server).connect(LIMIT).await.unwrap()
}

pub(crate) async fn run(conn: &mut Conn, sql: &str) {
    let done = tokio::time::timeout(LIMIT, conn.query_drop(sql)).await.expect("no answer");
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// `InnoDB` makes its list of transactions anew only for who has not read it for a tenth of a second:
/// asked more often than that, it shows the same for ever.
const LIST_KEPT: Duration = Duration::from_millis(150);

/// A dry run names it.
pub(crate) async fn is_foreseen(bed: &Bed, words: &[&str]) {
    let (client, to) = (bed.api().client().clone(), bed.address(1));
    eventually(&format!("{words:?} among the warnings"), async || {
        let plan = client.plan_switch(CLUSTER, switch_to(&to)).await.unwrap();
        let named = |warning: &String| words.iter().all(|words| warning.contains(words));
        if plan.warnings.iter().any(named) {
            return Some(());
        }
        tokio::time::sleep(LIST_KEPT).await;
        None
    })
    .await;
}

/// A switch is taken back before anything was frozen, and says why.
async fn is_named(bed: &Bed, words: &[&str]) {
    let api = bed.api();
    let operation = api.switch(&bed.address(1)).await;
    assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
    let error = operation.error.clone().unwrap_or_default();
    println!("{error}");
    assert!(words.iter().all(|words| error.contains(words)), "{words:?}: {error}");
    assert!(operation.steps.iter().all(|step| step.name != "freeze"), "{operation:#?}");
    assert_eq!(bed.servers().writable().await, [0]);
    api.until_settled().await;
}

/// `MariaDB` has no way to see who holds one.
pub(crate) async fn a_table_lock_is_named(bed: &Bed) {
    if bed.sandbox.flavor() == Flavor::MariaDb {
        return;
    }
    let mut holder = bed.servers().root(0).await;
    run(&mut holder, "LOCK TABLES app.rig_rows WRITE").await;
    is_foreseen(bed, &["table lock", "rig_rows", "root"]).await;
    is_named(bed, &["table lock", "rig_rows"]).await;
}

pub(crate) async fn a_prepared_xa_transaction_is_named(bed: &Bed) {
    let mut client = application(bed, 0).await;
    for sql in [
        "XA START 'order-17'",
        "INSERT INTO rig_rows VALUES (91, 1)",
        "XA END 'order-17'",
        "XA PREPARE 'order-17'",
    ] {
        run(&mut client, sql).await;
    }
    is_foreseen(bed, &["prepared XA transaction", "order-17"]).await;
    is_named(bed, &["prepared XA transaction", "order-17"]).await;
    run(&mut client, "XA ROLLBACK 'order-17'").await;
}

/// It waits for a reader's metadata lock; replicas would begin it only after the freeze.
pub(crate) async fn ddl_is_named_and_breaks_the_budget(bed: &Bed) {
    let (api, to) = (bed.api(), bed.address(1));
    bed.servers().run(0, "CREATE TABLE app.wide (v INT PRIMARY KEY)").await;
    let mut reader = application(bed, 0).await;
    run(&mut reader, "BEGIN").await;
    run(&mut reader, "SELECT * FROM wide").await;
    let mut root = bed.servers().root(0).await;
    let altering = tokio::spawn(async move {
        root.query_drop("ALTER TABLE app.wide ADD COLUMN w INT").await.unwrap();
    });
    let words = "ALTER TABLE app.wide";
    eventually("DDL that waits", async || bed.servers().is_running(0, words).await.then_some(()))
        .await;

    let plan = api.client().plan_switch(CLUSTER, switch_to(&to)).await.unwrap();
    let names = |text: &String| text.contains("downtime_budget") && text.contains("DDL");
    assert!(plan.warnings.iter().any(names), "a dry run shows what is in the way: {plan:#?}");
    let refused = api.switch_refused(&to).await;
    let seen = (refused.status, refused.reason.as_deref());
    assert_eq!(seen, (409, Some("over-budget")), "{refused}");
    assert!(refused.detail.contains("DDL"), "{refused}");

    run(&mut reader, "COMMIT").await;
    tokio::time::timeout(LIMIT, altering).await.expect("it never ended").unwrap();
    api.until_settled().await;
}
