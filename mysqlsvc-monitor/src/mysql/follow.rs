//! Letting a server replicate from another, and letting it forget.

use std::time::Duration;

use mysqlsvc_core::{
    IoThread, NodeId, Replication, SqlThread, Tag,
    backend::{FollowManner, Start},
};
use tokio::time::{Instant, sleep};

use super::{
    MySqlBackend,
    dialect::Dialect,
    failure::Failure,
    fault::{Fault, code},
    follow_place::fill_gaps,
    open,
    relay_guard::Source,
    work::{Position, Work},
};

/// Between two looks at threads that were started.
const STARTED_POLL: Duration = Duration::from_millis(20);

/// Whom a server is to follow, how, and by position from where on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) source: &'a NodeId,
    pub(super) manner: FollowManner,
    pub(super) from: Option<&'a Start>,
}

impl MySqlBackend {
    pub(super) async fn follow_until(
        &self,
        node: &NodeId,
        told: Told<'_>,
        tag: &Tag,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let Told { source, manner, .. } = told;
        let mut work =
            Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)?;
        match manner {
            FollowManner::Replica => open::close(&mut work).await?,
            FollowManner::Mutual => work.clear_tagged(1).await?,
        }
        let position = work.position().await.map_err(Failure::of_question)?;
        let seen = position.replication.as_ref();
        let receives = is_told(&mut work, &position, source).await?
            && seen.is_some_and(|seen| seen.io == IoThread::Running);
        if !(receives && seen.is_some_and(is_running)) {
            if receives {
                // Only the SQL thread starts, and while the other runs no relay log is erased.
                let start = work.dialect().words().start;
                work.change(&[start]).await.map_err(Failure::of_change)?;
            } else if work.dialect().by_position {
                self.follow_by_position(&mut work, told, &position).await?;
            } else {
                let source = match manner {
                    FollowManner::Replica => Source::Master(source),
                    FollowManner::Mutual => Source::Standby(source),
                };
                self.change_source(&mut work, source).await?;
            }
            await_running(&mut work).await?;
        }
        work.finish();
        Ok(())
    }

    async fn change_source(&self, work: &mut Work<'_>, source: Source<'_>) -> Result<(), Failure> {
        self.stop_guarded(work, source).await?;
        let dialect = work.dialect();
        if let Some(take_over) = dialect.take_over_position() {
            take_over_position(work, take_over).await?;
        }
        let texts = dialect.follow(source.node(), &self.credentials.repl, None);
        let changed = work.change(&texts).await.map(drop);
        changed.map_err(|fault| Failure::half_way(without_words(fault)))
    }

    pub(super) async fn forget_until(
        &self,
        node: &NodeId,
        tag: &Tag,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut work =
            Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)?;
        work.clear_tagged(1).await?;
        let position = work.position().await.map_err(Failure::of_question)?;
        if let Some(before) = &position.replication {
            if work.dialect().by_position {
                fill_gaps(&mut work, &position).await?;
            }
            self.stop_guarded(&mut work, Source::Current(&before.source)).await?;
            let forget = work.dialect().words().forget;
            work.change(forget).await.map_err(Failure::half_way)?;
            let position = work.position().await.map_err(Failure::half_way)?;
            if let Some(still) = position.replication {
                return Err(Failure::unknown(format!("it still has the source {}", still.source)));
            }
        }
        work.finish();
        Ok(())
    }
}

/// What the server says to CHANGE MASTER may quote a part of it, and so a part of the password,
/// which no redaction would find.
pub(super) fn without_words(fault: Fault) -> Fault {
    match fault {
        Fault::Server { code, done: 0, .. } => Fault::Server {
            code,
            message: "the server refused to have its source changed; its words are not repeated, \
                      as they may hold a part of the password"
                .to_owned(),
            done: 0,
        },
        other => other,
    }
}

/// Makes what the server wrote itself part of its position as a replica.
async fn take_over_position(work: &mut Work<'_>, take_over: &str) -> Result<(), Failure> {
    loop {
        match work.change(&[take_over]).await {
            Ok(_) => return Ok(()),
            // A write came between reading the position and setting it (mutual only).
            Err(fault)
                if fault.is(code::GTID_POSITION_CONFLICTS) && Instant::now() < work.deadline => {}
            Err(fault) => return Err(Failure::half_way(fault)),
        }
    }
}

/// Whether it was told to follow `source`, with our settings.
async fn is_told(
    work: &mut Work<'_>,
    position: &Position,
    source: &NodeId,
) -> Result<bool, Failure> {
    let dialect = work.dialect();
    let follows = position.replication.as_ref().is_some_and(|seen| seen.source == *source);
    if !follows || !dialect.follows_as_told(&position.status) {
        return Ok(false);
    }
    match work.ask(dialect.words().channel).await {
        Ok(answer) => answer.table(0).map(Dialect::beats_as_told).map_err(Failure::of_question),
        // We may not see it.
        Err(fault @ Fault::Server { .. }) if !fault.ended_session() => Ok(true),
        Err(fault) => Err(Failure::of_question(fault)),
    }
}

fn is_running(seen: &Replication) -> bool {
    seen.io == IoThread::Running && seen.sql == SqlThread::Running
}

/// Sees both threads run, or says why one does not.
pub(super) async fn await_running(work: &mut Work<'_>) -> Result<(), Failure> {
    loop {
        let position = work.position().await.map_err(Failure::half_way)?;
        let Some(seen) = position.replication else {
            return Err(Failure::unknown("its source was forgotten again meanwhile"));
        };
        if is_running(&seen) {
            return Ok(());
        }
        let sql_error = seen.sql_error.filter(|_| seen.sql == SqlThread::Stopped);
        let io_error = seen.io_error.filter(|_| seen.io != IoThread::Running);
        for (thread, error) in [("SQL", sql_error), ("I/O", io_error)] {
            if let Some(error) = error {
                return Err(Failure::refused(format!(
                    "the {thread} thread: {} (error {})",
                    error.text, error.errno
                )));
            }
        }
        if Instant::now() + STARTED_POLL >= work.deadline {
            return Err(Failure::unknown(format!(
                "its threads were started and do not run yet (I/O {:?}, SQL {:?})",
                seen.io, seen.sql
            )));
        }
        sleep(STARTED_POLL).await;
    }
}
