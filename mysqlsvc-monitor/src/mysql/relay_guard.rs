//! Invariant 5: no statement of ours erases the last copy of a received transaction.

use std::time::Duration;

use mysqlsvc_core::{
    ActionErrorKind, Flavor, GtidSet, IoThread, NodeId, Probe, SqlThread, gtid::PositionSet,
};
use tokio::time::{Instant, sleep};

use super::{
    MySqlBackend,
    failure::Failure,
    work::{Position, Work},
};

/// Between two looks at what is being applied.
pub(super) const APPLIED_POLL: Duration = Duration::from_millis(20);

/// Where a copy of what was received may be had again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// At this server, which it will be a replica of: what it holds beyond that is errant.
    Master(&'a NodeId),
    /// At this server, should it answer: the one that it replicates from, now and later.
    Current(&'a NodeId),
    /// At this server, which replicates from it in turn, and so may lack its last writes.
    Standby(&'a NodeId),
}

impl<'a> Source<'a> {
    pub(super) fn node(self) -> &'a NodeId {
        match self {
            Self::Current(node) | Self::Master(node) | Self::Standby(node) => node,
        }
    }
}

impl MySqlBackend {
    /// Stops both threads, if nothing but executed transactions can be lost by what comes next.
    ///
    /// Receiving ends first, in the flavour's own way that keeps the relay log; after it nothing
    /// comes any more that was not guarded.
    pub(super) async fn stop_guarded(
        &self,
        work: &mut Work<'_>,
        source: Source<'_>,
    ) -> Result<(), Failure> {
        let words = work.dialect().words();
        let position = work.position().await.map_err(Failure::of_question)?;
        self.guard(work, source, &position).await?;
        let Some(before) = position.replication else {
            return Ok(());
        };
        if before.io != IoThread::Stopped {
            work.change(&[words.stop_receiving]).await.map_err(Failure::of_change)?;
            let position = work.position().await.map_err(Failure::half_way)?;
            if let Err(unsafe_now) = self.guard(work, source, &position).await {
                return Err(put_back(work, unsafe_now).await);
            }
        }
        work.change(&[words.stop]).await.map(drop).map_err(Failure::of_change)
    }

    /// Passes when `work`'s server has executed all that it received, or the source has; and when
    /// it has executed nothing that the source has not.
    pub(super) async fn guard(
        &self,
        work: &mut Work<'_>,
        source: Source<'_>,
        position: &Position,
    ) -> Result<(), Failure> {
        let asked = self.executed_at(source.node(), work.deadline).await.map(Some);
        let asked = match (source, asked) {
            (Source::Current(_), Err(_)) => Ok(None),
            (_, asked) => asked,
        };
        if work.dialect().by_position {
            // What two servers have can be compared in words of one log only: what was received and
            // is in the log of the server that it comes from can be had there again.
            let elsewhere = match (source, &asked) {
                (Source::Current(_), Ok(theirs)) => theirs.as_ref(),
                _ => None,
            };
            Self::unapplied(work, position, elsewhere).await?;
            return asked.map(drop);
        }
        if let (Source::Master(node), Ok(Some(theirs))) = (source, &asked) {
            let errant = position.executed.minus(theirs);
            if !errant.is_empty() {
                return Err(not_sent(format!(
                    "it has executed {errant}, which {node} has not; such transactions must be \
                     brought there or given up first"
                )));
            }
        }
        let elsewhere = asked.as_ref().ok().and_then(Option::as_ref);
        Self::unapplied(work, position, elsewhere).await?;
        asked.map(drop)
    }

    /// Waits while what was received is being applied; passes when none of it can be lost.
    async fn unapplied(
        work: &mut Work<'_>,
        position: &Position,
        elsewhere: Option<&GtidSet>,
    ) -> Result<(), Failure> {
        let Some(replication) = &position.replication else {
            return Ok(());
        };
        let mut executed = position.executed.clone();
        let mut sql = replication.sql;
        loop {
            let unapplied = replication.received.minus(&executed);
            let lost = match elsewhere {
                Some(theirs) => unapplied.minus(theirs),
                None => unapplied,
            };
            if lost.is_empty() {
                return Ok(());
            }
            if sql == SqlThread::Stopped || Instant::now() + APPLIED_POLL >= work.deadline {
                return Err(not_sent(format!(
                    "it has received {lost} and not applied it, and no other copy is known; \
                     start its SQL thread and let it apply that first"
                )));
            }
            sleep(APPLIED_POLL).await;
            let now = work.position().await.map_err(Failure::of_question)?;
            executed = now.executed;
            sql = now.replication.map_or(SqlThread::Stopped, |seen| seen.sql);
        }
    }

    async fn executed_at(&self, node: &NodeId, deadline: Instant) -> Result<GtidSet, Failure> {
        let limit = self.limits.look.max(self.limits.connect);
        let deadline = deadline.min(Instant::now() + limit);
        match self.look_until(node, deadline).await {
            // On MySQL a source sends what it has not committed yet; it has it in its log.
            Ok(probe) => Ok(handed_out(&probe)),
            Err(fault) => Err(Failure::new(
                fault.kind_of_question(),
                format!("its source {node} cannot be asked what it has executed: {fault}"),
            )),
        }
    }
}

/// All that a replica can have of it, by position in words of its own log.
fn handed_out(probe: &Probe) -> GtidSet {
    match (&probe.place, probe.identity.server_uuid) {
        (Some(place), Some(server)) => GtidSet::Positions(PositionSet::of(server, place)),
        _ => probe.handed_out(),
    }
}

/// Lets it receive again after the guard said `no`.
pub(super) async fn put_back(work: &mut Work<'_>, no: Failure) -> Failure {
    match receive_again(work, work.dialect().words().start_receiving).await {
        Ok(()) => no,
        Err(not) if not.kind == ActionErrorKind::Unsafe => {
            not_sent(format!("{}. {}", no.detail, not.detail))
        }
        Err(failure) => failure,
    }
}

/// Starts the I/O thread, which was stopped by us, with this statement.
///
/// Not where a MariaDB server's SQL thread is stopped: the first thread to start there erases the
/// relay log.
pub(super) async fn receive_again(work: &mut Work<'_>, start: &str) -> Result<(), Failure> {
    let position = work.position().await.map_err(Failure::half_way)?;
    let applies = position.replication.is_some_and(|seen| seen.sql == SqlThread::Running);
    if work.dialect().flavor == Flavor::MariaDb && !applies {
        return Err(not_sent(
            "Its I/O thread is stopped now as well, and must stay so until the SQL thread runs: to \
             start it first would erase the relay log"
                .to_owned(),
        ));
    }
    work.change(&[start]).await.map(drop).map_err(Failure::half_way)
}

fn not_sent(detail: String) -> Failure {
    Failure::new(ActionErrorKind::Unsafe, detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mysqlsvc_core::{IoThread, OperationId, Tag};
    use mysqlsvc_sandbox::{Flavor, Sandbox};

    use super::*;
    use crate::mysql::{Limits, Login, pool::Pool};

    #[tokio::test]
    async fn a_mariadb_server_that_does_not_apply_is_not_made_to_receive_again() {
        let builder = Sandbox::builder().flavor(Flavor::MariaDb).nodes(2).wire(true);
        let sandbox = builder.start().await.unwrap();
        let node: NodeId = sandbox.node(1).unwrap().address().parse().unwrap();
        let dba = &sandbox.accounts().dba;
        let login = Login::new(&dba.user, dba.password.expose().to_owned().into());
        let pool = Pool::new(login, Limits::default());
        let tag = Tag::new(OperationId(1));
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut work = Work::begin(&pool, &node, &tag, deadline).await.unwrap();

        work.change(&["STOP SLAVE"]).await.unwrap();
        let said = put_back(&mut work, not_sent("no".to_owned())).await;
        assert_eq!(said.kind, ActionErrorKind::Unsafe);
        assert!(said.detail.starts_with("no. Its I/O thread is stopped"), "{said:?}");
        let seen = work.position().await.unwrap().replication.unwrap();
        assert_eq!(seen.io, IoThread::Stopped);

        work.change(&["START SLAVE SQL_THREAD"]).await.unwrap();
        let said = put_back(&mut work, not_sent("no".to_owned())).await;
        assert_eq!(said, not_sent("no".to_owned()));
        let seen = work.position().await.unwrap().replication.unwrap();
        assert_ne!(seen.io, IoThread::Stopped);
    }
}
