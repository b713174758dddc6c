//! MariaDB 10.6 and later.

use mysqlsvc_core::{NodeId, gtid::MariaDbGtidSet};
use secrecy::ExposeSecret as _;

use super::{HEARTBEAT, Login, Purged, Words, quoted};

pub(super) const WORDS: Words = Words {
    facts: "SELECT @@timestamp AS server_clock, @@global.server_id AS server_id, @@global.read_only AS read_only, \
            @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos",
    read_only_set: "SELECT GLOBAL_VALUE_ORIGIN = 'SQL' AS by_statement \
                    FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'READ_ONLY'",
    status: "SHOW SLAVE STATUS",
    read_back: "SELECT @@global.read_only AS read_only",
    executed: "SELECT @@global.gtid_binlog_state AS binlog_state, \
               @@global.gtid_slave_pos AS slave_pos",
    // Five times as fast as the table in information_schema, which is copied to disk first.
    sessions: "SHOW FULL PROCESSLIST",
    stop: "STOP SLAVE",
    start: "START SLAVE",
    stop_receiving: "STOP SLAVE IO_THREAD",
    start_receiving: "START SLAVE IO_THREAD",
    stop_io: "STOP SLAVE IO_THREAD",
    start_io: "START SLAVE IO_THREAD",
    forget: &["RESET SLAVE ALL"],
    close: "SET GLOBAL read_only = 1",
    open: "SET GLOBAL read_only = 0",
    net_timeout: "SET GLOBAL slave_net_timeout = 2",
    channel: "SELECT VARIABLE_VALUE AS heartbeat FROM information_schema.GLOBAL_STATUS \
              WHERE VARIABLE_NAME = 'SLAVE_HEARTBEAT_PERIOD'",
    purged: Purged::BeforeOldest("SHOW BINARY LOGS"),
};

/// One row: the position at which a binary log begins. The first event is at 4.
pub(super) fn position_before(log: &str) -> String {
    format!("SELECT BINLOG_GTID_POS({}, 4) AS purged", quoted(log))
}

pub(super) fn wait(position: &MariaDbGtidSet, seconds: f64) -> String {
    format!("SELECT MASTER_GTID_WAIT({}, {seconds:.3})", quoted(&position.position().to_string()))
}

/// What MASTER_DEMOTE_TO_SLAVE does from 10.10 on, for all versions: of each domain the later of
/// what was replicated and what the server wrote itself.
pub(super) const TAKE_OVER_POSITION: &str = "SET GLOBAL gtid_slave_pos = @@global.gtid_current_pos";

/// From 11.4 on a replica demands a certificate that it can verify, unless told otherwise, and our
/// clusters have none.
pub(super) fn follow(source: &NodeId, repl: &Login) -> Vec<String> {
    let change = format!(
        "CHANGE MASTER TO MASTER_HOST = {host}, MASTER_PORT = {port}, MASTER_USER = {user}, \
         MASTER_PASSWORD = {password}, MASTER_USE_GTID = slave_pos, \
         MASTER_HEARTBEAT_PERIOD = {HEARTBEAT}, MASTER_CONNECT_RETRY = 1, \
         MASTER_SSL_VERIFY_SERVER_CERT = 0",
        host = quoted(source.host()),
        port = source.port(),
        user = quoted(&repl.user),
        password = quoted(repl.password.expose_secret()),
    );
    vec![change, WORDS.net_timeout.to_owned(), WORDS.start.to_owned()]
}

/// Bits 15 (SUPER, enough before 10.11) and 33 (READ ONLY ADMIN) of `access`, as 10.11 and 11.8
/// were seen to write them.
pub(super) const WRITERS: &str = "SELECT User AS user, JSON_VALUE(Priv, '$.is_role') AS is_role \
    FROM mysql.global_priv \
    WHERE CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 8589967360 <> 0";
