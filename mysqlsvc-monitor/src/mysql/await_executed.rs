//! Waiting until a server has executed a set.

use std::time::Duration;

use mysqlsvc_core::{
    ActionErrorKind, GtidSet, IoThread, NodeId, Replication, SqlThread, backend::Stand,
};
use tokio::time::Instant;

use super::{MySqlBackend, dialect::Dialect, failure::Failure, fault::Fault, pool::Lease};

/// The first wait is short: a set that a former master wrote itself is never reached as a
/// replica's position, though it is executed already.
pub(super) const FIRST_SLICE: Duration = Duration::from_millis(50);

/// Between two looks at whether the threads still run.
pub(super) const SLICE: Duration = Duration::from_millis(250);

/// An answer may come this much later than the wait in the server ends.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// The last wait in the server ends this much before the limit, so that its answer comes in time
/// and says what is missing.
pub(super) const ROOM: Duration = Duration::from_millis(50);

impl MySqlBackend {
    pub(super) async fn await_until(
        &self,
        node: &NodeId,
        position: &GtidSet,
        deadline: Instant,
    ) -> Result<Option<Stand>, Failure> {
        let lease = self.pool.lease(node, deadline).await.map_err(Failure::of_question)?;
        if lease.dialect().by_position {
            return self.await_place(lease, node, position, deadline).await.map(Some);
        }
        self.await_gtids(lease, node, position, deadline).await.map(|()| None)
    }

    async fn await_gtids(
        &self,
        mut lease: Lease,
        node: &NodeId,
        position: &GtidSet,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut slice = FIRST_SLICE;
        let mut missing = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(ROOM);
            let is_last = left <= slice;
            let waited = wait(&mut lease, position, slice.min(left), deadline).await;
            let executed = match waited {
                Ok(executed) => executed,
                // A session that had ended, or a hiccup of the server, is no verdict. Asking again
                // over a new session changes nothing.
                Err(fault) if worth_asking_again(&fault, &lease) && Instant::now() < deadline => {
                    self.pool.clear(node);
                    let renewed = self.pool.lease_new(node, deadline).await;
                    lease = renewed.map_err(|fault| failure_of(fault, missing.as_ref()))?;
                    continue;
                }
                Err(fault) => return Err(failure_of(fault, missing.as_ref())),
            };
            if executed.contains(position) {
                lease.give_back();
                return Ok(());
            }
            let lacking = missing.insert(position.minus(&executed));
            if let Some(why) = hopeless(&mut lease, lacking, deadline).await? {
                lease.give_back();
                return Err(behind(format!("{lacking} is missing and will not come: {why}")));
            }
            if is_last {
                lease.give_back();
                return Err(behind(format!("{lacking} is missing")));
            }
            slice = SLICE;
        }
    }
}

pub(super) fn behind(detail: String) -> Failure {
    Failure::new(ActionErrorKind::Behind, detail)
}

pub(super) fn worth_asking_again(fault: &Fault, lease: &Lease) -> bool {
    matches!(fault, Fault::Late { .. }) || (lease.reused && fault.ended_session())
}

/// Silence is told beside what was missing before it, where that is known.
pub(super) fn failure_of(fault: Fault, missing: Option<&GtidSet>) -> Failure {
    match (fault, missing) {
        (Fault::Late { limit } | Fault::SlowConnect { limit }, None) => {
            behind(format!("no answer within {limit:?}"))
        }
        (Fault::Late { limit } | Fault::SlowConnect { limit }, Some(missing)) => {
            behind(format!("{missing} is missing, and then no answer within {limit:?}"))
        }
        (other, _) => Failure::of_question(other),
    }
}

/// Waits in the server and reads what it has executed then, in one round trip.
async fn wait(
    lease: &mut Lease,
    position: &GtidSet,
    slice: Duration,
    deadline: Instant,
) -> Result<GtidSet, Fault> {
    let dialect = lease.dialect();
    let executed = dialect.words().executed;
    let text = match Dialect::wait(position, slice.as_secs_f64()) {
        Some(wait) => format!("{wait}; {executed}"),
        None => executed.to_owned(),
    };
    let answer = lease.run(&text, deadline.min(Instant::now() + slice + GRACE)).await?;
    dialect.executed(answer.last_row()?)
}

/// Why waiting on is of no use, if it is.
async fn hopeless(
    lease: &mut Lease,
    missing: &GtidSet,
    deadline: Instant,
) -> Result<Option<String>, Failure> {
    let dialect = lease.dialect();
    let deadline = deadline.max(Instant::now() + GRACE / 5);
    let answer = match lease.run(dialect.words().status, deadline).await {
        Err(Fault::Late { .. }) => return Ok(None),
        answer => answer.map_err(Failure::of_question)?,
    };
    let status = answer.table(0).map_err(Failure::of_question)?;
    let replication = dialect.replication(status).map_err(Failure::of_question)?;
    Ok(stopped(replication, missing))
}

/// Why what is missing will not come, if it is seen.
pub(super) fn stopped(replication: Option<Replication>, missing: &GtidSet) -> Option<String> {
    match replication {
        None => Some("no replication is configured".to_owned()),
        Some(threads) if threads.sql == SqlThread::Stopped => Some(match threads.sql_error {
            Some(error) => {
                format!("its SQL thread stopped: {} (error {})", error.text, error.errno)
            }
            None => "its SQL thread is stopped".to_owned(),
        }),
        Some(threads) if threads.io == IoThread::Stopped && !threads.received.contains(missing) => {
            Some(match threads.io_error {
                Some(error) => {
                    format!("its I/O thread stopped: {} (error {})", error.text, error.errno)
                }
                None => "its I/O thread is stopped".to_owned(),
            })
        }
        Some(_) => None,
    }
}
