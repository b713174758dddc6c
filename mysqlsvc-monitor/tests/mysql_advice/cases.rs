//! What is set wrong, on which server, and how it is set right.

use mysqlsvc_monitor::mysql::advice::AdviceId::{self, *};
use mysqlsvc_sandbox::Flavor;

use super::{MASTER, REPLICA};

/// One finding, tried out.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: AdviceId,
    pub(crate) server: usize,
    /// Makes it so; empty where it is so from the beginning.
    pub(crate) bad: &'static [&'static str],
    pub(crate) mend: Mend,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mend {
    /// The statements of the advice, as they stand.
    AsAdvised,
    /// What the advice says in words.
    ByHand(&'static [&'static str]),
    /// It needs a restart, or is a matter of the sandbox.
    Never,
}
use Mend::{AsAdvised, ByHand, Never};

const fn case(id: AdviceId, server: usize, bad: &'static [&'static str], mend: Mend) -> Case {
    Case { id, server, bad, mend }
}

const MYSQL: &[Case] = &[
    case(ReadOnlyAtBootUnseen, MASTER, &[], AsAdvised),
    case(
        NotReadOnlyAtBoot,
        REPLICA,
        &["SET PERSIST_ONLY super_read_only = OFF", "SET PERSIST_ONLY read_only = OFF"],
        AsAdvised,
    ),
    case(BinlogFormatNotRow, MASTER, &["SET GLOBAL binlog_format = MIXED"], AsAdvised),
    case(BinlogRowImageNotFull, MASTER, &["SET GLOBAL binlog_row_image = MINIMAL"], AsAdvised),
    case(BinlogNeverExpires, MASTER, &["SET GLOBAL binlog_expire_logs_auto_purge = 0"], AsAdvised),
    case(BinlogNeverExpires, MASTER, &["SET GLOBAL binlog_expire_logs_seconds = 0"], AsAdvised),
    case(BinlogExpiresSoon, MASTER, &["SET GLOBAL binlog_expire_logs_seconds = 3600"], AsAdvised),
    case(
        InitConnectSkipsBinlog,
        MASTER,
        &["SET GLOBAL init_connect = 'SET sql_log_bin = 0'"],
        AsAdvised,
    ),
    case(SyncBinlogNot1, MASTER, &["SET GLOBAL sync_binlog = 0"], AsAdvised),
    case(InnodbFlushNot1, MASTER, &["SET GLOBAL innodb_flush_log_at_trx_commit = 2"], AsAdvised),
    case(RelayLogRecoveryOff, REPLICA, &[], Never),
    case(SemiSyncReplicaOff, REPLICA, &[], AsAdvised),
    case(SyncRelayLogWithSemiSync, REPLICA, &[], AsAdvised),
    case(SemiSyncSourceOff, MASTER, &[], AsAdvised),
    case(
        SemiSyncAfterCommit,
        MASTER,
        &["SET GLOBAL rpl_semi_sync_source_wait_point = AFTER_COMMIT"],
        AsAdvised,
    ),
    case(
        SemiSyncTimeoutShort,
        MASTER,
        &["SET GLOBAL rpl_semi_sync_source_timeout = 100"],
        AsAdvised,
    ),
    case(
        SemiSyncTooFewReplicas,
        MASTER,
        &["SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 2"],
        AsAdvised,
    ),
    case(ApplierSingleThreaded, REPLICA, &["SET GLOBAL replica_parallel_workers = 1"], AsAdvised),
    case(
        CommitOrderNotPreserved,
        REPLICA,
        &[
            "STOP REPLICA SQL_THREAD",
            "SET GLOBAL replica_preserve_commit_order = 0",
            "START REPLICA SQL_THREAD",
        ],
        AsAdvised,
    ),
    case(
        ReplicaExecModeIdempotent,
        REPLICA,
        &["SET GLOBAL replica_exec_mode = IDEMPOTENT"],
        AsAdvised,
    ),
    case(ReplicaWritable, REPLICA, &["SET GLOBAL read_only = 0"], AsAdvised),
    case(ReplicaWritableByAdministrators, REPLICA, &["SET GLOBAL super_read_only = 0"], AsAdvised),
    case(
        HeartbeatSlow,
        REPLICA,
        &[
            "STOP REPLICA IO_THREAD",
            "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = 30",
            "START REPLICA IO_THREAD",
        ],
        AsAdvised,
    ),
    case(ReplicaNetTimeoutLong, REPLICA, &["SET GLOBAL replica_net_timeout = 60"], AsAdvised),
    case(
        ReplicaRetriesEnd,
        REPLICA,
        &[
            "STOP REPLICA IO_THREAD",
            "CHANGE REPLICATION SOURCE TO SOURCE_RETRY_COUNT = 10",
            "START REPLICA IO_THREAD",
        ],
        AsAdvised,
    ),
    case(
        ReplicaDelayed,
        REPLICA,
        &[
            "STOP REPLICA SQL_THREAD",
            "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 5",
            "START REPLICA SQL_THREAD",
        ],
        AsAdvised,
    ),
    case(
        ReplicaWithoutGtid,
        REPLICA,
        &["STOP REPLICA", "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0", "START REPLICA"],
        AsAdvised,
    ),
    case(TablesWithoutPrimaryKey, MASTER, &[], AsAdvised),
    case(
        EventEnabledOnReplica,
        REPLICA,
        &[
            "SET sql_log_bin = 0",
            "SET GLOBAL super_read_only = 0",
            "CREATE EVENT app.`it's` ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "SET GLOBAL super_read_only = 1",
        ],
        AsAdvised,
    ),
    case(CharacterSetDiffers, REPLICA, &["SET GLOBAL character_set_server = latin1"], AsAdvised),
    case(TimeZoneDiffers, REPLICA, &["SET GLOBAL time_zone = '+03:00'"], AsAdvised),
    case(
        ReplicationFilter,
        REPLICA,
        &[
            "STOP REPLICA SQL_THREAD",
            "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = (scratch)",
            "START REPLICA SQL_THREAD",
        ],
        ByHand(&[
            "STOP REPLICA SQL_THREAD",
            "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ()",
            "START REPLICA SQL_THREAD",
        ]),
    ),
    case(
        NamedChannel,
        REPLICA,
        &["CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1' FOR CHANNEL 'other'"],
        ByHand(&["RESET REPLICA ALL FOR CHANNEL 'other'"]),
    ),
    case(
        GrantMissing,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE CONNECTION_ADMIN ON *.* FROM 'dba'@'%'"],
        AsAdvised,
    ),
    case(
        ReplAccountUnseen,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE SELECT ON mysql.user FROM 'dba'@'%'"],
        ByHand(&["SET sql_log_bin = 0", "GRANT SELECT ON mysql.user TO 'dba'@'%'"]),
    ),
    case(
        ReplGrantMissing,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE REPLICATION SLAVE ON *.* FROM 'repl'@'%'"],
        AsAdvised,
    ),
    case(ReplAccountMissing, MASTER, &["SET sql_log_bin = 0", "DROP USER 'repl'@'%'"], AsAdvised),
];

