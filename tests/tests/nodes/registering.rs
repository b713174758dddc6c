//! Registering: what is refused, by which reason, and that nothing is half done.

use mysqlsvc_http::wire::{NodeAction, NodeState, Role};
use mysqlsvc_sandbox::{Flavor, Node, Sandbox, SandboxBuilder};
use mysqlsvc_tests::{Monitord, Servers, monitord::Setup};

async fn start(builder: SandboxBuilder) -> (Sandbox, Monitord, Vec<String>) {
    let sandbox = builder.start().await.unwrap();
    let nodes: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
    let monitord = Monitord::start(&Setup::new(nodes.clone(), sandbox.accounts())).await;
    monitord.api.until_seen(&nodes).await;
    (sandbox, monitord, nodes)
}

/// The refusal is 422 and its text has each of `words`; the node stays unregistered.
async fn refused_unfit(monitord: &Monitord, node: &str, words: &[&str]) {
    let refused = monitord.api.register_refused(node, Role::Master).await;
    println!("{refused}");
    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("unfit")), "{refused:?}");
    assert_eq!(refused.kind, "/problems/preflight");
    for word in words {
        assert!(refused.detail.contains(word), "{} lacks {word}", refused.detail);
    }
    assert_eq!(monitord.api.node(node).await.role, Role::Unregistered);
}

#[tokio::test]
async fn mariadb_missing_rights_are_each_named_with_the_statement_that_helps() {
    let (sandbox, monitord, nodes) = start(Sandbox::builder().nodes(1)).await;
    let revoke = "REVOKE READ ONLY ADMIN, CONNECTION ADMIN ON *.* FROM 'dba'@'%'";
    Servers(&sandbox).run_unlogged(0, &[revoke]).await;
    let words = ["grant-missing", "READ ONLY ADMIN", "CONNECTION ADMIN", "GRANT ", "sql_log_bin"];
    refused_unfit(&monitord, &nodes[0], &words).await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mysql_missing_rights_are_each_named_and_gtids_half_way_are() {
    let builder = Sandbox::builder().flavor(Flavor::MySql).nodes(1);
    let builder = builder.server_option("gtid_mode", "OFF_PERMISSIVE");
    let builder = builder.server_option("enforce_gtid_consistency", "OFF");
    let (sandbox, monitord, nodes) = start(builder).await;
    let revoke = "REVOKE SYSTEM_USER, CONNECTION_ADMIN ON *.* FROM 'dba'@'%'";
    Servers(&sandbox).run_unlogged(0, &[revoke]).await;
    let words = ["grant-missing", "SYSTEM_USER", "CONNECTION_ADMIN", "gtid-mode-off", "gtid_mode"];
    refused_unfit(&monitord, &nodes[0], &words).await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_settings_that_would_lose_data_are_all_named_at_once() {
    let builder = Sandbox::builder().nodes(1);
    let builder = builder.server_option("skip_log_bin", "1");
    let builder = builder.server_option("gtid_strict_mode", "OFF");
    let builder = builder.server_option("log_slave_updates", "OFF");
    let builder = builder.server_option("read_only", "OFF");
    let (sandbox, monitord, nodes) = start(builder).await;
    let words = ["log-bin-off", "gtid-strict-mode-off", "log-replica-updates-off", "not-read-only"];
    refused_unfit(&monitord, &nodes[0], &words).await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_the_account_of_replicas_must_be_there_and_able() {
    let (sandbox, monitord, nodes) = start(Sandbox::builder().nodes(2)).await;
    let servers = Servers(&sandbox);
    servers.run_unlogged(0, &["DROP USER 'repl'@'%'"]).await;
    refused_unfit(&monitord, &nodes[0], &["repl-account-missing", "CREATE USER 'repl'"]).await;
    servers.run_unlogged(1, &["REVOKE REPLICATION SLAVE ON *.* FROM 'repl'@'%'"]).await;
    refused_unfit(&monitord, &nodes[1], &["repl-grant-missing", "REPLICATION SLAVE"]).await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_roles_identities_and_writable_strangers_are_checked() {
    let (sandbox, monitord, nodes) = start(Sandbox::builder().nodes(4).wire(true)).await;
    let api = &monitord.api;
    let servers = Servers(&sandbox);
    let refused = async |node: &str, role, status: u16, reason: &str| {
        let refused = api.register_refused(node, role).await;
        let seen = (refused.status, refused.reason.as_deref());
        assert_eq!(seen, (status, Some(reason)), "{refused:?}");
        refused.detail
    };

    // A replica as master, while the real one is writable.
    let detail = refused(&nodes[1], Role::Master, 409, "writable-elsewhere").await;
    assert!(detail.contains(&nodes[0]), "{detail}");
    refused("10.255.255.1:3306", Role::Slave, 404, "unknown-node").await;
    api.register(&nodes[0], Role::Master).await;
    refused(&nodes[1], Role::Master, 409, "role-taken").await;
    refused(&nodes[0], Role::Slave, 409, "already-registered").await;
    api.register(&nodes[1], Role::Standby).await;
    refused(&nodes[2], Role::Standby, 409, "role-taken").await;

    // Two servers of one server_id: replication would drop events without a word.
    servers.run(3, "STOP SLAVE").await;
    servers.run(3, "SET GLOBAL server_id = 2").await;
    let detail = refused(&nodes[3], Role::Slave, 422, "identity-not-distinct").await;
    assert!(detail.contains(&nodes[1]), "{detail}");
    servers.run(3, "SET GLOBAL server_id = 4").await;
    servers.run(3, "START SLAVE").await;
    api.register(&nodes[3], Role::Slave).await;

    // Out again: not the master that is OK; others at once, with nothing changed on the server.
    let refusal = api.act_refused(&nodes[0], NodeAction::Unregister).await;
    assert_eq!((refusal.status, refusal.reason.as_deref()), (409, Some("wrong-state")));
    // The I/O thread of the last one was started just now, and may still be connecting.
    servers.until_replicates(3).await;
    let before = servers.pictures().await;
    let gone = api.act(&nodes[3], NodeAction::Unregister).await;
    assert_eq!((gone.role, gone.state), (Role::Unregistered, NodeState::Unregistered));
    let refusal = api.act_refused(&nodes[3], NodeAction::Unregister).await;
    assert_eq!((refusal.status, refusal.reason.as_deref()), (409, Some("not-registered")));
    assert_eq!(servers.pictures().await, before);
    api.register(&nodes[3], Role::Slave).await;
    api.until_settled().await;
    sandbox.down().await.unwrap();
}
