//! What is still there after a crash.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            InnodbFlushNot1, RelayLogRecoveryOff, ReplicationStateNotCrashSafe, SyncBinlogNot1,
            SyncRelayLogWithSemiSync,
        },
        AdviceSeverity::{Hint, Warning},
        Remedy, ServerSettings,
        facts::is_on,
    },
    Subject,
    remedy::{at_start, set},
    said, semi_sync,
};

pub(super) fn all(subject: Subject<'_>) -> Vec<Advice> {
    let settings = subject.settings();
    said([
        synced_binlog(settings),
        synced_redo_log(settings),
        relay_log_recovery(subject),
        synced_relay_log(subject),
        replication_state(subject),
    ])
}

fn synced_binlog(settings: &ServerSettings) -> Option<Advice> {
    let value = settings.get("sync_binlog").filter(|value| *value != "1")?;
    let why = "a crash of the machine loses transactions that replicas have already, or that were \
               acknowledged; afterwards the servers differ";
    let remedy = set(settings, "sync_binlog", "1");
    Some(Advice::new(SyncBinlogNot1, Warning, format!("sync_binlog is {value}"), why, remedy))
}

fn synced_redo_log(settings: &ServerSettings) -> Option<Advice> {
    let name = "innodb_flush_log_at_trx_commit";
    // MariaDB's 3 is 1 with the older group commit.
    let value = settings.get(name).filter(|value| !matches!(*value, "1" | "3"))?;
    let why = "a crash loses the last second of acknowledged transactions; the server comes back \
               with less than its binary log and its replicas have";
    let seen = format!("{name} is {value}");
    Some(Advice::new(InnodbFlushNot1, Warning, seen, why, set(settings, name, "1")))
}

/// MariaDB fetches again by itself what it had not applied, as long as it asks by GTID.
fn relay_log_recovery(subject: Subject<'_>) -> Option<Advice> {
    let channel = subject.facts.channel.as_ref()?;
    if subject.settings().flavor == Flavor::MariaDb && channel.by_gtid {
        return None;
    }
    let name = "relay_log_recovery";
    let value = subject.settings().get(name).filter(|value| !is_on(value))?;
    let why = "after a crash its relay log may be torn, and replication stops with an error \
               instead of fetching the rest again";
    let seen = format!("{name} is {value} on a replica");
    Some(Advice::new(RelayLogRecoveryOff, Warning, seen, why, at_start(name, "ON")))
}

fn synced_relay_log(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    if !subject.is_replica() || !settings.is_on(&semi_sync::REPLICA) {
        return None;
    }
    let name = "sync_relay_log";
    let value = settings.get(name).filter(|value| *value != "1")?;
    let why = "a semi-sync acknowledgement says that the transaction is written to the relay log; \
               if the machine loses power, together with the master's, no copy may be left on disk";
    let remedy = set(settings, name, "1").minding("it costs one fsync for each transaction");
    let seen = format!("{name} is {value} while it acknowledges for semi-sync");
    Some(Advice::new(SyncRelayLogWithSemiSync, Hint, seen, why, remedy))
}

fn replication_state(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    let why = "after a crash a replica's position may not be that of its data, and it applies \
               transactions twice or leaves some out";
    let advice = |seen: String, remedy| {
        Some(Advice::new(ReplicationStateNotCrashSafe, Warning, seen, why, remedy))
    };
    // MySQL before 8.3: afterwards it is always a table.
    let name = "relay_log_info_repository";
    if let Some(value) = settings.get(name).filter(|value| !value.eq_ignore_ascii_case("TABLE")) {
        let around = settings.dialect().around_applying();
        let remedy = set(settings, name, "TABLE").between(around[0], around[1]);
        return advice(format!("{name} is {value}"), remedy);
    }
    if subject.facts.state_in_innodb != Some(false) {
        return None;
    }
    let words = settings.dialect().words();
    let remedy = Remedy::statements([
        "SET SESSION sql_log_bin = 0",
        "ALTER TABLE mysql.gtid_slave_pos ENGINE = InnoDB",
    ]);
    let remedy = if subject.facts.channel.is_some() {
        remedy.between(words.stop, words.start)
    } else {
        remedy
    };
    advice("mysql.gtid_slave_pos is not an InnoDB table".to_owned(), remedy)
}
