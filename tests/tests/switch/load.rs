//! Many switches in a row while an application writes and reads through the proxies.

use std::time::{Duration, Instant};

use mysqlsvc_http::wire::{NodeAction, ProxyMode};
use mysqlsvc_rig::{Checker, Endpoint, Readers, WriterOptions, Writers};
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox};
use mysqlsvc_tests::{Bed, LIMIT, api::allows};

/// Which server becomes the master, over and over: standby and slaves, and back.
const TURNS: [usize; 4] = [1, 0, 2, 0];

/// How many switches: `MYSQLSVC_TEST_SWITCHES`, else what fits the time of the suite.
fn switches(default: usize) -> usize {
    match std::env::var("MYSQLSVC_TEST_SWITCHES") {
        Ok(text) => text.parse().expect("MYSQLSVC_TEST_SWITCHES is a number"),
        Err(_) => default,
    }
}

/// Switches `count` times while `application` writes through the master's proxy.
async fn loses_nothing(bed: Bed, application: Endpoint, count: usize) {
    let (api, servers) = (bed.api(), bed.servers());
    let options = WriterOptions { pause: Bed::PAUSE, ..WriterOptions::default() };
    let writers = Writers::start(&application, options);
    let readers = Readers::start(&bed.through_slave_proxy(), 1, Bed::PAUSE);
    let attempts = Some(Duration::from_millis(40));
    let checker = Checker::start(&bed.sandbox, Duration::from_millis(5), attempts);
    let mutual = api.cluster().await.mutual;

    let mut master = 0;
    for turn in TURNS.into_iter().cycle().take(count) {
        let (to, reads) = (bed.address(turn), readers.reads());
        assert!(writers.all_wrote_since(Instant::now(), LIMIT).await, "writers stand still");
        api.until_node(&to, "switchable", |node| allows(node, "switch")).await;
        let begun = Instant::now();
        let operation = api.switch_succeeds(&to).await;
        let opened = Instant::now();
        assert!(writers.all_wrote_since(opened, LIMIT).await, "writers never came back");
        println!(
            "switch to {to}: critical section {:?} ms, gap {:?}",
            operation.critical_section_ms,
            writers.gap(begun, Instant::now())
        );
        mysqlsvc_tests::eventually("reads after the switch", async || {
            (readers.reads() > reads).then_some(())
        })
        .await;
        master = turn;
    }

    let settled = api.until_settled().await;
    assert_eq!(settled.master, Some(bed.address(master)));
    assert_eq!(settled.mutual, mutual);
    assert_eq!(servers.writable().await, [master]);
    assert_follows(&bed, master, mutual).await;
    let errors = writers.errors();
    let ledger = writers.stop().await;
    readers.stop().await;
    let report = checker.stop().await;
    println!("{} rows acknowledged, {} in doubt", ledger.acknowledged(), ledger.ambiguous());
    println!("{errors:?}, {} looks, {} attempts", report.looks, report.attempts);
    println!("through read_only: {:?}", report.through_read_only);
    assert!(ledger.acknowledged() > 0 && report.looks > 0 && report.attempts > 0);
    for audit in ledger.audit_all(&bed.direct(master), &bed.others(master), LIMIT).await.unwrap() {
        assert!(audit.lost.is_empty(), "lost on {}: {:?}", audit.address, audit.lost);
        assert!(audit.unexpected.is_empty(), "{audit:?}");
    }
    assert_eq!(errors.refused_on_fresh_connection, 0, "a proxy led to a read-only server");
    assert_eq!((errors.other, errors.connect_failed), (0, 0), "{errors:?}");
    assert!(report.overlaps.is_empty(), "two writable servers: {:?}", report.overlaps);
    if bed.sandbox.flavor() == Flavor::MySql {
        assert!(report.through_read_only.is_empty(), "{:?}", report.through_read_only);
    }
    bed.down().await;
}

/// All others replicate from the master; the master from nobody, or from the standby.
async fn assert_follows(bed: &Bed, master: usize, mutual: bool) {
    let cluster = bed.api().cluster().await;
    let standby = cluster.nodes.iter().find(|node| node.role.as_str() == "standby").unwrap();
    for (server, picture) in bed.servers().pictures().await.into_iter().enumerate() {
        let running = |source: &str| (source.to_owned(), "Yes".to_owned(), "Yes".to_owned());
        let expected = match (server == master, mutual) {
            (false, _) => Some(running(&bed.address(master))),
            (true, true) => Some(running(&standby.addr)),
            (true, false) => None,
        };
        assert_eq!(picture.replication, expected, "server {server}");
    }
}

/// As the application that is granted what it needs.
async fn loses_nothing_of_the_application(bed: Bed, count: usize) {
    let application = bed.through_proxy();
    loses_nothing(bed, application, count).await;
}

#[tokio::test]
async fn mariadb_switches_in_a_row_lose_nothing() {
    loses_nothing_of_the_application(Bed::start(Flavor::MariaDb, 4).await, switches(30)).await;
}

#[tokio::test]
async fn mysql_switches_in_a_row_lose_nothing() {
    loses_nothing_of_the_application(Bed::start(Flavor::MySql, 4).await, switches(30)).await;
}

/// By places in binary logs.
#[tokio::test]
async fn mysql_without_gtids_switches_in_a_row_lose_nothing() {
    let servers = Sandbox::builder().flavor(Flavor::MySql).gtid(false).nodes(4);
    let bed = Bed::start_on(servers, |builder| builder).await;
    loses_nothing_of_the_application(bed, switches(6)).await;
}

/// The version after the host's.
#[tokio::test]
async fn mariadb_in_containers_switches_in_a_row_lose_nothing() {
    let servers = Sandbox::builder().flavor(Flavor::MariaDb).runtime(Runtime::Container).nodes(3);
    let bed = Bed::start_on(servers, |builder| builder).await;
    loses_nothing_of_the_application(bed, switches(6)).await;
}

/// `read_only` does not stop these; the lock, the kills and the hold do.
#[tokio::test]
async fn mariadb_switches_lose_nothing_of_writers_with_grant_all_behind_the_proxy() {
    let bed = Bed::start(Flavor::MariaDb, 3).await;
    let proxy = bed.product.proxy(ProxyMode::Master).unwrap();
    let boss = proxy.endpoint(&bed.sandbox.accounts().boss);
    loses_nothing(bed, boss, switches(6)).await;
}

#[tokio::test]
async fn mariadb_mutual_replication_stays_mutual() {
    let bed = Bed::start(Flavor::MariaDb, 3).await;
    make_mutual(&bed).await;
    loses_nothing_of_the_application(bed, switches(4)).await;
}

#[tokio::test]
async fn mysql_mutual_replication_stays_mutual() {
    let bed = Bed::start(Flavor::MySql, 3).await;
    make_mutual(&bed).await;
    loses_nothing_of_the_application(bed, switches(4)).await;
}

async fn make_mutual(bed: &Bed) {
    let (api, master) = (bed.api(), bed.address(0));
    api.until_node(&master, "activatable", |node| allows(node, "activate")).await;
    api.act(&master, NodeAction::Activate).await;
    api.until("mutual", |cluster| cluster.mutual).await;
    assert_follows(bed, 0, true).await;
}
