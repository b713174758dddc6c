//! The binary log: there, by rows, passed on, kept long enough.

use mysqlsvc_core::Flavor;

use super::{
    super::{
        Advice,
        AdviceId::{
            BinlogExpiresSoon, BinlogFormatNotRow, BinlogNeverExpires, BinlogRowImageNotFull,
            InitConnectSkipsBinlog, LogBinOff, LogReplicaUpdatesOff,
        },
        AdviceSeverity::{Error, Hint, Warning},
        Remedy, ServerSettings,
        facts::is_on,
    },
    remedy::{at_start, set},
    said,
};

const DAY: f64 = 86_400.0;
/// A week, in seconds: long enough for a replica that was away over a long weekend.
const WEEK: &str = "604800";

pub(super) fn demanded(settings: &ServerSettings) -> Vec<Advice> {
    said([there(settings), passed_on(settings), by_rows(settings)])
}

pub(super) fn wished(settings: &ServerSettings) -> Vec<Advice> {
    said([whole_rows(settings), kept(settings), written(settings)])
}

fn there(settings: &ServerSettings) -> Option<Advice> {
    let value = settings.get("log_bin").filter(|value| !is_on(value))?;
    let remedy = match settings.flavor {
        Flavor::MySql => {
            Remedy { restart: true, ..Remedy::note("remove skip-log-bin from the option file") }
        }
        Flavor::MariaDb => Remedy::at_start(["log_bin"]),
    };
    let why = "without a binary log no other server can follow it";
    Some(Advice::new(LogBinOff, Error, format!("log_bin is {value}"), why, remedy))
}

fn passed_on(settings: &ServerSettings) -> Option<Advice> {
    let (name, value) = settings.first(&["log_replica_updates", "log_slave_updates"])?;
    let why = "what it replicated could not be passed on once it is the master";
    (!is_on(value)).then(|| {
        let seen = format!("{name} is {value}");
        Advice::new(LogReplicaUpdatesOff, Error, seen, why, at_start(name, "ON"))
    })
}

/// The article's advice, too: an index chosen otherwise on a replica is another result.
fn by_rows(settings: &ServerSettings) -> Option<Advice> {
    let value = settings.get("binlog_format").filter(|value| !value.eq_ignore_ascii_case("ROW"))?;
    let why = "statements may have another effect on a replica, which may choose another index \
               or another order of rows";
    let remedy = set(settings, "binlog_format", "ROW")
        .minding("sessions that are open keep their old format until they reconnect");
    let seen = format!("binlog_format is {value}");
    Some(Advice::new(BinlogFormatNotRow, Warning, seen, why, remedy))
}

fn whole_rows(settings: &ServerSettings) -> Option<Advice> {
    let value = settings.get("binlog_row_image")?;
    // From 11.4 on MariaDB has FULL_NODUP, which leaves nothing out.
    if value.to_ascii_uppercase().starts_with("FULL") {
        return None;
    }
    let why = "only whole rows show what a transaction changed, and let lost or errant ones be \
               taken back by hand";
    let seen = format!("binlog_row_image is {value}");
    let remedy = set(settings, "binlog_row_image", "FULL");
    Some(Advice::new(BinlogRowImageNotFull, Hint, seen, why, remedy))
}

fn kept(settings: &ServerSettings) -> Option<Advice> {
    let purges = "binlog_expire_logs_auto_purge";
    if let Some(value) = settings.get(purges).filter(|value| !is_on(value)) {
        return Some(never_expires(settings, &format!("{purges} is {value}"), purges, "ON"));
    }
    let name = "binlog_expire_logs_seconds";
    let (name, seconds, week) = if let Some((name, seconds)) = settings.number(&[name]) {
        (name, seconds, WEEK)
    } else {
        // MariaDB before 10.6.1.
        let (name, days) = settings.number(&["expire_logs_days"])?;
        (name, days * DAY, "7")
    };
    let value = settings.get(name)?;
    let seen = format!("{name} is {value}");
    if seconds <= 0.0 {
        return Some(never_expires(settings, &seen, name, week));
    }
    let why = "a replica that is away for longer finds what it needs purged, and must be rebuilt";
    (seconds < DAY)
        .then(|| Advice::new(BinlogExpiresSoon, Warning, seen, why, set(settings, name, week)))
}

fn never_expires(settings: &ServerSettings, seen: &str, name: &str, value: &str) -> Advice {
    let why = "binary logs are never removed by themselves, until the disk is full and the server \
               stops";
    Advice::new(BinlogNeverExpires, Hint, seen, why, set(settings, name, value))
}

/// `sql_log_bin` has no global value, but every client can be made to begin with it off.
fn written(settings: &ServerSettings) -> Option<Advice> {
    let text = settings.get("init_connect")?;
    if !text.to_ascii_lowercase().contains("sql_log_bin") {
        return None;
    }
    let why = "clients that begin with sql_log_bin off write what no replica ever gets";
    let seen = format!("init_connect is `{text}`");
    let remedy = set(settings, "init_connect", "")
        .minding("keep what else stands in init_connect; end the sessions that are open");
    Some(Advice::new(InitConnectSkipsBinlog, Warning, seen, why, remedy))
}
