//! The freeze: no write after it can be acknowledged, and what was before it is known.

mod mariadb;
mod mysql;

use std::time::Duration;

use mysqlsvc_core::{Flavor, GtidSet, Millis, NodeId, Tag};
use tokio::time::Instant;

use super::{
    MySqlBackend, dialect::tagged, failure::Failure, fault::Fault, sessions::spared, work::Work,
};

/// No lock is waited for longer: a monitor that starts again meanwhile must not meet it.
const LONGEST_LOCK_WAIT: u64 = 2;

impl MySqlBackend {
    pub(super) async fn freeze_until(
        &self,
        node: &NodeId,
        limit: Millis,
        spare: &[String],
        tag: &Tag,
    ) -> Result<GtidSet, Failure> {
        let limit = Duration::from(limit);
        let begun = Instant::now();
        // The rest of the time is for killing our own statement where it did not answer.
        let answer_by = begun + limit - (limit / 5).min(Duration::from_millis(300));
        let mut work =
            Work::begin(&self.pool, node, tag, answer_by).await.map_err(Failure::of_change)?;
        let connection = work.lease.connection_id();
        let spared = spared(self.own_users(), spare);
        let lock_wait = lock_wait(limit);
        let frozen = match work.dialect().flavor {
            Flavor::MySql => mysql::freeze(&mut work, lock_wait, &spared).await,
            Flavor::MariaDb => mariadb::freeze(&mut work, lock_wait, &spared).await,
        };
        match frozen {
            Ok(executed) => {
                work.finish();
                Ok(executed)
            }
            Err(Halt::Answered(failure)) => {
                work.finish();
                Err(failure)
            }
            Err(Halt::Silent(fault)) => {
                drop(work);
                self.kill_own(node, connection, tag, begun + limit).await;
                Err(Failure::unknown(fault.to_string()))
            }
        }
    }

    /// Kills a session of ours that no longer answers; what comes of it, the thaw will see.
    async fn kill_own(&self, node: &NodeId, id: Option<u32>, tag: &Tag, deadline: Instant) {
        let Some(id) = id else { return };
        if let Ok(mut lease) = self.pool.lease(node, deadline).await {
            let kill = lease.dialect().kill(u64::from(id));
            let text = tagged(tag, &[lease.fence(deadline), kill]);
            if lease.run(&text, deadline).await.is_ok() {
                lease.give_back();
            }
        }
    }
}

/// Why a freeze ended early.
#[derive(Debug)]
enum Halt {
    /// All that was sent has been answered; nothing of ours still waits there.
    Answered(Failure),
    /// Something that was sent has not been answered, or left the session as it must not stay.
    Silent(Fault),
}

impl Halt {
    /// Of a text that changes nothing, or whose changes are known.
    fn of(fault: Fault, failure: impl FnOnce(Fault) -> Failure) -> Self {
        match fault {
            Fault::Late { .. } | Fault::Lost { .. } => Self::Silent(fault),
            answered => Self::Answered(failure(answered)),
        }
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Answered(failure)
    }
}

/// Whole seconds, which is what both servers take, below the limit where that is possible.
fn lock_wait(limit: Duration) -> u64 {
    limit.saturating_sub(Duration::from_millis(500)).as_secs().clamp(1, LONGEST_LOCK_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_waits_are_shorter_than_the_limit_and_never_above_two_seconds() {
        for (limit_ms, seconds) in [(100, 1), (1600, 1), (2000, 1), (2500, 2), (60_000, 2)] {
            assert_eq!(lock_wait(Duration::from_millis(limit_ms)), seconds, "{limit_ms} ms");
        }
    }
}
