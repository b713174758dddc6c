//! A freeze whose answer is lost on the way: it took effect, and nobody knows.

use std::net::IpAddr;

use mysqlsvc_http::wire::{NodeAction, OperationOutcome};
use mysqlsvc_sandbox::{Flavor, Sandbox};
use mysqlsvc_tests::{Monitord, Servers, monitord::Setup, relay::Relay};

/// Every server is known, to the monitor and to its replicas, by the address of a relay.
struct Relayed {
    sandbox: Sandbox,
    relays: Vec<Relay>,
    monitord: Monitord,
}

impl Relayed {
    async fn start(flavor: Flavor) -> Self {
        let sandbox = Sandbox::builder().flavor(flavor).nodes(2).start().await.unwrap();
        let servers = Servers(&sandbox);
        servers.run(0, "SET GLOBAL read_only = 0").await;
        let mut relays = Vec::new();
        for node in sandbox.nodes() {
            relays.push(Relay::start(near(&node.host), node.address()).await);
        }
        let nodes: Vec<String> = relays.iter().map(|relay| relay.address.clone()).collect();
        let setup = Setup {
            probe: "interval = \"200ms\"".to_owned(),
            // One that is answered must not come too late on a busy machine.
            switch: "freeze_timeout = \"4s\"".to_owned(),
            ..Setup::new(nodes.clone(), sandbox.accounts())
        };
        let monitord = Monitord::start(&setup).await;
        monitord.api.register_all(&nodes).await;
        monitord.api.act(&nodes[1], NodeAction::Activate).await;
        monitord.api.until_settled().await;
        Self { sandbox, relays, monitord }
    }
}

/// An address of ours that a server at `host` reaches: loopback, or its network's gateway.
fn near(host: &str) -> IpAddr {
    match host.parse().unwrap() {
        IpAddr::V4(address) if !address.is_loopback() => {
            let [a, b, c, _] = address.octets();
            [a, b, c, 1].into()
        }
        address => address,
    }
}

async fn is_taken_back(flavor: Flavor, freeze: &str) {
    let mut bed = Relayed::start(flavor).await;
    let servers = Servers(&bed.sandbox);
    let before = servers.pictures().await;
    let (master, standby) = (bed.relays[0].address.clone(), bed.relays[1].address.clone());
    bed.relays[0].lose_answer_to(freeze);

    let operation = bed.monitord.api.switch(&standby).await;

    bed.relays[0].until_lost().await;
    assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
    let error = operation.error.unwrap();
    assert!(error.contains("unknown") && error.contains("no answer"), "{error}");
    assert_eq!(bed.monitord.api.cluster().await.master, Some(master));
    assert_eq!(servers.pictures().await, before);
    bed.monitord.api.until_settled().await;
    bed.monitord.api.switch_succeeds(&standby).await;
    assert_eq!(servers.writable().await, [1]);
    bed.sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_a_freeze_of_unknown_outcome_is_taken_back() {
    is_taken_back(Flavor::MariaDb, "FLUSH TABLES WITH READ LOCK").await;
}

#[tokio::test]
async fn mysql_a_freeze_of_unknown_outcome_is_taken_back() {
    is_taken_back(Flavor::MySql, "SET PERSIST super_read_only = 1").await;
}

/// After the pivot there is no way back: it is asked again until it is known.
async fn goes_on(flavor: Flavor) {
    let mut bed = Relayed::start(flavor).await;
    let standby = bed.relays[1].address.clone();
    bed.relays[1].lose_answer_to("SET GLOBAL read_only = 0");

    let operation = bed.monitord.api.switch(&standby).await;

    bed.relays[1].until_lost().await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    assert!(operation.left_behind.is_empty(), "{operation:#?}");
    assert_eq!(Servers(&bed.sandbox).writable().await, [1]);
    bed.monitord.api.until_settled().await;
    bed.sandbox.down().await.unwrap();
}

#[tokio::test]
async fn mariadb_an_opening_of_unknown_outcome_is_asked_again() {
    goes_on(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_an_opening_of_unknown_outcome_is_asked_again() {
    goes_on(Flavor::MySql).await;
}
