//! Who may write: at the next start, and now.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            NotReadOnlyAtBoot, ReadOnlyAtBootUnseen, ReplicaWritable,
            ReplicaWritableByAdministrators,
        },
        AdviceSeverity::{Error, Warning},
        AtBoot, Remedy, ServerSettings,
    },
    Subject, said,
};

/// DESIGN 4: demanded of every server, the master included.
pub(super) fn at_boot(settings: &ServerSettings) -> Vec<Advice> {
    let remedy = match settings.flavor {
        Flavor::MySql => Remedy::statements(["SET PERSIST_ONLY super_read_only = ON"]),
        Flavor::MariaDb => {
            let option_file = vec!["read_only=ON".to_owned()];
            Remedy { option_file, ..Remedy::default() }
        }
    };
    match settings.at_boot {
        AtBoot::ReadOnly => Vec::new(),
        AtBoot::Writable => vec![Advice::new(
            NotReadOnlyAtBoot,
            Error,
            "read_only is OFF at the next start, so it starts writable",
            "a former master that comes back would take writes",
            remedy,
        )],
        AtBoot::Unseen => vec![Advice::new(
            ReadOnlyAtBootUnseen,
            Warning,
            "whether it starts read-only cannot be seen, since read_only was set while it ran",
            "a former master that comes back writable would take writes; make sure",
            remedy,
        )],
    }
}

pub(super) fn now(subject: Subject<'_>) -> Vec<Advice> {
    if !subject.is_replica() {
        return Vec::new();
    }
    said([writable(subject), by_administrators(subject)])
}

fn writable(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    let value = settings.get("read_only").filter(|value| is_off(value))?;
    let why = "what is written on a replica no other server has: it blocks a switch, and may stop \
               replication";
    let remedy = Remedy::statements([settings.dialect().refuse_writes()]);
    Some(Advice::new(ReplicaWritable, Error, format!("read_only is {value}"), why, remedy))
}

/// MariaDB has nothing like it before 12; there the accounts that write through are named.
fn by_administrators(subject: Subject<'_>) -> Option<Advice> {
    let settings = subject.settings();
    if is_off(settings.get("read_only")?) {
        return None;
    }
    let value = settings.get("super_read_only").filter(|value| is_off(value))?;
    let why = "accounts with CONNECTION_ADMIN or SUPER may still write, and one forgotten \
               statement makes it errant";
    let remedy = Remedy::statements([settings.dialect().refuse_writes()]);
    let seen = format!("super_read_only is {value} on a replica");
    Some(Advice::new(ReplicaWritableByAdministrators, Warning, seen, why, remedy))
}

/// MariaDB 12 has other words for on.
fn is_off(value: &str) -> bool {
    value == "0" || value.eq_ignore_ascii_case("OFF")
}
