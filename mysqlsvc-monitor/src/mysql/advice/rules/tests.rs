//! What differs by version, and what no sandbox has.

use mysqlsvc_core::{Flavor, IoThread, Replication, ServerVersion, SqlThread};

use super::*;
use crate::mysql::advice::{
    AdviceId, AdviceSeverity, Asked, AtBoot, Channel, EnabledEvent, Few, Remedy, Variables, judge,
};

fn server(flavor: Flavor, version: &str, variables: &[(&str, &str)]) -> Facts {
    let mut facts = Facts::of(flavor, version.parse::<ServerVersion>().unwrap());
    facts.settings.variables = variables.iter().copied().collect::<Variables>();
    facts
}

fn replica(flavor: Flavor, version: &str, variables: &[(&str, &str)]) -> Facts {
    let facts = server(flavor, version, variables);
    let replication = Replication {
        source: "master:3306".parse().unwrap(),
        source_identity: None,
        io: IoThread::Running,
        sql: SqlThread::Running,
        io_error: None,
        sql_error: None,
        lag: None,
        delay: mysqlsvc_core::Millis(0),
        received: facts.executed.clone(),
    };
    let channel = Channel { by_gtid: true, ..Channel::default() };
    Facts { replication: Some(replication), channel: Some(channel), ..facts }
}

fn of(facts: &Facts, role: Role) -> Vec<Advice> {
    all(Subject { facts, role }, Surroundings::default())
}

fn remedy(facts: &Facts, role: Role, id: AdviceId) -> Option<Remedy> {
    of(facts, role).into_iter().find(|advice| advice.id == id).map(|advice| advice.remedy)
}

fn ids(found: &[Advice]) -> Vec<AdviceId> {
    found.iter().map(|advice| advice.id).collect()
}

#[test]
fn write_sets_are_advised_only_where_there_is_a_choice() {
    let tracking = ("binlog_transaction_dependency_tracking", "COMMIT_ORDER");
    let old = server(Flavor::MySql, "8.0.40", &[tracking]);
    let given = remedy(&old, Role::Master, AdviceId::WritesetTrackingOff).unwrap();
    assert_eq!(
        given.statements,
        ["SET PERSIST binlog_transaction_dependency_tracking = 'WRITESET'"]
    );
    let off =
        server(Flavor::MySql, "8.0.26", &[tracking, ("transaction_write_set_extraction", "OFF")]);
    let given = remedy(&off, Role::Master, AdviceId::WritesetTrackingOff).unwrap();
    assert_eq!(
        given.statements.first().map(String::as_str),
        Some("SET PERSIST transaction_write_set_extraction = 'XXHASH64'")
    );
    let new = server(Flavor::MySql, "8.4.0", &[]);
    assert_eq!(remedy(&new, Role::Master, AdviceId::WritesetTrackingOff), None);
}

#[test]
fn the_old_ways_of_mysql_8_0_are_found_by_their_variables() {
    let old = server(
        Flavor::MySql,
        "8.0.26",
        &[("replica_parallel_type", "DATABASE"), ("relay_log_info_repository", "FILE")],
    );
    for (id, statement) in [
        (AdviceId::ParallelTypeDatabase, "SET PERSIST replica_parallel_type = 'LOGICAL_CLOCK'"),
        (AdviceId::ReplicationStateNotCrashSafe, "SET PERSIST relay_log_info_repository = 'TABLE'"),
    ] {
        let given = remedy(&old, Role::Slave, id).unwrap();
        assert_eq!(given.statements.len(), 3, "{given:?}");
        assert!(given.statements[0].starts_with("STOP REPLICA SQL_THREAD"), "{given:?}");
        assert_eq!(given.statements[1], statement);
    }
}

