//! GTIDs: servers are compared and moved by them.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            GtidConsistencyNotEnforced, GtidModeOff, GtidStrictModeOff, ReplicaWithoutGtid,
        },
        AdviceSeverity::{Error, Warning},
        Remedy, ServerSettings,
        facts::is_on,
    },
    Subject,
    channel::REFETCHED,
    remedy::set,
    said,
};

pub(super) fn demanded(settings: &ServerSettings) -> Vec<Advice> {
    said([mode(settings), strict(settings)])
}

pub(super) fn wished(subject: Subject<'_>) -> Vec<Advice> {
    said([consistent(subject.settings()), asked_by(subject)])
}

fn mode(settings: &ServerSettings) -> Option<Advice> {
    let value = settings.get("gtid_mode").filter(|value| !is_on(value))?;
    let remedy = Remedy::at_start(["gtid_mode=ON", "enforce_gtid_consistency=ON"])
        .minding("or go through OFF_PERMISSIVE and ON_PERMISSIVE online");
    let seen = format!("gtid_mode is {value}");
    Some(if value == "OFF" {
        let why = "it is moved by places in binary logs: exactly, or not at all where such a place \
                   is not known";
        Advice::new(GtidModeOff, Warning, seen, why, remedy)
    } else {
        let why = "it is neither compared and moved by GTID, nor by places in binary logs; end the \
                   change that is under way";
        Advice::new(GtidModeOff, Error, seen, why, remedy)
    })
}

fn consistent(settings: &ServerSettings) -> Option<Advice> {
    let name = "enforce_gtid_consistency";
    let value = settings.get(name).filter(|value| !is_on(value))?;
    let why = "statements that cannot be logged safely by GTID are let in";
    let remedy = set(settings, name, "ON")
        .minding("set it to WARN first, and look into the error log for a day");
    let seen = format!("{name} is {value}");
    Some(Advice::new(GtidConsistencyNotEnforced, Warning, seen, why, remedy))
}

fn strict(settings: &ServerSettings) -> Option<Advice> {
    let name = "gtid_strict_mode";
    let value = settings.get(name).filter(|value| !is_on(value))?;
    let why = "errant transactions would be hidden instead of stopping replication";
    let remedy = set(settings, name, "ON");
    Some(Advice::new(GtidStrictModeOff, Error, format!("{name} is {value}"), why, remedy))
}

fn asked_by(subject: Subject<'_>) -> Option<Advice> {
    subject.facts.channel.as_ref().filter(|channel| !channel.by_gtid)?;
    if subject.settings().dialect().by_position {
        return None;
    }
    let (seen, why) = match subject.settings().flavor {
        Flavor::MySql => ("Auto_Position is 0", "SOURCE_AUTO_POSITION"),
        Flavor::MariaDb => ("Using_Gtid is not Slave_Pos", "MASTER_USE_GTID"),
    };
    let why = format!(
        "without {why} it asks its source by file and position, which mean nothing on another \
         server after a switch"
    );
    let dialect = subject.settings().dialect();
    let words = dialect.words();
    let remedy = Remedy::statements([dialect.follow_by_gtid()])
        .between(words.stop, words.start)
        .minding(REFETCHED);
    Some(Advice::new(ReplicaWithoutGtid, Warning, seen, why, remedy))
}
