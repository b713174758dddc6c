//! How far a replica is behind, split at the moment when it has received a transaction.
//!
//! Of each transaction there are three moments: T1, the master has written it to its binary log;
//! T2, the replica has received it; T3, the replica has executed it. T2 − T1 is the network's and
//! the receiver's share, T3 − T2 that of the appliers.

use mysqlsvc_core::{GtidSet, Millis, NodeId, Replication, gtid::MariaDbGtidSet};

use super::Facts;

/// How far a replica is behind its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// Where it replicates from.
    pub source: NodeId,
    /// What the server says itself, in whole seconds; none while it is not connected.
    pub behind: Option<Millis>,
    /// What the source has and the replica has not received: T2 − T1.
    pub not_sent: Share,
    /// What it has received and not executed: T3 − T2.
    pub not_applied: Share,
}

/// One part of the lag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many transactions stand there now; none where the source was not seen. MariaDB: by
    /// sequence numbers, which have no gaps in strict mode.
    pub transactions: Option<u64>,
    /// How long the last transaction took there, or has taken so far; none where the server keeps
    /// no record. By the clocks of both machines, which may differ.
    pub time: Option<Millis>,
}

/// The lag of a replica; `source` is what its source had executed *before* the replica was looked
/// at, so that nothing counts that could not have been there yet.
pub(super) fn lag(facts: &Facts, source: Option<&GtidSet>) -> Option<Lag> {
    let replication = facts.replication.as_ref()?;
    let have = replication.received.union(&facts.executed);
    let not_sent = source.and_then(|source| count_beyond(source, &have));
    let not_applied = count_beyond(&have, &facts.executed);
    let (sending, applying) = times(facts, replication, not_applied);
    Some(Lag {
        source: replication.source.clone(),
        behind: replication.lag,
        not_sent: Share { transactions: not_sent, time: sending },
        not_applied: Share { transactions: not_applied, time: applying },
    })
}

fn times(
    facts: &Facts,
    replication: &Replication,
    not_applied: Option<u64>,
) -> (Option<Millis>, Option<Millis>) {
    let timing = facts.timing;
    if let (Some(sending), Some(whole)) = (timing.sending, timing.whole) {
        return (Some(sending), Some(Millis(whole.0.saturating_sub(sending.0))));
    }
    match facts.executed {
        GtidSet::MySql(_) | GtidSet::Positions(_) => (timing.sending, None),
        // Seconds_Behind_Master is the age of what the appliers are at, if there is anything.
        GtidSet::MariaDb(_) => (None, replication.lag.filter(|_| not_applied > Some(0))),
    }
}

/// How many transactions of one set are not in the other; none where places in binary logs do not
/// tell, unless it is none.
fn count_beyond(set: &GtidSet, held: &GtidSet) -> Option<u64> {
    Some(match (set, held) {
        (GtidSet::MySql(set), GtidSet::MySql(held)) => set.minus(held).count(),
        (GtidSet::Positions(_), _) if set.minus(held).is_empty() => 0,
        (GtidSet::Positions(_), _) => return None,
        (GtidSet::MariaDb(set), GtidSet::MariaDb(held)) => {
            let domains: std::collections::BTreeSet<u32> =
                set.iter().map(|gtid| gtid.domain).collect();
            let beyond = domains
                .into_iter()
                .map(|domain| last_in(set, domain).saturating_sub(last_in(held, domain)));
            beyond.sum()
        }
        _ => 0,
    })
}

/// Sequence numbers of a domain grow, whoever writes.
fn last_in(set: &MariaDbGtidSet, domain: u32) -> u64 {
    let of_domain = set.iter().filter(|gtid| gtid.domain == domain);
    of_domain.map(|gtid| gtid.sequence).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::{Flavor, IoThread, ServerVersion, SqlThread};

    use super::*;
    use crate::mysql::advice::Timing;

    fn facts(flavor: Flavor, executed: &str, received: &str, lag: Option<u64>) -> Facts {
        let set = |text: &str| GtidSet::parse(flavor, text).unwrap();
        let replication = Replication {
            source: "db-1:3306".parse().unwrap(),
            source_identity: None,
            io: IoThread::Running,
            sql: SqlThread::Running,
            io_error: None,
            sql_error: None,
            lag: lag.map(Millis),
            delay: Millis(0),
            received: set(received),
        };
        Facts {
            executed: set(executed),
            replication: Some(replication),
            ..Facts::of(flavor, ServerVersion::new(9, 7, 0))
        }
    }

    fn share(transactions: Option<u64>, time: Option<u64>) -> Share {
        Share { transactions, time: time.map(Millis) }
    }

    #[test]
    fn mysql_counts_intervals_and_splits_the_time() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let mut facts =
            facts(Flavor::MySql, &format!("{uuid}:1-5"), &format!("{uuid}:2-8"), Some(2000));
        facts.timing = Timing { sending: Some(Millis(30)), whole: Some(Millis(1500)) };
        let source = GtidSet::parse(Flavor::MySql, &format!("{uuid}:1-10")).unwrap();
        let seen = lag(&facts, Some(&source)).unwrap();
        assert_eq!(seen.not_sent, share(Some(2), Some(30)));
        assert_eq!(seen.not_applied, share(Some(3), Some(1470)));
        assert_eq!(lag(&facts, None).unwrap().not_sent, share(None, Some(30)));
        // Clocks that differ do not make a share negative.
        facts.timing.whole = Some(Millis(10));
        assert_eq!(lag(&facts, None).unwrap().not_applied.time, Some(Millis(0)));
    }

    #[test]
    fn mariadb_counts_by_domain_whoever_wrote() {
        let source = GtidSet::parse(Flavor::MariaDb, "0-1-90,0-2-100,1-1-7").unwrap();
        let behind = facts(Flavor::MariaDb, "0-1-90,1-1-7", "0-2-96,1-1-7", Some(4000));
        let seen = lag(&behind, Some(&source)).unwrap();
        assert_eq!(seen.not_sent, share(Some(4), None));
        assert_eq!(seen.not_applied, share(Some(6), Some(4000)));
        // Before the first event its received position is empty.
        let level = facts(Flavor::MariaDb, "0-2-100,1-1-7", "", Some(0));
        let seen = lag(&level, Some(&source)).unwrap();
        assert_eq!((seen.not_sent, seen.not_applied), (share(Some(0), None), share(Some(0), None)));
    }

    #[test]
    fn a_server_that_does_not_replicate_has_no_lag() {
        assert_eq!(lag(&Facts::of(Flavor::MySql, ServerVersion::new(9, 7, 0)), None), None);
    }
}