#[test]
fn mariadb_keeps_what_is_set_by_its_option_file() {
    let facts = server(Flavor::MariaDb, "10.11.19", &[("sync_binlog", "0")]);
    let given = remedy(&facts, Role::Master, AdviceId::SyncBinlogNot1).unwrap();
    assert_eq!(given.statements, ["SET GLOBAL sync_binlog = 1"]);
    assert_eq!(given.option_file, ["sync_binlog=1"]);
    assert!(!given.restart);
    let facts = server(Flavor::MySql, "9.7.0", &[("sync_binlog", "0")]);
    let given = remedy(&facts, Role::Master, AdviceId::SyncBinlogNot1).unwrap();
    assert_eq!(given.statements, ["SET PERSIST sync_binlog = 1"]);
    assert!(given.option_file.is_empty());
}

#[test]
fn binary_logs_of_mariadb_10_6_0_are_kept_by_days() {
    let days = |days| server(Flavor::MariaDb, "10.6.0", &[("expire_logs_days", days)]);
    let given = remedy(&days("0"), Role::Master, AdviceId::BinlogNeverExpires).unwrap();
    assert_eq!(given.statements, ["SET GLOBAL expire_logs_days = 7"]);
    assert!(remedy(&days("0.5"), Role::Master, AdviceId::BinlogExpiresSoon).is_some());
    assert!(ids(&of(&days("1"), Role::Slave)).is_empty());
}

#[test]
fn events_rest_by_the_words_of_their_version() {
    let event = EnabledEvent {
        schema: "app".to_owned(),
        name: "a`b".to_owned(),
        definer: "o'neil@%".to_owned(),
    };
    for (flavor, version, word) in [
        (Flavor::MySql, "8.1.0", "SLAVE"),
        (Flavor::MySql, "8.2.0", "REPLICA"),
        (Flavor::MariaDb, "11.8.2", "SLAVE"),
    ] {
        let mut facts = replica(flavor, version, &[("event_scheduler", "ON")]);
        facts.events = Few { first: vec![event.clone()], more: false };
        let given = remedy(&facts, Role::Slave, AdviceId::EventEnabledOnReplica).unwrap();
        let expected =
            format!("ALTER DEFINER = 'o''neil'@'%' EVENT `app`.`a``b` DISABLE ON {word}");
        assert!(given.statements.contains(&expected), "{given:?}");
        assert_eq!(remedy(&facts, Role::Master, AdviceId::EventEnabledOnReplica), None);
    }
}

#[test]
fn semi_sync_is_turned_on_by_the_names_that_the_server_has() {
    let without = replica(Flavor::MySql, "9.7.0", &[]);
    let given = remedy(&without, Role::Slave, AdviceId::SemiSyncReplicaOff).unwrap();
    assert_eq!(
        given.statements,
        [
            "SET GLOBAL super_read_only = 0",
            "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'",
            "SET PERSIST rpl_semi_sync_replica_enabled = ON",
            "STOP REPLICA IO_THREAD FOR CHANNEL ''",
            "START REPLICA IO_THREAD FOR CHANNEL ''",
            "SET PERSIST super_read_only = 1",
        ]
    );
    let old = replica(Flavor::MySql, "8.0.30", &[("rpl_semi_sync_slave_enabled", "OFF")]);
    let given = remedy(&old, Role::Slave, AdviceId::SemiSyncReplicaOff).unwrap();
    assert_eq!(
        given.statements.first().map(String::as_str),
        Some("SET PERSIST rpl_semi_sync_slave_enabled = ON")
    );
}

#[test]
fn a_server_that_did_not_answer_may_acknowledge() {
    let node = |name: &str| format!("{name}:3306").parse().unwrap();
    let master = server(Flavor::MySql, "9.7.0", &[("rpl_semi_sync_source_enabled", "ON")]);
    let silent = mysqlsvc_core::LookError::Unreachable { detail: String::new() };
    let asked = |facts| {
        [
            Asked { node: node("master"), role: Role::Master, facts: Ok(master.clone()) },
            Asked { node: node("replica"), role: Role::Slave, facts },
        ]
    };
    let found = |facts| ids(&judge(&asked(facts))[0].advised.as_ref().unwrap().findings);
    let too_few = AdviceId::SemiSyncTooFewReplicas;
    assert!(found(Ok(replica(Flavor::MySql, "9.7.0", &[]))).contains(&too_few));
    assert!(!found(Err(silent)).contains(&too_few));
    let on = [("rpl_semi_sync_replica_enabled", "ON")];
    assert!(!found(Ok(replica(Flavor::MySql, "9.7.0", &on))).contains(&too_few));
}

