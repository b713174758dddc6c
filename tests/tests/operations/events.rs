//! Scheduled events run where writes are taken, under their own definer; and an open transaction
//! that the same switch rolls back is named.

use mysqlsvc_tests::{Bed, api::allows, eventually};

use crate::obstacles::{application, is_foreseen, run};

const STATUS: &str = "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_NAME = 'tick'";
const DEFINER: &str = "SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_NAME = 'tick'";

/// How often it ran on the server of that number, as the master knows.
async fn ticks(bed: &Bed, master: usize, server: usize) -> u64 {
    let id = server + 1;
    let sql = format!("SELECT COUNT(*) FROM app.ticks WHERE server = {id}");
    bed.servers().ask(master, &sql).await.parse().unwrap()
}

async fn until_ticks(bed: &Bed, master: usize, server: usize, more_than: u64) {
    eventually("ticks", async || (ticks(bed, master, server).await > more_than).then_some(()))
        .await;
}

async fn make_event(bed: &Bed) {
    let servers = bed.servers();
    for server in 0..3 {
        servers.run_unlogged(server, &["SET GLOBAL event_scheduler = ON"]).await;
    }
    servers.run(0, "CREATE TABLE app.ticks (id INT AUTO_INCREMENT PRIMARY KEY, server INT)").await;
    // An ordinary account: one that may write through MariaDB's read_only goes on for a moment.
    for sql in ["CREATE USER 'clock'@'%'", "GRANT SELECT, INSERT, EVENT ON app.* TO 'clock'@'%'"] {
        servers.run(0, sql).await;
    }
    let body = "CREATE DEFINER = 'clock'@'%' EVENT app.tick ON SCHEDULE EVERY 1 SECOND \
                DO INSERT INTO app.ticks (server) VALUES (@@server_id)";
    servers.run(0, body).await;
    until_ticks(bed, 0, 0, 0).await;
}

pub(crate) async fn run_on_the_new_master_only_and_an_open_transaction_is_named(bed: &Bed) {
    let (api, servers, to) = (bed.api(), bed.servers(), bed.address(1));
    make_event(bed).await;
    let mut client = application(bed, 0).await;
    run(&mut client, "BEGIN").await;
    run(&mut client, "INSERT INTO rig_rows VALUES (92, 1)").await;
    is_foreseen(bed, &["open transaction", "app"]).await;
    api.until_node(&to, "switchable", |node| allows(node, "switch")).await;

    let operation = api.switch_succeeds(&to).await;

    let named = operation.interrupted.iter().find(|one| one.kind == "open transaction");
    let named = named.unwrap_or_else(|| panic!("{operation:#?}"));
    assert!(named.account.contains("app") && named.session.is_some(), "{named:?}");
    let rows = "SELECT COUNT(*) FROM app.rig_rows WHERE writer = 92";
    assert_eq!(servers.ask(1, rows).await, "0");
    api.until_settled().await;
    assert_eq!(servers.ask(1, STATUS).await, "ENABLED");
    assert_eq!(servers.ask(1, DEFINER).await, "clock@%");
    let on_the_old = ticks(bed, 1, 0).await;
    until_ticks(bed, 1, 1, 2).await;
    assert_eq!(ticks(bed, 1, 0).await, on_the_old, "it runs on the new master only");
    assert_eq!(ticks(bed, 1, 2).await, 0);
    for server in 0..3 {
        assert_eq!(servers.ask(server, DEFINER).await, "clock@%");
    }
    servers.run(1, "DROP EVENT app.tick").await;
}
