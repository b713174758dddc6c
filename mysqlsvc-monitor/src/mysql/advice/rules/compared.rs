//! A server compared with the master of its cluster.

use std::cmp::Ordering;

use super::{
    super::{
        Advice, AdviceId,
        AdviceId::{
            CharacterSetDiffers, LowerCaseTableNamesDiffers, ReplicaOlderThanMaster,
            TimeZoneDiffers, VersionsDiffer,
        },
        AdviceSeverity,
        AdviceSeverity::{Hint, Warning},
        Remedy, ServerSettings,
    },
    Subject, Surroundings,
    remedy::set,
    said,
};

pub(super) fn all(subject: Subject<'_>, around: Surroundings<'_>) -> Vec<Advice> {
    let Some(master) = around.master.map(|master| &master.settings) else {
        return Vec::new();
    };
    let own = subject.settings();
    if own.flavor != master.flavor {
        // Registering refuses that.
        return Vec::new();
    }
    said([
        version(own, master),
        character_set(own, master),
        time_zone(own, master),
        table_names(own, master),
    ])
}

fn version(own: &ServerSettings, master: &ServerSettings) -> Option<Advice> {
    let seen = format!("it is {}, its master {}", own.version, master.version);
    let advice = |id: AdviceId, severity: AdviceSeverity, why: &str, note: &str| {
        Some(Advice::new(id, severity, seen.clone(), why, Remedy::note(note)))
    };
    match own.version.cmp(&master.version) {
        Ordering::Equal => None,
        Ordering::Less => advice(
            ReplicaOlderThanMaster,
            Warning,
            "a master may log what an older replica does not understand, which stops replication",
            "upgrade it; while you upgrade a cluster, the master comes last",
        ),
        Ordering::Greater => advice(
            VersionsDiffer,
            Hint,
            "once it is the master, the others are older than their master",
            "upgrade the others before you switch to it, or be ready to go on without them",
        ),
    }
}

fn character_set(own: &ServerSettings, master: &ServerSettings) -> Option<Advice> {
    let names = ["character_set_server", "collation_server"];
    let differing: Vec<(&str, &str, &str)> = names
        .into_iter()
        .filter_map(|name| Some((name, own.get(name)?, master.get(name)?)))
        .filter(|(_, own, master)| own != master)
        .collect();
    let why = "after a switch new schemas get another character set, and clients that rely on the \
               server's default read and write garbled text";
    let changes = differing.iter().map(|(name, _, value)| set(own, name, value));
    let remedy = changes.reduce(|mut all, next| {
        all.statements.extend(next.statements);
        all.option_file.extend(next.option_file);
        all
    })?;
    let seen: Vec<String> = differing
        .iter()
        .map(|(name, own, master)| format!("{name} is {own}, on the master {master}"))
        .collect();
    Some(Advice::new(CharacterSetDiffers, Warning, seen.join("; "), why, remedy))
}

fn time_zone(own: &ServerSettings, master: &ServerSettings) -> Option<Advice> {
    let why = "after a switch NOW() and TIMESTAMP columns show another time to the same clients";
    let (name, system) = ("time_zone", "system_time_zone");
    let (here, there) = (own.get(name)?, master.get(name)?);
    let zone = |settings: &ServerSettings| match settings.get(name) {
        Some("SYSTEM") => settings.get(system).map(str::to_owned),
        other => other.map(str::to_owned),
    };
    let (own_zone, master_zone) = (zone(own)?, zone(master)?);
    if own_zone == master_zone {
        return None;
    }
    let shown = |value: &str, zone: &str| match value {
        "SYSTEM" => format!("SYSTEM ({zone})"),
        other => other.to_owned(),
    };
    let seen = format!(
        "{name} is {}, on the master {}",
        shown(here, &own_zone),
        shown(there, &master_zone)
    );
    // Where both take it from the system, the systems differ.
    let remedy = if here == there {
        Remedy {
            restart: true,
            ..Remedy::note(format!("give the machine the time zone {master_zone}"))
        }
    } else {
        // In the option file this one variable has another name.
        let remedy = set(own, name, there);
        let lines = remedy.option_file.iter().map(|line| format!("default_{line}")).collect();
        Remedy { option_file: lines, ..remedy }
    };
    Some(Advice::new(TimeZoneDiffers, Warning, seen, why, remedy))
}

fn table_names(own: &ServerSettings, master: &ServerSettings) -> Option<Advice> {
    let name = "lower_case_table_names";
    let (here, there) = (own.get(name)?, master.get(name)?);
    let why = "the same statement finds a table on one server and none on the other, which stops \
               replication";
    (here != there).then(|| {
        let seen = format!("{name} is {here}, on the master {there}");
        let remedy = Remedy::note(format!(
            "rebuild the server with {name}={there}: it cannot be changed on existing data"
        ));
        Advice::new(LowerCaseTableNamesDiffers, Warning, seen, why, remedy)
    })
}