#[test]
fn time_zones_that_only_the_machines_tell_apart_differ() {
    let zone = |system: &str| {
        [
            ("time_zone".to_owned(), "SYSTEM".to_owned()),
            ("system_time_zone".to_owned(), system.to_owned()),
        ]
    };
    let mut own = server(Flavor::MariaDb, "10.11.19", &[]);
    let mut master = own.clone();
    own.settings.variables = zone("CET").into_iter().collect();
    master.settings.variables = zone("UTC").into_iter().collect();
    let around = Surroundings { master: Some(&master), ..Surroundings::default() };
    let found = all(Subject { facts: &own, role: Role::Slave }, around);
    assert_eq!(ids(&found), [AdviceId::TimeZoneDiffers]);
    assert!(found[0].remedy.statements.is_empty(), "{found:?}");
    assert!(found[0].remedy.note.contains("UTC"), "{found:?}");
}

#[test]
fn without_gtids_appliers_must_keep_the_order_and_nothing_is_asked_by_gtid() {
    let variables = [
        ("gtid_mode", "OFF"),
        ("enforce_gtid_consistency", "OFF"),
        ("replica_preserve_commit_order", "OFF"),
        ("replica_parallel_workers", "4"),
    ];
    let mut facts = replica(Flavor::MySql, "9.7.0", &variables);
    facts.channel = Some(Channel::default());
    let severity = |facts: &Facts, id| {
        of(facts, Role::Slave).into_iter().find(|advice| advice.id == id).map(|it| it.severity)
    };
    assert_eq!(severity(&facts, AdviceId::CommitOrderNotPreserved), Some(AdviceSeverity::Error));
    assert_eq!(severity(&facts, AdviceId::GtidModeOff), Some(AdviceSeverity::Warning));
    assert_eq!(severity(&facts, AdviceId::ReplicaWithoutGtid), None);
    let all = [&variables[1..], &[("gtid_mode", "ON_PERMISSIVE")]].concat();
    facts.settings.variables = all.into_iter().collect();
    assert_eq!(severity(&facts, AdviceId::CommitOrderNotPreserved), Some(AdviceSeverity::Warning));
    assert_eq!(severity(&facts, AdviceId::GtidModeOff), Some(AdviceSeverity::Error));
    assert_eq!(severity(&facts, AdviceId::ReplicaWithoutGtid), Some(AdviceSeverity::Warning));
}

#[test]
fn the_worst_comes_first() {
    let mut facts = server(
        Flavor::MySql,
        "9.7.0",
        &[("skip_name_resolve", "OFF"), ("sync_binlog", "0"), ("log_bin", "OFF")],
    );
    facts.settings.at_boot = AtBoot::Unseen;
    assert_eq!(
        ids(&of(&facts, Role::Slave)),
        [
            AdviceId::LogBinOff,
            AdviceId::ReadOnlyAtBootUnseen,
            AdviceId::SyncBinlogNot1,
            AdviceId::SkipNameResolveOff,
        ]
    );
}

#[test]
fn only_what_registering_demands_or_warns_of_becomes_its_finding() {
    let facts = server(
        Flavor::MariaDb,
        "10.11.19",
        &[("log_bin", "OFF"), ("skip_name_resolve", "OFF"), ("sync_binlog", "0")],
    );
    let texts: Vec<String> = demanded(&facts.settings)
        .iter()
        .filter_map(Advice::to_finding)
        .map(|finding| finding.text)
        .collect();
    assert_eq!(
        texts,
        ["log_bin is OFF: without a binary log no other server can follow it; log_bin in the \
          option file, then restart"]
    );
}
