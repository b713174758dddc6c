//! Giving a server its part in semi-synchronous replication.

use mysqlsvc_core::{Flavor, IoThread, NodeId, SqlThread, Tag, backend::SemiSyncPart};

use super::{
    MySqlBackend,
    dialect::{SemiSync, SemiSyncNames},
    failure::Failure,
    fault::Fault,
    relay_guard,
    work::Work,
};

impl MySqlBackend {
    pub(super) async fn set_semi_sync_now(
        &self,
        node: &NodeId,
        part: SemiSyncPart,
        tag: &Tag,
    ) -> Result<(), Failure> {
        let mut work = self.work(node, tag).await?;
        work.clear_tagged(1).await?;
        let Some(seen) = see(&mut work).await.map_err(Failure::of_question)? else {
            return Err(Failure::refused(
                "semi-synchronous replication is not loaded; INSTALL PLUGIN rpl_semi_sync_source \
                 SONAME 'semisync_source.so' and INSTALL PLUGIN rpl_semi_sync_replica SONAME \
                 'semisync_replica.so' on every server",
            ));
        };
        if !seen.plays(part) {
            work.change(&[seen.play(part)]).await.map_err(Failure::of_change)?;
            let now = see(&mut work).await.map_err(Failure::half_way)?;
            if !now.is_some_and(|now| now.plays(part)) {
                return Err(Failure::unknown(format!(
                    "it was told to be {part} and reads back otherwise: somebody else sets it, too"
                )));
            }
        }
        if part == SemiSyncPart::Replica && !seen.takes_part {
            connect_again(&mut work).await?;
        }
        work.finish();
        Ok(())
    }
}

async fn see(work: &mut Work<'_>) -> Result<Option<SemiSync>, Fault> {
    let answer = work.ask(SemiSyncNames::ASK).await?;
    let Some(names) = SemiSyncNames::read(answer.table(0)?) else {
        return Ok(None);
    };
    let answer = work.ask(&names.question()).await?;
    names.seen(answer.row(0)?).map(Some)
}

/// A receiving thread tells its source what it is when it connects, and not again.
///
/// One that is not connected will do so anyway. Where MariaDB's SQL thread is stopped it is left
/// alone, since the first thread to start there erases the relay log (invariant 5).
async fn connect_again(work: &mut Work<'_>) -> Result<(), Failure> {
    let position = work.position().await.map_err(Failure::of_question)?;
    let Some(seen) = position.replication.filter(|seen| seen.io == IoThread::Running) else {
        return Ok(());
    };
    let dialect = work.dialect();
    if dialect.flavor == Flavor::MariaDb && seen.sql == SqlThread::Stopped {
        return Ok(());
    }
    work.change(&[dialect.words().stop_io]).await.map_err(Failure::of_change)?;
    relay_guard::receive_again(work, dialect.words().start_io).await
}
