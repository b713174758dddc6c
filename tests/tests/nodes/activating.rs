//! Activating: what it does to a detached server, and when it must not.

use mysqlsvc_http::wire::{NodeAction, NodeDocument, NodeState, Role};
use mysqlsvc_sandbox::{Flavor, Node, Sandbox};
use mysqlsvc_tests::{LIMIT, Monitord, Picture, Servers, eventually, monitord::Setup};

/// Servers that do not replicate; the first is open for writes and registered as the master, the
/// others as standby and slaves.
async fn detached(flavor: Flavor, nodes: usize) -> (Sandbox, Monitord, Vec<String>) {
    let sandbox = Sandbox::builder().flavor(flavor).nodes(nodes).start().await.unwrap();
    Servers(&sandbox).run(0, "SET GLOBAL read_only = 0").await;
    let addresses: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
    let setup = Setup {
        probe: "interval = \"100ms\"".to_owned(),
        ..Setup::new(addresses.clone(), sandbox.accounts())
    };
    let monitord = Monitord::start(&setup).await;
    monitord.api.register_all(&addresses).await;
    (sandbox, monitord, addresses)
}

async fn replicates(flavor: Flavor) {
    let (sandbox, monitord, nodes) = detached(flavor, 2).await;
    let servers = Servers(&sandbox);
    let is_detached = |node: &NodeDocument| node.state == NodeState::Detached;
    monitord.api.until_node(&nodes[1], "DETACHED", is_detached).await;
    // An open replica is closed first.
    servers.run(1, "SET GLOBAL read_only = 0").await;
    servers.run(0, "CREATE TABLE app.t (v INT PRIMARY KEY)").await;

    monitord.api.act(&nodes[1], NodeAction::Activate).await;

    monitord.api.until_settled().await;
    let picture = servers.picture(1).await;
    let (source, io, sql) = picture.replication.unwrap();
    assert_eq!((source.as_str(), io.as_str(), sql.as_str()), (nodes[0].as_str(), "Yes", "Yes"));
    assert!(picture.read_only.starts_with('1'), "{}", picture.read_only);
    servers.run(0, "INSERT INTO app.t VALUES (7)").await;
    servers.until_table(1, "t").await;
    eventually("the row", async || {
        (servers.ask(1, "SELECT COUNT(*) FROM app.t").await == "1").then_some(())
    })
    .await;
    let again = monitord.api.act_refused(&nodes[1], NodeAction::Activate).await;
    assert_eq!((again.status, again.reason.as_deref()), (409, Some("wrong-state")));
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_a_detached_server_is_made_a_replica() {
    replicates(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_a_detached_server_is_made_a_replica() {
    replicates(Flavor::MySql).await;
}

/// Refused with the transactions' names, and the server as it was; and the way out is one.
async fn refuses_errant(flavor: Flavor) {
    let (sandbox, monitord, nodes) = detached(flavor, 2).await;
    let servers = Servers(&sandbox);
    let (open, close) = match flavor {
        Flavor::MariaDb => ("SET GLOBAL read_only = 0", "SET GLOBAL read_only = 1"),
        Flavor::MySql => ("SET GLOBAL super_read_only = 0", "SET GLOBAL super_read_only = 1"),
    };
    servers.run(1, open).await;
    servers.run(1, "CREATE TABLE app.errant (v INT)").await;
    servers.run(1, close).await;
    let name = match flavor {
        Flavor::MariaDb => "0-2-1".to_owned(),
        Flavor::MySql => servers.ask(1, "SELECT @@server_uuid").await,
    };
    let before: Vec<Picture> = servers.pictures().await;

    let refused = monitord.api.act_refused(&nodes[1], NodeAction::Activate).await;

    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("errant")));
    assert!(refused.detail.contains(&name), "{}", refused.detail);
    assert_eq!(servers.pictures().await, before);
    let shows =
        |node: &NodeDocument| node.errant.as_ref().is_some_and(|errant| errant.contains(&name));
    monitord.api.until_node(&nodes[1], "its errant transactions", shows).await;
    match flavor {
        Flavor::MySql => executes_empty_transactions(servers, &refused.detail).await,
        Flavor::MariaDb => becomes_the_master(&monitord, &nodes).await,
    }
    let follower = usize::from(flavor == Flavor::MySql);
    monitord.api.act(&nodes[follower], NodeAction::Activate).await;
    monitord.api.until_settled().await;
    sandbox.down().await.unwrap();
}

/// The way out that the refusal names, by its own words.
async fn executes_empty_transactions(servers: Servers<'_>, detail: &str) {
    use mysql_async::prelude::Queryable as _;
    let statements = detail.split('`').find(|text| text.starts_with("SET gtid_next")).unwrap();
    let mut root = servers.root(0).await;
    for statement in statements.split("; ") {
        root.query_drop(statement).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

/// The other way where there are no empty transactions: what is errant is to stay.
async fn becomes_the_master(monitord: &Monitord, nodes: &[String]) {
    let api = &monitord.api;
    api.act(&nodes[0], NodeAction::Pause).await;
    api.until("the pause", |now| now.operation.is_none()).await;
    for node in nodes {
        api.act(node, NodeAction::Unregister).await;
    }
    api.register(&nodes[1], Role::Master).await;
    let is_paused = |node: &NodeDocument| node.state == NodeState::Paused;
    api.until_node(&nodes[1], "PAUSED", is_paused).await;
    api.act(&nodes[1], NodeAction::Resume).await;
    api.until_node(&nodes[1], "OK", |node| node.state == NodeState::Ok).await;
    api.register(&nodes[0], Role::Slave).await;
    let is_detached = |node: &NodeDocument| node.state == NodeState::Detached;
    api.until_node(&nodes[0], "DETACHED", is_detached).await;
}

#[tokio::test]
async fn mariadb_errant_transactions_forbid_it() {
    refuses_errant(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_errant_transactions_forbid_it() {
    refuses_errant(Flavor::MySql).await;
}

/// What the master has no longer cannot be had: refused, or taken back, and said.
async fn refuses_purged(flavor: Flavor) {
    let (sandbox, monitord, nodes) = detached(flavor, 2).await;
    let servers = Servers(&sandbox);
    servers.run(0, "CREATE TABLE app.t (v INT PRIMARY KEY)").await;
    servers.run(0, "FLUSH BINARY LOGS").await;
    // A log that a recovery might need stays: MariaDB lets it go once InnoDB has written a
    // checkpoint, in the background.
    eventually("the purge of all older logs", async || {
        let logs = binary_logs(servers).await;
        let (newest, older) = logs.split_last().expect("a binary log");
        if older.is_empty() {
            return Some(());
        }
        servers.run(0, &format!("PURGE BINARY LOGS TO '{newest}'")).await;
        None
    })
    .await;

    let refused = monitord.api.act_refused(&nodes[1], NodeAction::Activate).await;

    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("purged")), "{refused}");
    let is_detached = |node: &NodeDocument| node.state == NodeState::Detached;
    monitord.api.until_node(&nodes[1], "DETACHED again", is_detached).await;
    assert_eq!(monitord.api.node(&nodes[1]).await.role, Role::Standby);
    sandbox.down().await.unwrap();
}

async fn binary_logs(servers: Servers<'_>) -> Vec<String> {
    use mysql_async::{Row, prelude::Queryable as _};
    let mut root = servers.root(0).await;
    let logs: Vec<Row> = tokio::time::timeout(LIMIT, root.query("SHOW BINARY LOGS"))
        .await
        .expect("no answer")
        .unwrap();
    logs.iter().map(|row| row.get::<String, _>(0).expect("its name")).collect()
}

#[tokio::test]
async fn mariadb_purged_transactions_forbid_it() {
    refuses_purged(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_purged_transactions_forbid_it() {
    refuses_purged(Flavor::MySql).await;
}