const MARIADB: &[Case] = &[
    case(WritesThroughReadOnly, REPLICA, &[], Never),
    case(ReadOnlyAtBootUnseen, MASTER, &[], Never),
    case(GtidStrictModeOff, MASTER, &["SET GLOBAL gtid_strict_mode = 0"], AsAdvised),
    case(BinlogFormatNotRow, MASTER, &["SET GLOBAL binlog_format = MIXED"], AsAdvised),
    case(BinlogRowImageNotFull, MASTER, &["SET GLOBAL binlog_row_image = MINIMAL"], AsAdvised),
    case(BinlogNeverExpires, MASTER, &["SET GLOBAL binlog_expire_logs_seconds = 0"], AsAdvised),
    case(BinlogExpiresSoon, MASTER, &["SET GLOBAL binlog_expire_logs_seconds = 3600"], AsAdvised),
    case(
        InitConnectSkipsBinlog,
        MASTER,
        &["SET GLOBAL init_connect = 'SET sql_log_bin = 0'"],
        AsAdvised,
    ),
    case(SyncBinlogNot1, MASTER, &["SET GLOBAL sync_binlog = 0"], AsAdvised),
    case(InnodbFlushNot1, MASTER, &["SET GLOBAL innodb_flush_log_at_trx_commit = 2"], AsAdvised),
    case(SemiSyncReplicaOff, REPLICA, &[], AsAdvised),
    case(SyncRelayLogWithSemiSync, REPLICA, &[], AsAdvised),
    case(SemiSyncSourceOff, MASTER, &[], AsAdvised),
    case(
        SemiSyncAfterCommit,
        MASTER,
        &["SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_COMMIT"],
        AsAdvised,
    ),
    case(
        SemiSyncTimeoutShort,
        MASTER,
        &["SET GLOBAL rpl_semi_sync_master_timeout = 100"],
        AsAdvised,
    ),
    case(
        ReplicationStateNotCrashSafe,
        REPLICA,
        &[
            "STOP SLAVE",
            "SET sql_log_bin = 0",
            "ALTER TABLE mysql.gtid_slave_pos ENGINE = Aria",
            "START SLAVE",
        ],
        AsAdvised,
    ),
    case(
        ApplierSingleThreaded,
        REPLICA,
        &["STOP SLAVE", "SET GLOBAL slave_parallel_threads = 0", "START SLAVE"],
        AsAdvised,
    ),
    case(
        ParallelModeNotParallel,
        REPLICA,
        &["STOP SLAVE", "SET GLOBAL slave_parallel_mode = minimal", "START SLAVE"],
        AsAdvised,
    ),
    case(
        ReplicaExecModeIdempotent,
        REPLICA,
        &["SET GLOBAL slave_exec_mode = IDEMPOTENT"],
        AsAdvised,
    ),
    case(ReplicaWritable, REPLICA, &["SET GLOBAL read_only = 0"], AsAdvised),
    case(
        HeartbeatSlow,
        REPLICA,
        &["STOP SLAVE", "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 30", "START SLAVE"],
        AsAdvised,
    ),
    case(ReplicaNetTimeoutLong, REPLICA, &["SET GLOBAL slave_net_timeout = 60"], AsAdvised),
    case(
        ReplicaDelayed,
        REPLICA,
        &["STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 5", "START SLAVE"],
        AsAdvised,
    ),
    case(
        RelayLogRecoveryOff,
        REPLICA,
        &["STOP SLAVE", "CHANGE MASTER TO MASTER_USE_GTID = no", "START SLAVE"],
        Never,
    ),
    case(ReplicaWithoutGtid, REPLICA, &[], AsAdvised),
    case(TablesWithoutPrimaryKey, MASTER, &[], AsAdvised),
    case(
        EventEnabledOnReplica,
        REPLICA,
        &[
            "SET sql_log_bin = 0",
            "SET GLOBAL event_scheduler = ON",
            "CREATE EVENT app.`it's` ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        ],
        AsAdvised,
    ),
    case(CharacterSetDiffers, REPLICA, &["SET GLOBAL character_set_server = latin1"], AsAdvised),
    case(TimeZoneDiffers, REPLICA, &["SET GLOBAL time_zone = '+03:00'"], AsAdvised),
    case(
        ReplicationFilter,
        REPLICA,
        &["STOP SLAVE", "SET GLOBAL replicate_ignore_db = 'scratch'", "START SLAVE"],
        ByHand(&["STOP SLAVE", "SET GLOBAL replicate_ignore_db = ''", "START SLAVE"]),
    ),
    case(
        NamedChannel,
        REPLICA,
        &["CHANGE MASTER 'other' TO MASTER_HOST = '127.0.0.1'"],
        ByHand(&["RESET SLAVE 'other' ALL"]),
    ),
    case(
        GrantMissing,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE CONNECTION ADMIN ON *.* FROM 'dba'@'%'"],
        AsAdvised,
    ),
    case(
        ReplAccountUnseen,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE SELECT ON mysql.global_priv FROM 'dba'@'%'"],
        ByHand(&["SET sql_log_bin = 0", "GRANT SELECT ON mysql.global_priv TO 'dba'@'%'"]),
    ),
    case(
        ReplGrantMissing,
        MASTER,
        &["SET sql_log_bin = 0", "REVOKE REPLICATION SLAVE ON *.* FROM 'repl'@'%'"],
        AsAdvised,
    ),
    case(ReplAccountMissing, MASTER, &["SET sql_log_bin = 0", "DROP USER 'repl'@'%'"], AsAdvised),
];

/// In an order in which one leaves the ground that the next stands on.
pub(crate) fn cases(flavor: Flavor) -> &'static [Case] {
    match flavor {
        Flavor::MySql => MYSQL,
        Flavor::MariaDb => MARIADB,
    }
}

