//! Parallel appliers: one thread cannot keep up with a master that has many.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            ApplierSingleThreaded, CommitOrderNotPreserved, ParallelModeNotParallel,
            ParallelTypeDatabase, WritesetTrackingOff,
        },
        AdviceSeverity::{Error, Hint, Warning},
        Remedy, ServerSettings,
        facts::is_on,
    },
    remedy::set,
    said,
};

const WORKERS: [&str; 2] = ["replica_parallel_workers", "slave_parallel_threads"];

pub(super) fn all(settings: &ServerSettings) -> Vec<Advice> {
    said([
        workers(settings),
        mode(settings),
        kind(settings),
        order(settings).filter(|_| !settings.dialect().by_position),
        dependencies(settings),
    ])
}

/// A change of the appliers, while they rest.
fn at_rest(settings: &ServerSettings, variable: &str, value: &str) -> Remedy {
    let [stop, start] = settings.dialect().around_applying();
    set(settings, variable, value).between(stop, start).minding(
        "where nothing replicates, the SET alone is enough: STOP and START are for a replica",
    )
}

fn workers(settings: &ServerSettings) -> Option<Advice> {
    let (name, count) = settings.number(&WORKERS)?;
    let why = "one thread applies what many wrote, so a replica falls behind a busy master and \
               may never catch up";
    (count < 2.0).then(|| {
        let seen = format!("{name} is {count}");
        Advice::new(ApplierSingleThreaded, Warning, seen, why, at_rest(settings, name, "4"))
    })
}

fn mode(settings: &ServerSettings) -> Option<Advice> {
    let name = "slave_parallel_mode";
    let value = settings.get(name).filter(|value| {
        ["none", "minimal"].iter().any(|serial| value.eq_ignore_ascii_case(serial))
    })?;
    let why = "transactions of one domain are applied one by one, whatever \
               slave_parallel_threads says; optimistic applies them in parallel and commits them \
               in order, conservative does so for those that committed together";
    let seen = format!("{name} is {value}");
    let remedy = at_rest(settings, name, "optimistic");
    Some(Advice::new(ParallelModeNotParallel, Warning, seen, why, remedy))
}

/// MySQL 8.0 to 8.3.
fn kind(settings: &ServerSettings) -> Option<Advice> {
    let name = "replica_parallel_type";
    let value = settings.get(name).filter(|value| value.eq_ignore_ascii_case("DATABASE"))?;
    let why = "transactions of one schema are applied one by one";
    let remedy = at_rest(settings, name, "LOGICAL_CLOCK");
    Some(Advice::new(ParallelTypeDatabase, Warning, format!("{name} is {value}"), why, remedy))
}

/// One that commits in any order has no place in its source's log while it applies, nor after an
/// error.
pub(super) fn demanded(settings: &ServerSettings) -> Vec<Advice> {
    let by_position = settings.dialect().by_position;
    order(settings)
        .filter(|_| by_position)
        .map(|advice| Advice { severity: Error, ..advice })
        .into_iter()
        .collect()
}

/// MariaDB always commits the transactions of a domain in order.
fn order(settings: &ServerSettings) -> Option<Advice> {
    let name = "replica_preserve_commit_order";
    let value = settings.get(name).filter(|value| !is_on(value))?;
    let (_, count) = settings.number(&WORKERS)?;
    let why = "workers commit in any order, so a replica shows states that the master never had, \
               and what it has executed has gaps";
    let seen = format!("{name} is {value}");
    (count >= 2.0).then(|| {
        let remedy = at_rest(settings, name, "ON");
        Advice::new(CommitOrderNotPreserved, Warning, seen, why, remedy)
    })
}

/// MySQL up to 8.3 has a choice; from 8.4 on write sets are the only way.
fn dependencies(settings: &ServerSettings) -> Option<Advice> {
    if settings.flavor != Flavor::MySql {
        return None;
    }
    let name = "binlog_transaction_dependency_tracking";
    let value = settings.get(name).filter(|value| !value.eq_ignore_ascii_case("WRITESET"))?;
    let why = "as a master it lets replicas apply in parallel only what was committed together; by \
               write sets, everything that touches different rows";
    let extraction = "transaction_write_set_extraction";
    let remedy = set(settings, name, "WRITESET");
    // Up to 8.2 it can be off, and then tracking by write sets is refused.
    let off = settings.get(extraction).is_some_and(|value| value.eq_ignore_ascii_case("OFF"));
    let remedy =
        if off { remedy.after(settings.dialect().set(extraction, "XXHASH64")) } else { remedy };
    Some(Advice::new(WritesetTrackingOff, Hint, format!("{name} is {value}"), why, remedy))
}
