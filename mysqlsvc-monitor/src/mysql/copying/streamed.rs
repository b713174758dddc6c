//! MariaDB: a backup of the donor is piped into what makes it the node's data.
//!
//! Both ends are commands of the operator's. The position of the copy comes back on the standard
//! output of the second as `gtid_slave_pos=…`; without it a copy could follow nobody, so its absence
//! is an error.

use std::time::Duration;

use mysqlsvc_core::{Flavor, GtidSet, NodeId};
use tokio::time::{Instant, sleep};

use super::{
    super::{MySqlBackend, dialect::quoted, failure::Failure, open, work::Work},
    CopyPhase, CopyProgress, Copying,
    command::{Program, Signs},
};

const CHUNK: usize = 256 << 10;

/// What stands in front of the position that the restoring command says.
const POSITION: &str = "gtid_slave_pos=";

/// Between two looks at whether anything has moved.
const WATCH: Duration = Duration::from_millis(500);

impl MySqlBackend {
    pub(super) async fn streamed(
        &self,
        work: Work<'_>,
        donor: &NodeId,
        copying: &Copying,
    ) -> Result<GtidSet, Failure> {
        let tag = work.tag;
        // Its server is going to be stopped.
        drop(work);
        let deadline = Instant::now() + self.limits.action;
        let known = self.look_until(donor, deadline).await.map_err(Failure::of_question)?.executed;
        let signs = Signs::default();
        let said = tokio::select! {
            said = self.pipe(donor, copying, &signs) => said?,
            stalled = self.stalls(&signs) => return Err(stalled),
        };
        let position = position_in(&said)?;
        copying.enter(CopyPhase::Restarting);
        let until = Instant::now() + self.copy_settings.stall_timeout;
        let mut work = self.back(copying.node(), tag, until).await?;
        // Where each server of the cluster had come to, and not only the last that wrote: a position
        // alone would make the copy seem to lack what the others wrote (`MariaDbGtidSet`).
        take_position(&mut work, &known.union(&position), &position).await?;
        open::close(&mut work).await?;
        let executed = work.position().await.map_err(Failure::half_way)?.executed;
        work.finish();
        if executed.contains(&position) {
            return Ok(executed);
        }
        Err(Failure::unknown(format!(
            "the backup ends at {position}, but the server came back with {executed}"
        )))
    }

    /// Ends when nothing has moved for too long.
    async fn stalls(&self, signs: &Signs) -> Failure {
        let stall = self.copy_settings.stall_timeout;
        let (mut last, mut moved) = (signs.count(), Instant::now());
        loop {
            sleep(WATCH).await;
            let count = signs.count();
            if count != last {
                (last, moved) = (count, Instant::now());
            } else if moved.elapsed() >= stall {
                return Failure::unknown(format!(
                    "neither command has said or moved anything for {stall:?} (stall_timeout); both \
                     were ended"
                ));
            }
        }
    }

    /// Runs both commands to their end; what the restoring one said. The stream is ended only when
    /// the backup is known to be whole.
    async fn pipe(
        &self,
        donor: &NodeId,
        copying: &Copying,
        signs: &Signs,
    ) -> Result<String, Failure> {
        let settings = &self.copy_settings;
        let (Some(backup), Some(restore)) = (&settings.backup, &settings.restore) else {
            return Err(Failure::refused("no commands are configured in [cluster.clone]"));
        };
        let start = |name, command: &super::CopyCommand| {
            Program::start(name, command.of(copying.node(), donor), signs)
        };
        let mut restore = start("restore", restore)?;
        restore.listen();
        let mut backup = start("backup", backup)?;
        copying.enter(CopyPhase::Copying);
        let mut done_bytes = 0;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = backup.read(&mut chunk).await;
            let read = read.map_err(|error| Failure::unknown(format!("backup: {error}")))?;
            let Some(data) = chunk.get(..read).filter(|data| !data.is_empty()) else { break };
            if restore.write(data).await.is_err() {
                // Its own words tell more than a broken pipe.
                let ended = restore.ended().await;
                return Err(ended.failed("it stopped reading before the backup was whole"));
            }
            done_bytes += read as u64;
            signs.one();
            copying.tell(CopyProgress { phase: CopyPhase::Copying, done_bytes, total_bytes: None });
        }
        let ended = backup.ended().await;
        if !ended.is_success() {
            return Err(ended.failed("the backup is not whole"));
        }
        if done_bytes == 0 {
            return Err(ended.failed("it wrote no backup to its standard output"));
        }
        copying.enter(CopyPhase::Applying);
        let ended = restore.ended().await;
        if ended.is_success() { Ok(ended.said) } else { Err(ended.failed("nothing was restored")) }
    }
}

/// What the restoring command says to be the position of the copy.
fn position_in(said: &str) -> Result<GtidSet, Failure> {
    let Some(position) = said.lines().find_map(|line| line.trim().strip_prefix(POSITION)) else {
        return Err(Failure::refused(format!(
            "the restoring command did not say where the copy stands; it has to print one line \
             `{POSITION}…` (see docs/examples/mysqlsvc-restore.sh)"
        )));
    };
    GtidSet::parse(Flavor::MariaDb, position.trim()).map_err(|error| {
        Failure::refused(format!("the restoring command said `{POSITION}{position}`: {error}"))
    })
}

/// A server with new data takes its position over. Whatever its binary log held is of the old ones.
async fn take_position(
    work: &mut Work<'_>,
    state: &GtidSet,
    position: &GtidSet,
) -> Result<(), Failure> {
    let words = work.dialect().words();
    let mut texts = Vec::new();
    if work.position().await.map_err(Failure::half_way)?.replication.is_some() {
        texts.push(words.stop.to_owned());
        texts.extend(words.forget.iter().map(ToString::to_string));
    }
    texts.extend([
        "RESET MASTER".to_owned(),
        format!("SET GLOBAL gtid_binlog_state = {}", quoted(&state.to_string())),
        format!("SET GLOBAL gtid_slave_pos = {}", quoted(&position.to_string())),
    ]);
    work.change(&texts).await.map(drop).map_err(Failure::half_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_a_line_of_its_own_and_must_be_there() {
        let said = "Stopping mariadb\n gtid_slave_pos=0-1-55,1-2-7 \nstarted\n";
        assert_eq!(position_in(said).unwrap().to_string(), "0-1-55,1-2-7");
        assert!(position_in("gtid_slave_pos=\n").unwrap().is_empty());
        for wrong in ["", "0-1-55", "gtid_slave_pos=binlog.000002"] {
            assert!(position_in(wrong).is_err(), "{wrong}");
        }
    }
}
