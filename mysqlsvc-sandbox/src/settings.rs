//! Lines of an option file that all servers of a flavour have.

use std::fmt::Write as _;

use crate::flavor::Flavor;

/// Settings of every server; later lines of an option file win over earlier ones.
pub(crate) fn of(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => MARIADB,
        Flavor::MySql => MYSQL,
    }
}

/// Relaxed, what was acknowledged survives the kill of a server, but not of the machine.
pub(crate) fn durability(durable: bool) -> &'static str {
    if durable {
        "sync_binlog=1\ninnodb_flush_log_at_trx_commit=1\n"
    } else {
        "sync_binlog=0\ninnodb_flush_log_at_trx_commit=2\n"
    }
}

/// What loads semi-synchronous replication.
pub(crate) fn semi_sync(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "",
        Flavor::MySql => {
            "plugin_load_add=semisync_source.so\nplugin_load_add=semisync_replica.so\n"
        }
    }
}

/// What takes the GTIDs away that [`of`] gives MySQL's transactions.
pub(crate) const WITHOUT_GTID: &str = "gtid_mode=OFF\n";

/// Appends the options that the owner of a sandbox asked for.
pub(crate) fn push_options(text: &mut String, options: &[(String, String)]) {
    for (name, value) in options {
        let _ = writeln!(text, "{name}={value}");
    }
}

const MARIADB: &str = "\
log_bin=binlog
relay_log=relay
log_slave_updates=1
binlog_format=ROW
gtid_domain_id=0
gtid_strict_mode=1
# What a replica applies one by one, it applies slower than six writers write.
slave_parallel_threads=4
slave_parallel_mode=optimistic
# Every server must come back read-only after a crash.
read_only=1
slave_net_timeout=2
master_retry_count=0
skip_name_resolve=1
character_set_server=utf8mb4
performance_schema=0
innodb_buffer_pool_size=64M
innodb_log_file_size=16M
max_connections=300
";

const MYSQL: &str = "\
secure_file_priv=NULL
mysqlx=0
log_bin=binlog
relay_log=relay
gtid_mode=ON
enforce_gtid_consistency=1
# Every server must come back read-only after a crash.
read_only=1
super_read_only=1
replica_net_timeout=2
skip_name_resolve=1
innodb_buffer_pool_size=64M
innodb_redo_log_capacity=32M
max_connections=300
table_open_cache=400
table_definition_cache=400
";