/// What only a start can set.
#[derive(Debug)]
pub(crate) struct AtStart {
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// Found on that server, below an ordinary master.
    pub(crate) found: &'static [AdviceId],
    /// Found on an ordinary replica below that server.
    pub(crate) found_below: &'static [AdviceId],
}

const MYSQL_AT_START: AtStart = AtStart {
    options: &[
        ("disable_log_bin", "1"),
        ("log_replica_updates", "OFF"),
        ("gtid_mode", "OFF"),
        ("enforce_gtid_consistency", "OFF"),
        ("replica_preserve_commit_order", "OFF"),
        ("replica_skip_errors", "1062"),
        ("skip_name_resolve", "OFF"),
    ],
    found: &[
        LogBinOff,
        LogReplicaUpdatesOff,
        GtidModeOff,
        GtidConsistencyNotEnforced,
        ReplicaSkipsErrors,
        SkipNameResolveOff,
    ],
    found_below: &[],
};

const MARIADB_AT_START: AtStart = AtStart {
    options: &[
        ("skip_log_bin", "1"),
        ("log_slave_updates", "OFF"),
        ("slave_skip_errors", "1062"),
        ("skip_name_resolve", "OFF"),
        ("read_only", "OFF"),
        ("lower_case_table_names", "1"),
        ("version", "12.1.0-MariaDB"),
    ],
    found: &[
        LogBinOff,
        LogReplicaUpdatesOff,
        ReplicaSkipsErrors,
        SkipNameResolveOff,
        NotReadOnlyAtBoot,
        LowerCaseTableNamesDiffers,
        VersionUntested,
        VersionsDiffer,
    ],
    found_below: &[ReplicaOlderThanMaster, LowerCaseTableNamesDiffers],
};

pub(crate) fn at_start(flavor: Flavor) -> &'static AtStart {
    match flavor {
        Flavor::MySql => &MYSQL_AT_START,
        Flavor::MariaDb => &MARIADB_AT_START,
    }
}

/// Of servers that no sandbox has: unit tests of the rules know them.
pub(crate) const NOT_HERE: &[AdviceId] = &[
    // Variables of MySQL 8.0 to 8.3.
    ParallelTypeDatabase,
    WritesetTrackingOff,
    // Nothing keeps an account from seeing its own rights, or from asking for events.
    GrantsUnseen,
    EventsUnseen,
    // `mysql_under_way` takes the rights away that let an account see them.
    ObstaclesUnseen,
    // The sandbox gives every server its id.
    ServerIdZero,
];
