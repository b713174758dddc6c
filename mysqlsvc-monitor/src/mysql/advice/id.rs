//! The stable names of findings. `docs/advice.md` lists every one; a test compares.

use std::fmt;

macro_rules! ids {
    ($($variant:ident => $text:literal),+ $(,)?) => {
        /// What was found, by a name that stays the same from version to version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum AdviceId {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )+
        }

        impl AdviceId {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

ids! {
    // What registering checks, too.
    ServerIdZero => "server-id-zero",
    VersionUntested => "version-untested",
    LogBinOff => "log-bin-off",
    LogReplicaUpdatesOff => "log-replica-updates-off",
    GtidModeOff => "gtid-mode-off",
    GtidStrictModeOff => "gtid-strict-mode-off",
    BinlogFormatNotRow => "binlog-format-not-row",
    GrantMissing => "grant-missing",
    GrantsUnseen => "grants-unseen",
    NotReadOnlyAtBoot => "not-read-only-at-boot",
    ReadOnlyAtBootUnseen => "read-only-at-boot-unseen",
    ReplAccountMissing => "repl-account-missing",
    ReplGrantMissing => "repl-grant-missing",
    ReplAccountUnseen => "repl-account-unseen",
    ReplicationFilter => "replication-filter",
    NamedChannel => "named-channel",
    WritesThroughReadOnly => "writes-through-read-only",
    ObstaclesUnseen => "obstacles-unseen",
    EventsUnseen => "events-unseen",
    // Binary log and GTIDs.
    BinlogRowImageNotFull => "binlog-row-image-not-full",
    BinlogNeverExpires => "binlog-never-expires",
    BinlogExpiresSoon => "binlog-expires-soon",
    InitConnectSkipsBinlog => "init-connect-skips-binlog",
    GtidConsistencyNotEnforced => "gtid-consistency-not-enforced",
    ReplicaWithoutGtid => "replica-without-gtid",
    // What survives a crash.
    SyncBinlogNot1 => "sync-binlog-not-1",
    InnodbFlushNot1 => "innodb-flush-not-1",
    RelayLogRecoveryOff => "relay-log-recovery-off",
    SyncRelayLogWithSemiSync => "sync-relay-log-with-semi-sync",
    ReplicationStateNotCrashSafe => "replication-state-not-crash-safe",
    // Parallel appliers.
    ApplierSingleThreaded => "applier-single-threaded",
    ParallelModeNotParallel => "parallel-mode-not-parallel",
    ParallelTypeDatabase => "parallel-type-database",
    CommitOrderNotPreserved => "commit-order-not-preserved",
    WritesetTrackingOff => "writeset-tracking-off",
    // What a replica does with errors and writes.
    ReplicaExecModeIdempotent => "replica-exec-mode-idempotent",
    ReplicaSkipsErrors => "replica-skips-errors",
    ReplicaWritable => "replica-writable",
    ReplicaWritableByAdministrators => "replica-writable-by-administrators",
    // Semi-synchronous replication.
    SemiSyncSourceOff => "semi-sync-source-off",
    SemiSyncReplicaOff => "semi-sync-replica-off",
    SemiSyncAfterCommit => "semi-sync-after-commit",
    SemiSyncTimeoutShort => "semi-sync-timeout-short",
    SemiSyncTooFewReplicas => "semi-sync-too-few-replicas",
    // The replica's connection.
    HeartbeatSlow => "heartbeat-slow",
    ReplicaNetTimeoutLong => "replica-net-timeout-long",
    ReplicaRetriesEnd => "replica-retries-end",
    ReplicaDelayed => "replica-delayed",
    SkipNameResolveOff => "skip-name-resolve-off",
    // What is stored.
    TablesWithoutPrimaryKey => "tables-without-primary-key",
    EventEnabledOnReplica => "event-enabled-on-replica",
    // Servers compared with their master.
    ReplicaOlderThanMaster => "replica-older-than-master",
    VersionsDiffer => "versions-differ",
    CharacterSetDiffers => "character-set-differs",
    TimeZoneDiffers => "time-zone-differs",
    LowerCaseTableNamesDiffers => "lower-case-table-names-differs",
}

impl fmt::Display for AdviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
