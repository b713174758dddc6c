//! What is stored: tables that replicate slowly, events that run where they should not.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{EventEnabledOnReplica, TablesWithoutPrimaryKey},
        AdviceSeverity::Warning,
        Few, Remedy,
        facts::{EnabledEvent, TableName},
    },
    Subject, Surroundings, said,
};

pub(super) fn all(subject: Subject<'_>, around: Surroundings<'_>) -> Vec<Advice> {
    said([keyless(subject, around), events(subject)])
}

/// Replicas have the tables of their master, for which it is said once.
fn keyless(subject: Subject<'_>, around: Surroundings<'_>) -> Option<Advice> {
    let tables = &subject.facts.tables_without_key;
    if tables.first.is_empty() || (subject.is_replica() && around.master.is_some()) {
        return None;
    }
    let names = |table: &TableName| format!("{}.{}", table.schema, table.table);
    let why = "for each changed row a replica reads the whole table, so one large UPDATE or DELETE \
               stops it for hours";
    let dialect = subject.settings().dialect();
    let statements =
        tables.first.iter().map(|table| dialect.add_hidden_key(&table.schema, &table.table));
    let remedy = Remedy::statements(statements)
        .minding("each rebuilds its table, here and on every replica; a key of your own is better");
    let seen = format!("without a primary key: {}", listed(tables, names));
    Some(Advice::new(TablesWithoutPrimaryKey, Warning, seen, why, remedy))
}

fn events(subject: Subject<'_>) -> Option<Advice> {
    let (settings, events) = (subject.settings(), &subject.facts.events);
    if !subject.is_replica() || events.first.is_empty() || !settings.is_on(&["event_scheduler"]) {
        return None;
    }
    let shown = |event: &EnabledEvent| {
        format!("{}.{} (definer {})", event.schema, event.name, event.definer)
    };
    let dialect = settings.dialect();
    let rest = events
        .first
        .iter()
        .map(|event| dialect.rest_event(&event.definer, &event.schema, &event.name));
    let unlogged = "SET SESSION sql_log_bin = 0".to_owned();
    let remedy = Remedy::statements(std::iter::once(unlogged).chain(rest));
    let (why, remedy) = match settings.flavor {
        Flavor::MySql => (
            "it runs on the replica as well as on the master, and fails or writes there",
            remedy.between("SET GLOBAL super_read_only = 0", dialect.refuse_writes()),
        ),
        Flavor::MariaDb => (
            "it runs on the replica as well as on the master; if its definer has SUPER or READ \
             ONLY ADMIN it writes through read_only",
            remedy,
        ),
    };
    let seen = format!("enabled on a replica: {}", listed(events, shown));
    Some(Advice::new(EventEnabledOnReplica, Warning, seen, why, remedy))
}

fn listed<T>(few: &Few<T>, name: impl Fn(&T) -> String) -> String {
    let mut names: Vec<String> = few.first.iter().map(name).collect();
    if few.more {
        names.push("and more".to_owned());
    }
    names.join(", ")
}
