//! One look: one round trip on a session that was open already.

use std::time::Duration;

use mysqlsvc_core::{GtidSet, Millis, NodeId, Probe, ReadOnlySet, Replication};
use tokio::time::Instant;

use super::{
    MySqlBackend,
    answer::Answer,
    dialect::{Dialect, SemiSyncNames},
    fault::{Fault, code},
    pool::Lease,
    quiet::quiet_from,
};

/// Plugins are loaded by hand, and the names that come with them asked for anew after this long.
const NAMES_KEPT: Duration = Duration::from_secs(10);

impl MySqlBackend {
    pub(super) async fn look_until(
        &self,
        node: &NodeId,
        deadline: Instant,
    ) -> Result<Probe, Fault> {
        let mut lease = self.pool.lease(node, deadline).await?;
        let mut seen = see(&mut lease, deadline).await;
        if lease.reused
            && let Err(fault) = &seen
        {
            if fault.ended_session() {
                // The server ended this session, maybe by a restart. Whether it lives is for a
                // new one to tell.
                self.pool.clear(node);
                lease = self.pool.lease_new(node, deadline).await?;
                seen = see(&mut lease, deadline).await;
            } else if matches!(fault, Fault::Late { .. }) {
                self.pool.clear(node);
            }
        }
        let probe = seen?;
        lease.give_back();
        self.pool.warm(node, deadline).await;
        Ok(probe)
    }
}

async fn see(lease: &mut Lease, deadline: Instant) -> Result<Probe, Fault> {
    let mut asked = Asked {
        semi_sync: semi_sync_names(lease, deadline).await?,
        read_only_set: !lease.memory.read_only_was_set,
    };
    loop {
        let dialect = lease.dialect();
        match lease.run(&asked.text(dialect), deadline).await {
            Ok(answer) if dialect.is_outdated(answer.row(0)?) => {
                lease.tell_by_position(!dialect.by_position);
                lease.forget_idle();
            }
            Ok(answer) => {
                let mut probe = asked.probe(dialect, &answer)?;
                if let Some(end) = &probe.place
                    && probe.replication.is_none()
                    && !probe.read_only.is_writable()
                {
                    probe.quiet_from = quiet_from(lease, end, deadline).await?;
                }
                lease.memory.read_only_was_set = probe.read_only_set == ReadOnlySet::ByStatement;
                return Ok(probe);
            }
            Err(fault) if asked.read_only_set && fault.is(code::TABLE_ACCESS_DENIED) => {
                asked.read_only_set = false;
            }
            // A plugin was unloaded.
            Err(fault) if asked.semi_sync.is_some() && fault.is(code::UNKNOWN_VARIABLE) => {
                asked.semi_sync = None;
                lease.memory.semi_sync = None;
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// What semi-sync is called there, which is asked now and then only.
async fn semi_sync_names(
    lease: &mut Lease,
    deadline: Instant,
) -> Result<Option<SemiSyncNames>, Fault> {
    match lease.memory.semi_sync {
        Some((names, at)) if at.elapsed() < NAMES_KEPT => Ok(names),
        _ => {
            let answer = lease.run(SemiSyncNames::ASK, deadline).await?;
            let names = SemiSyncNames::read(answer.table(0)?);
            lease.memory.semi_sync = Some((names, Instant::now()));
            Ok(names)
        }
    }
}

/// What a look asks beside what every look does.
#[derive(Debug)]
struct Asked {
    semi_sync: Option<SemiSyncNames>,
    /// Not where it is known already that a statement set it, which holds until the server ends,
    /// and with it the session. Nor where our account may not see it, which is taken for the same:
    /// for somebody's will.
    read_only_set: bool,
}

impl Asked {
    fn text(&self, dialect: Dialect) -> String {
        let words = dialect.words();
        let mut text = format!("{}; {}", words.facts, words.status);
        for more in [
            dialect.by_position.then(|| dialect.log_end().to_owned()),
            self.semi_sync.map(SemiSyncNames::question),
            self.read_only_set.then(|| words.read_only_set.to_owned()),
        ]
        .into_iter()
        .flatten()
        {
            text.push_str("; ");
            text.push_str(&more);
        }
        text
    }

    fn probe(&self, dialect: Dialect, answer: &Answer) -> Result<Probe, Fault> {
        let facts = answer.row(0)?;
        let replication = dialect.replication(answer.table(1)?)?;
        let (executed, committing, place) = if dialect.by_position {
            let executed = Dialect::executed_of_source(answer.table(1)?)?;
            // What it sends is in its log.
            let committing = GtidSet::empty(dialect.flavor);
            (GtidSet::Positions(executed), committing, Dialect::place(answer.table(2)?)?)
        } else {
            (dialect.executed(facts)?, dialect.committing(facts)?, None)
        };
        let semi_sync_at = if dialect.by_position { 3 } else { 2 };
        let semi_sync =
            self.semi_sync.map(|names| names.seen(answer.row(semi_sync_at)?)).transpose()?;
        let at_boot = self.read_only_set && answer.last_row()?.text("by_statement")? == "0";
        Ok(Probe {
            identity: dialect.identity(facts)?,
            flavor: dialect.flavor,
            version: dialect.version,
            read_only: dialect.read_only(facts)?,
            read_only_set: if at_boot { ReadOnlySet::AtBoot } else { ReadOnlySet::ByStatement },
            replication: replication.map(|told| with_lag_of_now(told, &executed)),
            executed,
            committing,
            place,
            quiet_from: None,
            semi_sync: semi_sync.map(|seen| seen.status),
        })
    }
}

/// MySQL reckons `Seconds_Behind_Source` from its last checkpoint (`replica_checkpoint_period`,
/// 0.3 s), so that one which has just caught up goes on to look as late as it was. A replica that
/// has executed all that it received is not late, whatever that figure says.
fn with_lag_of_now(mut replication: Replication, executed: &GtidSet) -> Replication {
    let received = &replication.received;
    if !received.is_empty() && executed.contains(received) {
        replication.lag = replication.lag.map(|_| Millis(0));
    }
    replication
}
