//! What a server and our account on it must have, per flavour and version.

use mysqlsvc_core::{Flavor, ServerVersion, backend::Severity};

/// A right of our account on all schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Right {
    pub(in super::super) name: &'static str,
    pub(in super::super) severity: Severity,
    pub(in super::super) why: &'static str,
}

const fn needed(name: &'static str, why: &'static str) -> Right {
    Right { name, severity: Severity::Error, why }
}

/// For features beside switching: less is accepted, and said.
const fn useful(name: &'static str, why: &'static str) -> Right {
    Right { name, severity: Severity::Warning, why }
}

const MYSQL_RIGHTS: &[Right] = &[
    needed("PROCESS", "to see sessions, and statements of ours that still wait"),
    needed("RELOAD", "to forget a source"),
    needed("REPLICATION CLIENT", "to see the state of replication"),
    needed("REPLICATION_SLAVE_ADMIN", "to start, stop and direct replication"),
    needed("SYSTEM_VARIABLES_ADMIN", "to make the server read-only and writable"),
    needed("CONNECTION_ADMIN", "to end client sessions, and to connect when all slots are taken"),
    needed("SYSTEM_USER", "to end sessions of accounts that have it, as GRANT ALL gives"),
    useful("PERSIST_RO_VARIABLES_ADMIN", "to keep settings that need a restart"),
    useful("XA_RECOVER_ADMIN", "to see prepared XA transactions before a switch"),
    useful("BACKUP_ADMIN", "for backups and clones"),
    useful("CLONE_ADMIN", "to build a replica anew"),
    useful("REPLICATION SLAVE", "to read binary logs"),
    useful("EVENT", "to move scheduled events with the master"),
];

const MARIADB_RIGHTS: &[Right] = &[
    needed("PROCESS", "to see sessions, and statements of ours that still wait"),
    needed("RELOAD", "to freeze with FLUSH TABLES WITH READ LOCK"),
    needed("BINLOG MONITOR", "to see the state of the binary log"),
    needed("SLAVE MONITOR", "to see the state of replication"),
    needed("REPLICATION SLAVE ADMIN", "to start, stop and direct replication"),
    needed("READ ONLY ADMIN", "to make the server read-only and writable"),
    needed("CONNECTION ADMIN", "to end client sessions, and to connect when all slots are taken"),
    useful("REPLICATION MASTER ADMIN", "to set semi-synchronous replication"),
    useful("BINLOG ADMIN", "to keep its own changes out of the binary log"),
    useful("BINLOG REPLAY", "to bring back transactions from a binary log"),
    useful("REPLICATION SLAVE", "to read binary logs"),
    useful("EVENT", "to move scheduled events with the master"),
    useful("SET USER", "to keep the definers of events that are moved"),
];

/// The rights that an account needs on one kind of server.
pub(super) fn rights(flavor: Flavor, version: ServerVersion) -> Vec<Right> {
    let definer = "to keep the definers of events that are moved";
    match flavor {
        Flavor::MariaDb => MARIADB_RIGHTS.to_vec(),
        Flavor::MySql if version < ServerVersion::new(8, 2, 0) => {
            [MYSQL_RIGHTS, &[useful("SET_USER_ID", definer)]].concat()
        }
        Flavor::MySql => [MYSQL_RIGHTS, &[useful("SET_ANY_DEFINER", definer)]].concat(),
    }
}

/// Whether the old right SUPER stands for this one.
pub(super) fn super_covers(flavor: Flavor, version: ServerVersion, right: &str) -> bool {
    let admin = right.ends_with("ADMIN") || right == "SET USER" || right == "BINLOG REPLAY";
    match flavor {
        Flavor::MySql => !right.starts_with("PERSIST") && !right.contains("CLONE") && admin,
        Flavor::MariaDb if right == "READ ONLY ADMIN" => version < ServerVersion::new(10, 11, 0),
        Flavor::MariaDb => admin && version < ServerVersion::new(11, 0, 0),
    }
}

/// One row, whether the global `read_only` holds after a restart: `value` and `origin`.
pub(super) const MYSQL_BOOT: &str = "SELECT \
    (SELECT GROUP_CONCAT(VARIABLE_VALUE) FROM performance_schema.persisted_variables \
     WHERE VARIABLE_NAME IN ('read_only', 'super_read_only')) AS persisted, \
    (SELECT VARIABLE_SOURCE FROM performance_schema.variables_info \
     WHERE VARIABLE_NAME = 'super_read_only') AS super_origin, \
    (SELECT VARIABLE_SOURCE FROM performance_schema.variables_info \
     WHERE VARIABLE_NAME = 'read_only') AS origin, @@global.read_only AS value";

pub(super) const MARIADB_BOOT: &str = "SELECT NULL AS persisted, NULL AS super_origin, \
    GLOBAL_VALUE_ORIGIN AS origin, @@global.read_only AS value \
    FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'READ_ONLY'";

/// One row: accounts of that name, and how many of them may replicate.
pub(super) fn repl_account(flavor: Flavor, quoted_user: &str) -> String {
    match flavor {
        Flavor::MySql => format!(
            "SELECT COUNT(*) AS accounts, COALESCE(SUM(Repl_slave_priv = 'Y'), 0) AS able \
             FROM mysql.user WHERE User = {quoted_user}"
        ),
        // Bit 19 of `access`, as 10.11 was seen to write it.
        Flavor::MariaDb => format!(
            "SELECT COUNT(*) AS accounts, COALESCE(SUM(CAST(JSON_VALUE(Priv, '$.access') AS \
             UNSIGNED) & 524288 <> 0), 0) AS able \
             FROM mysql.global_priv WHERE User = {quoted_user}"
        ),
    }
}

/// The binary log's filters. MySQL renamed the statement in 8.2 and dropped the old name in 8.4.
pub(super) fn binlog_status(flavor: Flavor, version: ServerVersion) -> &'static str {
    match flavor {
        Flavor::MySql if version >= ServerVersion::new(8, 2, 0) => "SHOW BINARY LOG STATUS",
        _ => "SHOW MASTER STATUS",
    }
}

/// All channels, one row each; the column names a channel.
pub(super) fn channels(flavor: Flavor) -> (&'static str, &'static str) {
    match flavor {
        Flavor::MySql => ("SHOW REPLICA STATUS", "Channel_Name"),
        Flavor::MariaDb => ("SHOW ALL SLAVES STATUS", "Connection_name"),
    }
}
