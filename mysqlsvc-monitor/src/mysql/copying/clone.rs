//! MySQL: CLONE INSTANCE, watched from a second session.
//!
//! The server ends itself when it has everything, and comes back with it where somebody starts it
//! (server-facts 2). What became of the clone it tells then, in `performance_schema.clone_status`.

use std::{sync::OnceLock, time::Duration};

use mysqlsvc_core::{GtidSet, NodeId, Tag};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};

use super::{
    super::{
        MySqlBackend,
        dialect::{quoted, tagged},
        failure::Failure,
        fault::{Fault, code},
        open,
        work::Work,
    },
    CopyPhase, Copying,
    status::{ASK_STATUS, Seen, seen},
};

/// Between two looks at how far it is.
const WATCH: Duration = Duration::from_millis(500);

/// How long a statement may take that is bounded by its progress.
const NO_LIMIT: Duration = Duration::from_hours(24 * 365);

/// The session of a clone, whose statement the process list does not show.
const ASK_RUNNING: &str =
    "SELECT PID AS id FROM performance_schema.clone_status WHERE STATE = 'In Progress'";

/// Between two looks at a clone that was killed and has not gone yet.
const GONE_POLL: Duration = Duration::from_millis(50);

/// Ends the clone that is under way on a server, if one is: it outlives its client.
pub(super) async fn end(work: &mut Work<'_>) -> Result<(), Failure> {
    loop {
        let answer = work.ask(ASK_RUNNING).await.map_err(Failure::of_question)?;
        let Ok(row) = answer.row(0) else { return Ok(()) };
        let id = row.number("id").map_err(Failure::of_question)?;
        work.kill(&[id]).await.map_err(Failure::of_change)?;
        if Instant::now() + GONE_POLL >= work.deadline {
            return Err(Failure::unknown(format!(
                "a clone that runs there in session {id} was killed and has not gone yet"
            )));
        }
        sleep(GONE_POLL).await;
    }
}

impl MySqlBackend {
    /// What was so before is left in `kept`, for whoever ends the clone from outside.
    pub(super) async fn clone_instance(
        &self,
        mut work: Work<'_>,
        donor: &NodeId,
        copying: &Copying,
        kept: &OnceLock<Before>,
    ) -> Result<GtidSet, Failure> {
        let before = Before::read(&mut work).await?;
        let before = kept.get_or_init(|| before);
        let position = work.position().await.map_err(Failure::of_question)?;
        if position.replication.is_some() {
            let stop = work.dialect().words().stop;
            work.change(&[stop]).await.map_err(Failure::of_change)?;
        }
        let text = self.clone_text(&work, donor, before);
        let ended = {
            let cloning = work.lease.run(&text, Instant::now() + NO_LIMIT);
            let watching = self.watch(copying, before);
            tokio::select! {
                ended = cloning => Ended::of(ended.map(drop)),
                stalled = watching => Ended::Stalled(stalled),
            }
        };
        let tag = work.tag;
        match ended {
            Ended::Unsupervised => copying.enter(CopyPhase::AwaitingStart),
            Ended::Away => copying.enter(CopyPhase::Restarting),
            Ended::Refused(_) | Ended::Stalled(_) => {}
        }
        if let Ended::Refused(failure) | Ended::Stalled(failure) = ended {
            drop(work);
            self.take_back(copying.node(), tag, Some(before)).await;
            return Err(failure);
        }
        drop(work);
        self.completed(copying, tag, before).await
    }

    /// Everything in one text, so that a connection that breaks leaves nothing half set but what a
    /// restart forgets. Only its beginning has a deadline.
    fn clone_text(&self, work: &Work<'_>, donor: &NodeId, before: &Before) -> String {
        let repl = &self.credentials.repl;
        let donors = [before.donors.as_str(), &donor.to_string()].join(",");
        let texts = [
            work.fence(),
            // It is refused under super_read_only (server-facts 2).
            "SET GLOBAL super_read_only = 0".to_owned(),
            format!(
                "SET GLOBAL clone_valid_donor_list = {}",
                quoted(donors.trim_start_matches(','))
            ),
            format!(
                "CLONE INSTANCE FROM {}@{}:{} IDENTIFIED BY {}",
                quoted(&repl.user),
                quoted(donor.host()),
                donor.port(),
                quoted(repl.password.expose_secret())
            ),
        ];
        tagged(work.tag, &texts)
    }

