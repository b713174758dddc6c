//! Semi-synchronous replication: a commit is acknowledged once a replica has it.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            SemiSyncAfterCommit, SemiSyncReplicaOff, SemiSyncSourceOff, SemiSyncTimeoutShort,
            SemiSyncTooFewReplicas,
        },
        AdviceSeverity::{Hint, Warning},
        Remedy, ServerSettings,
    },
    Subject, Surroundings,
    remedy::set,
    said,
};

/// The plugin has new names from MySQL 8.0.26 on, and may still be there by its old ones.
pub(super) const SOURCE: [&str; 2] =
    ["rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"];
pub(super) const REPLICA: [&str; 2] =
    ["rpl_semi_sync_replica_enabled", "rpl_semi_sync_slave_enabled"];
const WAIT_POINT: [&str; 2] =
    ["rpl_semi_sync_source_wait_point", "rpl_semi_sync_master_wait_point"];
const TIMEOUT: [&str; 2] = ["rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout"];
const WAIT_COUNT: [&str; 2] =
    ["rpl_semi_sync_source_wait_for_replica_count", "rpl_semi_sync_master_wait_for_slave_count"];

/// Below this many milliseconds each hiccup of a network ends the waiting.
const SHORT: f64 = 1000.0;

pub(super) fn all(subject: Subject<'_>, around: Surroundings<'_>) -> Vec<Advice> {
    let mut found = said([source(subject), replica(subject)]);
    if subject.settings().is_on(&SOURCE) {
        found.extend(said([
            after_commit(subject.settings()),
            timeout(subject.settings()),
            replicas(subject, around),
        ]));
    }
    found
}

fn source(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    if !subject.is_master() || settings.is_on(&SOURCE) {
        return None;
    }
    let why = "a commit is acknowledged before any replica has it, so what the master took last is \
               lost when it dies";
    let (seen, remedy) = turned_on(settings, &SOURCE, "rpl_semi_sync_source", "semisync_source.so");
    let remedy = remedy.minding(
        "turn it on at a replica first, else each commit waits for the time-out until one \
         acknowledges",
    );
    Some(Advice::new(SemiSyncSourceOff, Hint, seen, why, remedy))
}

fn replica(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    if !subject.is_replica() || settings.is_on(&REPLICA) {
        return None;
    }
    let why = "it does not tell its master what it received, so the master cannot wait for it";
    let (seen, remedy) =
        turned_on(settings, &REPLICA, "rpl_semi_sync_replica", "semisync_replica.so");
    let [stop, start] = settings.dialect().around_receiving();
    let mut remedy = remedy.before(stop).before(start);
    // No plugin is taken in under super_read_only, and read_only stays on meanwhile.
    if remedy.statements.iter().any(|text| text.starts_with("INSTALL")) {
        let close = settings.dialect().refuse_writes();
        remedy = remedy.between("SET GLOBAL super_read_only = 0", close);
    }
    Some(Advice::new(SemiSyncReplicaOff, Hint, seen, why, remedy))
}

/// What is off, and what turns it on; where there is no plugin, MySQL takes it in first.
fn turned_on(
    settings: &ServerSettings,
    names: &[&'static str; 2],
    plugin: &str,
    file: &str,
) -> (String, Remedy) {
    if let Some((name, value)) = settings.first(names) {
        return (format!("{name} is {value}"), set(settings, name, "ON"));
    }
    let name = match settings.flavor {
        Flavor::MySql => names[0],
        Flavor::MariaDb => names[1],
    };
    let install = format!("INSTALL PLUGIN {plugin} SONAME '{file}'");
    (format!("the plugin {plugin} is not there"), set(settings, name, "ON").after(install))
}

fn after_commit(settings: &ServerSettings) -> Option<Advice> {
    let (name, value) = settings.first(&WAIT_POINT)?;
    let why = "others see a transaction before a replica has it, and when the master dies then, \
               what they saw is gone";
    value.eq_ignore_ascii_case("AFTER_COMMIT").then(|| {
        let remedy = set(settings, name, "AFTER_SYNC");
        Advice::new(SemiSyncAfterCommit, Warning, format!("{name} is {value}"), why, remedy)
    })
}

fn timeout(settings: &ServerSettings) -> Option<Advice> {
    let (name, milliseconds) = settings.number(&TIMEOUT)?;
    let why = "after that many milliseconds without an acknowledgement it goes on without any, and \
               from then on a dying master loses transactions again; a short break is enough";
    (milliseconds < SHORT).then(|| {
        let seen = format!("{name} is {milliseconds}");
        let remedy = set(settings, name, "10000");
        Advice::new(SemiSyncTimeoutShort, Hint, seen, why, remedy)
    })
}

/// A server that did not answer may acknowledge for all we know.
fn replicas(subject: Subject<'_>, around: Surroundings<'_>) -> Option<Advice> {
    if !subject.is_master() {
        return None;
    }
    let settings = subject.settings();
    let wanted = settings.number(&WAIT_COUNT);
    let (have, possible) = (around.acknowledging, around.acknowledging + around.unseen);
    let needed = wanted.map_or(1.0, |(_, count)| count);
    if to_number(possible) >= needed {
        return None;
    }
    let why = "each commit waits for the whole time-out, and then the master goes on without \
               semi-sync";
    let seen = format!("each commit waits for {needed} replicas, and {have} acknowledge");
    let (hint, lowered) = (
        "rpl_semi_sync_replica_enabled (MariaDB: rpl_semi_sync_slave_enabled) must be ON at more \
         replicas, as the advice for them says",
        wanted.filter(|_| have > 0),
    );
    let remedy = match lowered {
        Some((name, _)) => set(settings, name, &have.to_string()).minding(format!("or: {hint}")),
        None => Remedy::note(hint),
    };
    Some(Advice::new(SemiSyncTooFewReplicas, Warning, seen, why, remedy))
}

fn to_number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
