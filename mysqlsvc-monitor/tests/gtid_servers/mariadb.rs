//! MariaDB, with several domains and servers, in `gtid_strict_mode`.

use std::collections::{BTreeMap, BTreeSet};

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_core::{
    GtidSet,
    gtid::{Gtid, MariaDbGtid, MariaDbGtidSet},
};
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox};
use proptest::prelude::*;

use crate::{mariadb_set, root, samples, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_mariadb_10_11_agrees() {
    agree(&server(Flavor::MariaDb, Runtime::Process).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_mariadb_11_8_agrees() {
    agree(&server(Flavor::MariaDb, Runtime::Container).await).await;
}

async fn agree(sandbox: &Sandbox) {
    let mut connection = root(sandbox).await;
    a_state_is_kept_and_stands_where_we_say(&mut connection).await;
    a_position_is_kept_and_waits_end_when_nothing_is_needed(&mut connection).await;
    transactions_in_our_order_are_taken_and_make_the_set(&mut connection).await;
    a_position_is_taken_over_the_same_by_either_way(&mut connection).await;
}

fn set_of(triples: impl IntoIterator<Item = (u32, u32, u64)>) -> MariaDbGtidSet {
    let mut set = MariaDbGtidSet::default();
    set.extend(triples.into_iter().map(|(domain, server_id, sequence)| MariaDbGtid {
        domain,
        server_id,
        sequence,
    }));
    set
}

fn sets() -> impl Strategy<Value = MariaDbGtidSet> {
    let end = proptest::sample::select(vec![0, 1, 2, u32::MAX]);
    let sequence = prop_oneof![8 => 1_u64..20, 1 => u64::MAX - 2..=u64::MAX];
    let triples = proptest::collection::btree_set((end.clone(), end, sequence), 0..10);
    triples.prop_map(|triples: BTreeSet<_>| set_of(triples))
}

/// Sets that can come about in `gtid_strict_mode`: no sequence number of a domain is used twice.
fn written() -> impl Strategy<Value = MariaDbGtidSet> {
    let writers = proptest::collection::btree_map((0_u32..3, 1_u64..20), 1_u32..4, 0..10);
    writers.prop_map(|writers: BTreeMap<_, _>| {
        set_of(writers.into_iter().map(|((domain, sequence), server)| (domain, server, sequence)))
    })
}

async fn run(connection: &mut Conn, statement: &str) {
    let done = connection.query_drop(statement).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn a_state_is_kept_and_stands_where_we_say(connection: &mut Conn) {
    for set in samples(24, &sets()) {
        run(connection, "RESET MASTER").await;
        run(connection, &format!("SET GLOBAL gtid_binlog_state = '{set}'")).await;
        let state = "SELECT @@global.gtid_binlog_state, @@global.gtid_binlog_pos";
        let (state, position): (String, String) =
            connection.query_first(state).await.unwrap().unwrap();
        assert_eq!(mariadb_set(&position), GtidSet::MariaDb(set.position()), "{set}");
        assert_eq!(mariadb_set(&state), GtidSet::MariaDb(set));
    }
}

async fn a_position_is_kept_and_waits_end_when_nothing_is_needed(connection: &mut Conn) {
    run(connection, "RESET MASTER").await;
    let mut ends = BTreeSet::new();
    for (executed, awaited) in samples(80, &(sets(), sets())) {
        let position = executed.position();
        run(connection, &format!("SET GLOBAL gtid_slave_pos = '{position}'")).await;
        let wait = format!(
            "SELECT @@global.gtid_slave_pos, MASTER_GTID_WAIT('{}', 0)",
            awaited.position()
        );
        let (kept, waited): (String, i32) = connection.query_first(wait).await.unwrap().unwrap();
        assert_eq!(mariadb_set(&kept), GtidSet::MariaDb(position), "{executed}");
        let needed = GtidSet::MariaDb(awaited).needed_beyond(&GtidSet::MariaDb(executed));
        assert_eq!(waited == 0, needed.is_empty(), "{kept}: {needed} is needed");
        ends.insert(waited);
    }
    assert_eq!(Vec::from_iter(ends), [-1, 0], "waits end both ways");
    run(connection, "SET GLOBAL gtid_slave_pos = ''").await;
}

async fn transactions_in_our_order_are_taken_and_make_the_set(connection: &mut Conn) {
    for set in samples(6, &written()) {
        run(connection, "RESET MASTER").await;
        let set = GtidSet::MariaDb(set);
        for gtid in set.transactions(1000).listed {
            let Gtid::MariaDb(MariaDbGtid { domain, server_id, sequence }) = gtid else {
                panic!("{gtid} is not of MariaDB");
            };
            let whose = format!("SET gtid_domain_id = {domain}, server_id = {server_id}");
            run(connection, &whose).await;
            // In one statement with these, it would be checked against the domain of before.
            run(connection, &format!("SET gtid_seq_no = {sequence}")).await;
            run(connection, "DROP TABLE IF EXISTS app.never").await;
        }
        let state = connection.query_first("SELECT @@global.gtid_binlog_state").await;
        assert_eq!(mariadb_set(&state.unwrap().unwrap_or_else(String::new)), set);
    }
}

/// Our way, which every supported version knows, and the option that 10.10 and later have.
async fn a_position_is_taken_over_the_same_by_either_way(connection: &mut Conn) {
    let ours = "SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos";
    let theirs = "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USE_GTID = slave_pos, \
                  MASTER_DEMOTE_TO_SLAVE = 1";
    let mut taken = Vec::new();
    for way in [ours, theirs] {
        run(connection, "RESET MASTER").await;
        // It wrote in one domain after another server, in one alone, and in one not at all.
        run(connection, "SET GLOBAL gtid_slave_pos = '0-9-3,2-9-7'").await;
        for domain in [0, 1] {
            let own = format!("SET gtid_domain_id = {domain}, server_id = @@global.server_id");
            run(connection, &own).await;
            run(connection, "DROP TABLE IF EXISTS app.never").await;
        }
        run(connection, way).await;
        let position = connection.query_first("SELECT @@global.gtid_slave_pos").await;
        taken.push(mariadb_set(&position.unwrap().unwrap_or_else(String::new)));
        run(connection, "RESET SLAVE ALL").await;
        run(connection, "RESET MASTER").await;
        run(connection, "SET GLOBAL gtid_slave_pos = ''").await;
    }
    assert_eq!(taken[0], taken[1]);
    let GtidSet::MariaDb(position) = &taken[0] else { panic!("{taken:?}") };
    let whose: Vec<(u32, u32)> = position.iter().map(|it| (it.domain, it.server_id)).collect();
    assert_eq!(whose, [(0, 1), (1, 1), (2, 9)], "{position}");
}
