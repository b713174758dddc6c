//! MySQL 8.0.26 and later: it has the REPLICA and SOURCE words in all these versions.

use mysqlsvc_core::{
    NodeId,
    gtid::{Coordinate, MySqlGtidSet},
};
use secrecy::ExposeSecret as _;

use super::{HEARTBEAT, Login, Purged, Words, quoted};

pub(super) const WORDS: Words = Words {
    // What is owned comes first: a commit moves it from there to what is executed.
    facts: "SELECT @@timestamp AS server_clock, @@global.server_id AS server_id, \
            @@global.server_uuid AS server_uuid, \
            @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, \
            @@global.gtid_mode AS gtid_mode, @@global.gtid_owned AS owned, \
            @@global.gtid_executed AS executed",
    read_only_set: "SELECT COUNT(*) AS by_statement FROM performance_schema.variables_info \
                    WHERE VARIABLE_NAME IN ('read_only', 'super_read_only') \
                    AND VARIABLE_SOURCE = 'DYNAMIC'",
    status: "SHOW REPLICA STATUS",
    read_back: "SELECT @@global.read_only AS read_only, \
                @@global.super_read_only AS super_read_only",
    executed: "SELECT @@global.gtid_executed AS executed",
    // Unlike the tables of performance_schema it is there whatever is switched off.
    sessions: "SHOW FULL PROCESSLIST",
    // Without a channel named they would act on all.
    stop: "STOP REPLICA FOR CHANNEL ''",
    start: "START REPLICA FOR CHANNEL ''",
    stop_receiving: "STOP REPLICA FOR CHANNEL ''",
    start_receiving: "START REPLICA FOR CHANNEL ''",
    stop_io: "STOP REPLICA IO_THREAD FOR CHANNEL ''",
    start_io: "START REPLICA IO_THREAD FOR CHANNEL ''",
    forget: &["RESET REPLICA ALL FOR CHANNEL ''"],
    // PERSIST, since neither flavour keeps a global value over a restart (server-facts 1).
    close: "SET PERSIST super_read_only = 1",
    // Clears super_read_only as well. GLOBAL, so that the server still boots read-only.
    open: "SET GLOBAL read_only = 0",
    net_timeout: "SET GLOBAL replica_net_timeout = 2",
    channel: "SELECT CAST(HEARTBEAT_INTERVAL AS CHAR) AS heartbeat \
              FROM performance_schema.replication_connection_configuration \
              WHERE CHANNEL_NAME = ''",
    purged: Purged::Said("SELECT @@global.gtid_purged AS purged"),
};

pub(super) fn wait(position: &MySqlGtidSet, seconds: f64) -> String {
    format!("SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {seconds:.3})", quoted(&position.to_string()))
}

pub(super) fn follow(source: &NodeId, repl: &Login, from: Option<&Coordinate>) -> Vec<String> {
    let position = match from {
        None => "SOURCE_AUTO_POSITION = 1".to_owned(),
        Some(at) => format!(
            "SOURCE_AUTO_POSITION = 0, SOURCE_LOG_FILE = {}, SOURCE_LOG_POS = {}",
            quoted(&at.log.to_string()),
            at.offset
        ),
    };
    let change = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = {host}, SOURCE_PORT = {port}, \
         SOURCE_USER = {user}, SOURCE_PASSWORD = {password}, {position}, {connection} \
         FOR CHANNEL ''",
        connection = connection(),
        host = quoted(source.host()),
        port = source.port(),
        user = quoted(&repl.user),
        password = quoted(repl.password.expose_secret()),
    );
    vec![change, WORDS.net_timeout.to_owned(), WORDS.start.to_owned()]
}

/// How a replica keeps its connection.
fn connection() -> String {
    format!(
        "SOURCE_HEARTBEAT_PERIOD = {HEARTBEAT}, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 0, \
         GET_SOURCE_PUBLIC_KEY = 1"
    )
}

/// Gives a stopped replica our settings and lets it go on with the source that it has, where it is:
/// naming host or port would make it begin anew. What it received and did not execute is fetched
/// again.
pub(super) fn go_on(repl: &Login) -> Vec<String> {
    let change = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_USER = {user}, SOURCE_PASSWORD = {password}, \
         SOURCE_AUTO_POSITION = 0, {connection} FOR CHANNEL ''",
        connection = connection(),
        user = quoted(&repl.user),
        password = quoted(repl.password.expose_secret()),
    );
    vec![change, WORDS.net_timeout.to_owned(), WORDS.start.to_owned()]
}

/// `super_read_only` waits for those that have announced a write (GLOBAL) or are committing
/// (COMMIT); LOCK TABLES announces one until UNLOCK TABLES.
pub(super) const LOCK_HOLDERS: &str = "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, \
    l.LOCK_TYPE AS lock_type, l.OBJECT_TYPE AS object \
    FROM performance_schema.metadata_locks l \
    JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
    WHERE l.OBJECT_TYPE IN ('GLOBAL', 'COMMIT') AND l.LOCK_STATUS = 'GRANTED' \
    AND t.PROCESSLIST_ID <> CONNECTION_ID()";
