//! Opening and closing a server for writes.

use mysqlsvc_core::{GtidSet, IoThread, ReadOnly, SqlThread};

use super::{
    answer::Answer, dialect::Dialect, failure::Failure, fault::Fault, sessions::ServerSession,
    work::Work,
};

/// Stops replication and opens, in one round trip; in more where a statement of an earlier
/// operation is seen, which might close it again.
pub(super) async fn open(work: &mut Work<'_>) -> Result<(), Failure> {
    loop {
        let answer = open_once(work).await?;
        let sessions = answer.table(0).and_then(|table| work.read_sessions(table));
        if !sessions.map_err(Failure::half_way)?.iter().any(ServerSession::is_tagged) {
            return opened(work, &answer);
        }
        work.clear_tagged(1).await.map_err(|failure| Failure::unknown(failure.detail))?;
    }
}

async fn open_once(work: &mut Work<'_>) -> Result<Answer, Failure> {
    let words = work.dialect().words();
    // Replication may take long to stop.
    let fence = work.fence();
    let texts = [words.sessions, words.stop, &fence, words.open, words.read_back, words.status];
    work.change(&texts).await.map_err(Failure::of_change)
}

/// What the answer to [`open_once`] says of it.
fn opened(work: &Work<'_>, answer: &Answer) -> Result<(), Failure> {
    let dialect = work.dialect();
    let read_only = dialect.read_only(answer.row(1).map_err(Failure::half_way)?);
    must_be(read_only.map_err(Failure::half_way)?, ReadOnly::Off)?;
    let status = answer.table(2).map_err(Failure::half_way)?;
    match dialect.replication(status).map_err(Failure::half_way)? {
        Some(still) if still.io != IoThread::Stopped || still.sql != SqlThread::Stopped => {
            Err(Failure::unknown("it was opened, but its replication was started again meanwhile"))
        }
        _ => Ok(()),
    }
}

/// Ends what earlier operations left waiting, then opens, whatever replicates. Returns what it had
/// executed then. Nothing is sent to a server that is open already: where the right to close it was
/// missing, the right to open it is, too.
pub(super) async fn thaw(work: &mut Work<'_>) -> Result<GtidSet, Failure> {
    work.clear_tagged(2).await?;
    let dialect = work.dialect();
    let words = dialect.words();
    let answer = work.ask(&format!("{}; {}", words.executed, words.read_back)).await;
    let seen = answer.and_then(|answer| {
        Ok((executed(dialect, &answer)?, dialect.read_only(answer.last_row()?)?))
    });
    if let (executed, ReadOnly::Off) = seen.map_err(Failure::of_question)? {
        return Ok(executed);
    }
    let texts = [words.executed, words.open, words.read_back];
    let answer = work.change(&texts).await.map_err(Failure::of_change)?;
    let row = answer.last_row().map_err(Failure::half_way)?;
    must_be(dialect.read_only(row).map_err(Failure::half_way)?, ReadOnly::Off)?;
    executed(dialect, &answer).map_err(Failure::half_way)
}

/// From an answer that begins with that to [`Words::executed`](super::dialect::Words::executed). By
/// position it is nobody's business: whoever opens a server beside its source needs GTIDs.
fn executed(dialect: Dialect, answer: &Answer) -> Result<GtidSet, Fault> {
    if dialect.by_position {
        return Ok(GtidSet::empty(dialect.flavor));
    }
    dialect.executed(answer.row(0)?)
}

/// Lets nobody write any more; kills nobody.
pub(super) async fn close(work: &mut Work<'_>) -> Result<(), Failure> {
    let dialect = work.dialect();
    let words = dialect.words();
    let answer = work.ask(&format!("{}; {}", words.sessions, words.read_back)).await;
    let answer = answer.map_err(Failure::of_question)?;
    let sessions = answer.table(0).and_then(|table| work.read_sessions(table));
    let tagged = sessions.map_err(Failure::of_question)?.iter().any(ServerSession::is_tagged);
    let read_only = answer.last_row().and_then(|row| dialect.read_only(row));
    if !tagged && read_only.map_err(Failure::of_question)? >= dialect.closed() {
        return Ok(());
    }
    if tagged {
        work.clear_tagged(1).await?;
    }
    let texts = [dialect.words().close, dialect.words().read_back];
    let answer = work.change(&texts).await.map_err(Failure::of_change)?;
    let row = answer.last_row().map_err(Failure::half_way)?;
    must_be(dialect.read_only(row).map_err(Failure::half_way)?, dialect.closed())
}

fn must_be(seen: ReadOnly, wanted: ReadOnly) -> Result<(), Failure> {
    if seen == wanted {
        return Ok(());
    }
    Err(Failure::unknown(format!(
        "read-only was set to {wanted:?} and read back as {seen:?}: somebody else sets it, too"
    )))
}
