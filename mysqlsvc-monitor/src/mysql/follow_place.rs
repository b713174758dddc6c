//! Letting a server without GTIDs replicate from a place in another's binary log.

use std::time::Duration;

use mysqlsvc_core::{ActionErrorKind, NodeId, SqlThread, backend::Start, gtid::Coordinate};
use tokio::time::{Instant, sleep};

use super::{
    MySqlBackend,
    dialect::{Dialect, FILL_GAPS, GAPS},
    failure::Failure,
    fault::{Fault, code},
    follow::{Told, without_words},
    relay_guard::Source,
    work::{Position, Work},
};

const STOP_APPLYING: &str = "STOP REPLICA SQL_THREAD FOR CHANNEL ''";

/// Between two looks at appliers that fill gaps.
const FILLED_POLL: Duration = Duration::from_millis(20);

impl MySqlBackend {
    /// A server that has this source goes on where it is. Another is changed to it from the place
    /// that was judged, if the server still stands where it did then.
    pub(super) async fn follow_by_position(
        &self,
        work: &mut Work<'_>,
        told: Told<'_>,
        position: &Position,
    ) -> Result<(), Failure> {
        let repl = &self.credentials.repl;
        let has_it = position.replication.as_ref().is_some_and(|seen| seen.source == *told.source);
        fill_gaps(work, position).await?;
        let texts = if has_it {
            self.stop_guarded(work, Source::Current(told.source)).await?;
            Dialect::go_on(repl)
        } else {
            let Some(from) = told.from else {
                return Err(Failure::refused(format!(
                    "it has no GTIDs (gtid_mode is OFF), and no place in the binary log of {} was \
                     given to begin at",
                    told.source
                )));
            };
            self.must_begin(told.source, &from.at, work.deadline).await?;
            self.stop_guarded(work, Source::Master(told.source)).await?;
            must_stand(work, from).await?;
            work.dialect().follow(told.source, repl, Some(&from.at))
        };
        let changed = work.change(&texts).await.map(drop);
        changed.map_err(|fault| match fault {
            gaps @ Fault::Server { code: code::GAPS, .. } => unknown_place(&gaps),
            fault => Failure::half_way(without_words(fault)),
        })
    }

    /// A transaction must begin at that place, or nothing be written behind it yet: from elsewhere a
    /// replica would apply half of one. Where our account may not see that, or not soon, the source
    /// refuses at least what is not the beginning of an event.
    async fn must_begin(
        &self,
        source: &NodeId,
        at: &Coordinate,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut lease = self.pool.lease(source, deadline).await.map_err(Failure::of_question)?;
        // The source reads the file up to there, which takes its time for a large one.
        let asked_until = deadline.min(Instant::now() + self.limits.look);
        let answer = lease.run(&Dialect::events_from(at), asked_until).await;
        let begins = match answer {
            Ok(answer) => Dialect::begins_at(&answer, at).map_err(Failure::of_question)?,
            Err(Fault::Server { code: code::NO_SUCH_PLACE, .. }) => false,
            Err(Fault::Late { .. }) => true,
            Err(fault @ Fault::Server { .. }) if !fault.ended_session() => true,
            Err(fault) => return Err(Failure::of_question(fault)),
        };
        lease.give_back();
        if begins {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "no transaction begins at {at} in the binary log of {source}; SHOW BINLOG EVENTS IN \
             '{}' there says where each does",
            at.log
        )))
    }
}

/// The server's own log must end where it was judged to: else it has executed something since.
async fn must_stand(work: &mut Work<'_>, from: &Start) -> Result<(), Failure> {
    let position = work.position().await.map_err(Failure::half_way)?;
    match position.place {
        Some(place) if place == from.judged => Ok(()),
        Some(place) => Err(Failure::new(
            ActionErrorKind::Unsafe,
            format!(
                "its own binary log ends at {place}, and ended at {} when it was judged where it \
                 goes on",
                from.judged
            ),
        )),
        None => Err(Failure::refused("it has GTIDs now; look at it again")),
    }
}

/// Lets a replica whose appliers do not run find out where it is: one that was killed shows a place
/// that is too low until then.
pub(super) async fn fill_gaps(work: &mut Work<'_>, position: &Position) -> Result<(), Failure> {
    let rests = |position: &Position| {
        position.replication.as_ref().is_some_and(|seen| seen.sql == SqlThread::Stopped)
    };
    if !rests(position) || !may_have_gaps(work).await? {
        return Ok(());
    }
    work.change(&[FILL_GAPS]).await.map_err(Failure::of_change)?;
    loop {
        let now = work.position().await.map_err(Failure::half_way)?;
        let Some(seen) = now.replication.as_ref().filter(|_| !rests(&now)) else { return Ok(()) };
        let late = Instant::now() + FILLED_POLL >= work.deadline;
        if late || now.executed.contains(&seen.received) {
            work.change(&[STOP_APPLYING]).await.map_err(Failure::half_way)?;
        }
        if late {
            let why = "its appliers still fill in what they left out when the server was killed";
            return Err(Failure::unknown(why));
        }
        sleep(FILLED_POLL).await;
    }
}

/// Where our account may not see it, it may.
async fn may_have_gaps(work: &mut Work<'_>) -> Result<bool, Failure> {
    match work.ask(GAPS).await {
        Ok(answer) => {
            let ahead = answer.row(0).and_then(|row| row.number::<u64>("ahead"));
            ahead.map(|ahead| ahead > 0).map_err(Failure::of_question)
        }
        Err(fault @ Fault::Server { .. }) if !fault.ended_session() => Ok(true),
        Err(fault) => Err(Failure::of_question(fault)),
    }
}

/// Of a replica that was killed, whose appliers cannot fill their gaps.
fn unknown_place(said: &Fault) -> Failure {
    Failure::new(
        ActionErrorKind::Unsafe,
        format!("where it is is not known, for its appliers stopped out of order: {said}"),
    )
}
