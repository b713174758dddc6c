//! Letting a replica stand still, and go on.

use mysqlsvc_core::{ActionErrorKind, Flavor, IoThread, NodeId, SqlThread, Tag};
use tokio::time::{Instant, sleep};

use super::{
    MySqlBackend,
    failure::Failure,
    follow::await_running,
    follow_place::fill_gaps,
    relay_guard::{APPLIED_POLL, Source, put_back},
    work::{Position, Work},
};

impl MySqlBackend {
    pub(super) async fn stop_by(
        &self,
        node: &NodeId,
        tag: &Tag,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut work =
            Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)?;
        work.clear_tagged(1).await?;
        let position = work.position().await.map_err(Failure::of_question)?;
        if work.dialect().by_position && stands_still(&position) {
            fill_gaps(&mut work, &position).await?;
        }
        if !stands_still(&position) {
            match work.dialect().flavor {
                // It keeps its relay log over a stop and a start.
                Flavor::MySql => {
                    let stop = work.dialect().words().stop;
                    work.change(&[stop]).await.map_err(Failure::of_change)?;
                }
                Flavor::MariaDb => self.drain_and_stop(&mut work, &position).await?,
            }
            let position = work.position().await.map_err(Failure::half_way)?;
            if !stands_still(&position) {
                return Err(Failure::unknown("it was stopped, and was started again meanwhile"));
            }
        }
        work.finish();
        Ok(())
    }

    /// MariaDB erases its relay log when it is started again with both threads stopped. So what was
    /// received is applied first, as far as the time allows; the rest must be at the source.
    async fn drain_and_stop(
        &self,
        work: &mut Work<'_>,
        position: &Position,
    ) -> Result<(), Failure> {
        let Some(seen) = &position.replication else {
            return Ok(());
        };
        let source = Source::Current(&seen.source);
        self.guard(work, source, position).await?;
        if seen.io != IoThread::Stopped {
            let stop_receiving = work.dialect().words().stop_receiving;
            work.change(&[stop_receiving]).await.map_err(Failure::of_change)?;
        }
        drained(work).await?;
        match self.stop_guarded(work, source).await {
            Err(no) if no.kind == ActionErrorKind::Unsafe => Err(put_back(work, no).await),
            stopped => stopped,
        }
    }

    pub(super) async fn start_by(
        &self,
        node: &NodeId,
        tag: &Tag,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut work =
            Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)?;
        work.clear_tagged(1).await?;
        let position = work.position().await.map_err(Failure::of_question)?;
        let Some(seen) = &position.replication else {
            return Err(Failure::refused("it has no source; let it follow one"));
        };
        if seen.io != IoThread::Running || seen.sql != SqlThread::Running {
            if work.dialect().flavor == Flavor::MariaDb && stands_still(&position) {
                self.guard(&mut work, Source::Current(&seen.source), &position).await?;
            }
            let start = work.dialect().words().start;
            work.change(&[start]).await.map_err(Failure::of_change)?;
            await_running(&mut work).await?;
        }
        work.finish();
        Ok(())
    }
}

/// Whether neither thread runs, or there is none.
fn stands_still(position: &Position) -> bool {
    position
        .replication
        .as_ref()
        .is_none_or(|seen| seen.io == IoThread::Stopped && seen.sql == SqlThread::Stopped)
}

/// Waits while what was received is being applied, for half of the time that is left.
async fn drained(work: &mut Work<'_>) -> Result<(), Failure> {
    let now = Instant::now();
    let until = now + work.deadline.saturating_duration_since(now) / 2;
    while Instant::now() < until {
        let position = work.position().await.map_err(Failure::half_way)?;
        let Some(seen) = position.replication else { break };
        if seen.sql == SqlThread::Stopped || position.executed.contains(&seen.received) {
            break;
        }
        sleep(APPLIED_POLL).await;
    }
    Ok(())
}