    /// Ends only when nothing has moved for too long.
    async fn watch(&self, copying: &Copying, before: &Before) -> Failure {
        let stall = self.copy_settings.stall_timeout;
        let (mut last, mut moved) = (Seen::Nothing, Instant::now());
        loop {
            sleep(WATCH).await;
            let seen = self.ask_status(copying.node(), before).await.unwrap_or(Seen::Nothing);
            if let Seen::UnderWay(progress, _) = &seen {
                copying.tell(*progress);
            }
            if seen != last {
                (last, moved) = (seen, Instant::now());
            } else if moved.elapsed() >= stall {
                return Failure::unknown(format!(
                    "nothing has moved for {stall:?} (stall_timeout); the clone was ended"
                ));
            }
        }
    }

    async fn ask_status(&self, node: &NodeId, before: &Before) -> Result<Seen, Fault> {
        let deadline = Instant::now() + self.limits.look;
        let mut lease = self.pool.lease(node, deadline).await?;
        let answer = lease.run(ASK_STATUS, deadline).await?;
        lease.give_back();
        seen(&answer, before.seconds)
    }

    /// Waits until the server is back and says that it is a whole copy.
    async fn completed(
        &self,
        copying: &Copying,
        tag: &Tag,
        before: &Before,
    ) -> Result<GtidSet, Failure> {
        let stall = self.copy_settings.stall_timeout;
        let (mut last, mut until) = (Seen::Nothing, Instant::now() + stall);
        loop {
            let mut work = self.back(copying.node(), tag, until).await?;
            let answer = work.ask(ASK_STATUS).await;
            let seen =
                answer.and_then(|answer| seen(&answer, before.seconds)).unwrap_or(Seen::Nothing);
            match &seen {
                Seen::Completed => {
                    open::close(&mut work).await?;
                    let position = work.position().await.map_err(Failure::half_way)?;
                    work.finish();
                    return Ok(position.executed);
                }
                Seen::Failed(why) => return Err(Failure::unknown(why.clone())),
                Seen::UnderWay(progress, _) => copying.tell(*progress),
                Seen::Nothing => {}
            }
            if seen != last {
                (last, until) = (seen, Instant::now() + stall);
            } else if Instant::now() >= until {
                return Err(Failure::unknown(
                    "the server is there, and does not say that its clone is complete; look at \
                     performance_schema.clone_status and its error log",
                ));
            }
            sleep(WATCH).await;
        }
    }

    /// What a clone that came to nothing has set is set back, as far as the server is there.
    pub(super) async fn restore_settings(&self, node: &NodeId, tag: &Tag, before: &Before) {
        let deadline = Instant::now() + self.limits.action;
        let Ok(mut work) = Work::begin(&self.pool, node, tag, deadline).await else { return };
        let donors = match before.donors.as_str() {
            "" => "DEFAULT".to_owned(),
            donors => quoted(donors),
        };
        let set = format!("SET GLOBAL clone_valid_donor_list = {donors}");
        let restored = work.change(&[set]).await.is_ok() && open::close(&mut work).await.is_ok();
        if restored {
            work.finish();
        }
    }
}

/// What was so before the clone.
#[derive(Debug)]
pub(super) struct Before {
    /// The donors that the server would take.
    donors: String,
    /// By its own clock, in seconds since 1970: a clone that began earlier is not ours.
    seconds: f64,
}

impl Before {
    async fn read(work: &mut Work<'_>) -> Result<Self, Failure> {
        let text = "SELECT IFNULL(@@global.clone_valid_donor_list, '') AS donors, \
                    UNIX_TIMESTAMP(NOW(3)) AS seconds";
        let answer = work.ask(text).await.map_err(Failure::of_question)?;
        let row = answer.row(0).map_err(Failure::of_question)?;
        Ok(Self {
            donors: row.get("donors").unwrap_or_default().to_owned(),
            seconds: row.number("seconds").map_err(Failure::of_question)?,
        })
    }
}

/// How the statement ended.
enum Ended {
    /// The server has everything, and shut down; nobody restarts it.
    Unsupervised,
    /// The session is gone, as it is when the server restarts.
    Away,
    Refused(Failure),
    Stalled(Failure),
}

impl Ended {
    fn of(ended: Result<(), Fault>) -> Self {
        match ended {
            Err(fault) if fault.is(code::RESTART_UNSUPERVISED) => Self::Unsupervised,
            Ok(()) => Self::Away,
            Err(fault) if fault.ended_session() => Self::Away,
            Err(fault @ Fault::Late { .. }) => Self::Stalled(Failure::of_change(fault)),
            Err(fault) if fault.is(code::QUERY_INTERRUPTED) => {
                Self::Stalled(Failure::half_way(fault))
            }
            Err(fault) => Self::Refused(Failure::refused(fault.to_string())),
        }
    }
}
