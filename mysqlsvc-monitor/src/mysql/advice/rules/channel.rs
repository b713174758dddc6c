//! The replica's connection: how soon it sees that its source is gone, and what it does then.

use super::{
    super::{
        Advice,
        AdviceId::{
            HeartbeatSlow, ReplicaDelayed, ReplicaNetTimeoutLong, ReplicaRetriesEnd,
            SkipNameResolveOff,
        },
        AdviceSeverity::{Hint, Warning},
        Remedy, ServerSettings,
        facts::is_on,
    },
    Subject,
    remedy::{at_start, set},
    said,
};
use mysqlsvc_core::Flavor;

/// Seconds between signs of life beyond which a silent source is noticed late.
const SLOW_HEARTBEAT: f64 = 2.0;
/// Seconds of silence beyond which a replica holds on to a dead connection for too long.
const LONG_TIMEOUT: f64 = 10.0;

/// MariaDB drops its relay log at any change of its source (server-facts 2).
pub(super) const REFETCHED: &str =
    "only while the source is reachable: what was received and not applied is fetched again";

pub(super) fn all(subject: Subject<'_>) -> Vec<Advice> {
    said([
        heartbeat(subject),
        net_timeout(subject.settings()),
        retries(subject),
        delay(subject),
        names(subject.settings()),
    ])
}

/// A change of the connection. MySQL keeps the relay log as long as the appliers run.
fn changed(settings: &ServerSettings, setting: &str, value: &str) -> Remedy {
    let dialect = settings.dialect();
    let change = Remedy::statements([dialect.change_source(setting, value)]);
    match settings.flavor {
        Flavor::MySql => {
            let [stop, start] = dialect.around_receiving();
            change.between(stop, start)
        }
        Flavor::MariaDb => {
            let words = dialect.words();
            change.between(words.stop, words.start).minding(REFETCHED)
        }
    }
}

fn heartbeat(subject: Subject<'_>) -> Option<Advice> {
    let period = subject.facts.channel.as_ref()?.heartbeat?;
    let why = "an idle source that has died looks like one that has nothing to say until \
               replica_net_timeout (MariaDB: slave_net_timeout) has passed";
    (period <= 0.0 || period > SLOW_HEARTBEAT).then(|| {
        let seen = format!("the heartbeat period of its source is {period} s");
        let remedy = changed(subject.settings(), "HEARTBEAT_PERIOD", "0.5");
        Advice::new(HeartbeatSlow, Warning, seen, why, remedy)
    })
}

fn net_timeout(settings: &ServerSettings) -> Option<Advice> {
    let (name, seconds) = settings.number(&["replica_net_timeout", "slave_net_timeout"])?;
    let why = "for that many seconds a replica takes a silent source for a healthy one, and \
               reports no lag";
    let [stop, start] = settings.dialect().around_receiving();
    (seconds > LONG_TIMEOUT).then(|| {
        let remedy = set(settings, name, "2").minding(format!(
            "it counts from the next connection on: {stop}; {start} on a replica, with a \
             heartbeat well below it"
        ));
        Advice::new(ReplicaNetTimeoutLong, Hint, format!("{name} is {seconds}"), why, remedy)
    })
}

fn retries(subject: Subject<'_>) -> Option<Advice> {
    let count = subject.facts.channel.as_ref()?.retries.filter(|count| *count > 0)?;
    let why = "after that many attempts the I/O thread stops for good, so a master that is away \
               for a little longer loses its replicas";
    let seen = format!("Source_Retry_Count is {count}");
    let remedy = changed(subject.settings(), "RETRY_COUNT", "0");
    Some(Advice::new(ReplicaRetriesEnd, Warning, seen, why, remedy))
}

fn delay(subject: Subject<'_>) -> Option<Advice> {
    let seconds = subject.facts.channel.as_ref()?.delay;
    let settings = subject.settings();
    let why = "it stays behind on purpose, so it cannot take over, and its reads are old";
    (seconds > 0).then(|| {
        let dialect = settings.dialect();
        let [stop, start] = dialect.around_applying();
        let remedy = Remedy::statements([dialect.change_source("DELAY", "0")]).between(stop, start);
        let remedy = match settings.flavor {
            Flavor::MySql => remedy,
            Flavor::MariaDb => remedy.minding(REFETCHED),
        };
        Advice::new(ReplicaDelayed, Warning, format!("SQL_Delay is {seconds} s"), why, remedy)
    })
}

fn names(settings: &ServerSettings) -> Option<Advice> {
    let name = "skip_name_resolve";
    let value = settings.get(name).filter(|value| !is_on(value))?;
    let why = "each new connection waits for the name server, and when that is down nobody gets in";
    let remedy = at_start(name, "ON")
        .minding("accounts that are bound to host names must be bound to addresses first");
    Some(Advice::new(SkipNameResolveOff, Hint, format!("{name} is {value}"), why, remedy))
}
