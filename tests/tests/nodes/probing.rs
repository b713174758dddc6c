//! Servers that hang, say nothing, or are none of ours, beside healthy ones.

use std::collections::BTreeSet;

use mysqlsvc_http::wire::{NodeAction, NodeDocument, NodeState, OperationOutcome, Role};
use mysqlsvc_sandbox::{Flavor, Node, Sandbox};
use mysqlsvc_tests::{Monitord, Servers, fake::Fake, monitord::Setup};

/// Looks that follow one another quickly, and a limit that a healthy server keeps on a busy machine.
fn probe() -> String {
    "interval = \"100ms\"\ntimeout = \"2s\"\n".to_owned()
}

async fn wired(flavor: Flavor, nodes: usize) -> Sandbox {
    Sandbox::builder().flavor(flavor).nodes(nodes).wire(true).start().await.unwrap()
}

fn addresses(sandbox: &Sandbox) -> Vec<String> {
    sandbox.nodes().iter().map(Node::address).collect()
}

/// Looks at `node` follow one another, though another server is silent: so many different ones.
async fn is_looked_at_again_and_again(monitord: &Monitord, node: &str) {
    let mut seen = BTreeSet::new();
    let last = mysqlsvc_tests::eventually("20 looks", async || {
        let cluster = monitord.api.cluster().await;
        let node = mysqlsvc_tests::api::find(&cluster, node).unwrap().clone();
        seen.insert(node.probed_at.clone());
        (seen.len() >= 20).then_some(node)
    })
    .await;
    assert_ne!(last.state, NodeState::Error, "{last:?}");
}

#[tokio::test]
async fn a_hung_slave_is_error_and_delays_nobody() {
    let sandbox = wired(Flavor::MariaDb, 3).await;
    let nodes = addresses(&sandbox);
    let setup = Setup { probe: probe(), ..Setup::new(nodes.clone(), sandbox.accounts()) };
    let monitord = Monitord::start(&setup).await;
    monitord.api.register_all(&nodes).await;
    monitord.api.until_settled().await;

    sandbox.pause(2).await.unwrap();
    let is_hung = |node: &NodeDocument| {
        node.state == NodeState::Error && node.cause.as_ref().is_some_and(|c| c.contains("hung"))
    };
    monitord.api.until_node(&nodes[2], "hung", is_hung).await;
    is_looked_at_again_and_again(&monitord, &nodes[0]).await;
    is_looked_at_again_and_again(&monitord, &nodes[1]).await;
    // The others can be worked with, and the one that hung is named as left behind.
    let operation = monitord.api.switch(&nodes[1]).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    assert_eq!(operation.left_behind.len(), 1, "{operation:#?}");
    assert_eq!(operation.left_behind[0].node, nodes[2]);
    assert_eq!(Servers(&sandbox).ask(1, "SELECT @@global.read_only + 0").await, "0");

    sandbox.resume(2).await.unwrap();
    let lost = |node: &NodeDocument| node.state == NodeState::Lost;
    monitord.api.until_node(&nodes[2], "LOST", lost).await;
    monitord.api.act(&nodes[2], NodeAction::Activate).await;
    monitord.api.until_settled().await;
    let brought = monitord.api.node(&nodes[2]).await;
    assert_eq!(brought.source.as_deref(), Some(nodes[1].as_str()));
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_error_with_its_reason_and_cannot_be_registered() {
    let sandbox = wired(Flavor::MariaDb, 1).await;
    let good = sandbox.nodes()[0].address();
    let silent = Fake::silent().await;
    let old = Fake::of_version("5.5.62-log").await;
    let unknown = Fake::of_version("42.0.1-MariaDB").await;
    let ssh = Fake::of_another_protocol().await;
    let [closed] = mysqlsvc_tests::monitord::free_addresses();
    let closed = closed.to_string();
    let strange = [
        (&silent.address, 503, "no answer within"),
        (&old.address, 422, "`5.5.62-log` is too old"),
        (&unknown.address, 422, "`42.0.1-MariaDB` is not known"),
        (&ssh.address, 422, "does not speak MySQL's protocol"),
        (&closed, 503, "refused"),
    ];
    let mut nodes = vec![good.clone()];
    nodes.extend(strange.iter().map(|(address, ..)| (*address).clone()));
    let setup = Setup { probe: probe(), ..Setup::new(nodes, sandbox.accounts()) };
    let monitord = Monitord::start(&setup).await;
    monitord.api.register(&good_when_seen(&monitord, good).await, Role::Master).await;

    for (address, status, word) in strange {
        let refused = monitord.api.register_refused(address, Role::Slave).await;
        println!("{address}: {} {:?} {}", refused.status, refused.reason, refused.detail);
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.detail.contains(word), "{} lacks {word}", refused.detail);
        assert!(refused.detail.contains(address.as_str()), "{}", refused.detail);
    }
    let roles: Vec<_> = monitord.api.cluster().await.nodes.iter().map(|node| node.role).collect();
    assert_eq!(roles.iter().filter(|role| **role != Role::Unregistered).count(), 1, "{roles:?}");
    sandbox.down().await.unwrap();
}

async fn good_when_seen(monitord: &Monitord, address: String) -> String {
    monitord.api.until_seen(std::slice::from_ref(&address)).await;
    address
}

async fn wrong_password_is_login_trouble(flavor: Flavor) {
    let sandbox = wired(flavor, 2).await;
    let nodes = addresses(&sandbox);
    let setup = Setup { probe: probe(), ..Setup::new(nodes.clone(), sandbox.accounts()) };
    let monitord = Monitord::start(&setup).await;
    monitord.api.register_all(&nodes).await;
    monitord.api.until_settled().await;
    let password = sandbox.accounts().dba.password.expose().to_owned();

    let servers = Servers(&sandbox);
    servers.run_unlogged(1, &["ALTER USER 'dba'@'%' IDENTIFIED BY 'another'"]).await;
    servers.end_sessions_of_dba(1).await;
    let refused = |node: &NodeDocument| {
        node.state == NodeState::Error && node.cause.as_ref().is_some_and(|c| c.contains("login"))
    };
    let node = monitord.api.until_node(&nodes[1], "ERROR (login)", refused).await;
    let cause = node.cause.unwrap();
    assert!(cause.contains("Access denied") && cause.contains("1045"), "{cause}");
    assert!(!cause.contains(&password) && !monitord.log().contains(&password));

    let mend = format!("ALTER USER 'dba'@'%' IDENTIFIED BY '{password}'");
    servers.run_unlogged(1, &[&mend]).await;
    monitord.api.until_settled().await;
    sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_wrong_password_is_login_trouble() {
    wrong_password_is_login_trouble(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_wrong_password_is_login_trouble() {
    wrong_password_is_login_trouble(Flavor::MySql).await;
}
