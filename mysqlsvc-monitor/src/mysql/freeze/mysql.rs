//! MySQL: super_read_only ends all writing; the kills only free the clients.

use mysqlsvc_core::{GtidSet, ReadOnly};

use super::Halt;
use crate::mysql::{
    answer::{Answer, Table},
    dialect::Dialect,
    failure::Failure,
    fault::{Fault, code},
    sessions::ServerSession,
    work::Work,
};

pub(super) async fn freeze(
    work: &mut Work<'_>,
    lock_wait: u64,
    spared: &[&str],
) -> Result<GtidSet, Halt> {
    loop {
        let reading = close(work, lock_wait).await?;
        if !reading.sessions.iter().any(ServerSession::is_tagged) {
            return settle(work, reading, spared).await;
        }
        // A statement of an earlier operation is still there, which may undo this freeze.
        work.clear_tagged(1).await?;
    }
}

/// What is read of a server that was closed.
#[derive(Debug)]
struct Reading {
    executed: GtidSet,
    sessions: Vec<ServerSession>,
}

impl Reading {
    /// From the results of [`reading_texts`].
    fn of(work: &Work<'_>, answer: &Answer) -> Result<Self, Halt> {
        let read = || {
            Ok(Self {
                executed: frozen_set(work.dialect(), answer)?,
                sessions: ServerSession::read(answer.table(1)?, work.lease.connection_id())?,
            })
        };
        read().map_err(|fault| Halt::Answered(Failure::half_way(fault)))
    }
}

async fn close(work: &mut Work<'_>, lock_wait: u64) -> Result<Reading, Halt> {
    let words = work.dialect().words();
    let set_wait = format!("SET SESSION lock_wait_timeout = {lock_wait}");
    let texts = [&[set_wait.as_str(), words.close], &reading_texts(work.dialect())[..]].concat();
    match work.change(&texts).await {
        Ok(answer) => Reading::of(work, &answer),
        Err(fault @ Fault::Server { .. }) => Err(refused(work, fault).await),
        Err(fault) => Err(Halt::of(fault, Failure::half_way)),
    }
}

/// Ends the clients, and reads the set until it is twice the same.
async fn settle(
    work: &mut Work<'_>,
    mut reading: Reading,
    spared: &[&str],
) -> Result<GtidSet, Halt> {
    let question = reading_texts(work.dialect()).join("; ");
    loop {
        let clients = reading.sessions.iter().filter(|session| session.is_client(spared));
        let clients: Vec<u64> = clients.map(|session| session.id).collect();
        let killed =
            work.kill(&clients).await.map_err(|fault| Halt::of(fault, Failure::half_way))?;
        if !killed.denied.is_empty() {
            return Err(Halt::Answered(Failure::unknown(format!(
                "sessions {:?} belong to accounts with SYSTEM_USER and our account must not end \
                 them (error {}); GRANT SYSTEM_USER, CONNECTION_ADMIN to it",
                killed.denied,
                code::KILL_DENIED,
            ))));
        }
        let answer = work.ask(&question).await;
        let answer = answer.map_err(|fault| Halt::of(fault, Failure::half_way))?;
        let again = Reading::of(work, &answer)?;
        if again.executed == reading.executed {
            return Ok(again.executed);
        }
        reading = again;
    }
}

/// What is asked of a server that was closed: facts, sessions, by position where its log ends.
fn reading_texts(dialect: Dialect) -> Vec<&'static str> {
    let words = dialect.words();
    let mut texts = vec![words.facts, words.sessions];
    texts.extend(dialect.by_position.then(|| dialect.log_end()));
    texts
}

fn frozen_set(dialect: Dialect, answer: &Answer) -> Result<GtidSet, Fault> {
    let row = answer.row(0)?;
    match dialect.read_only(row)? {
        ReadOnly::Super if dialect.by_position => Dialect::own_log(row, answer.table(2)?),
        ReadOnly::Super => dialect.executed(row),
        other => {
            Err(Fault::unreadable(format!("super_read_only was set and is read back as {other:?}")))
        }
    }
}

/// Of the two statements that change something, the first concerns our session only.
async fn refused(work: &mut Work<'_>, fault: Fault) -> Halt {
    match &fault {
        Fault::Server { code: code::LOCK_WAIT_TIMEOUT, .. } => {
            let holders = lock_holders(work).await;
            Halt::Answered(Failure::refused(format!("{fault}: {holders}")))
        }
        Fault::Server { code: code::QUERY_INTERRUPTED, .. } => {
            Halt::Answered(Failure::half_way(fault))
        }
        Fault::Server { done: 0 | 1, .. } => Halt::Answered(Failure::refused(fault.to_string())),
        _ => Halt::of(fault, Failure::half_way),
    }
}

async fn lock_holders(work: &mut Work<'_>) -> String {
    let Ok(answer) = work.ask(Dialect::LOCK_HOLDERS).await else {
        return "which session holds the lock cannot be seen (SELECT on performance_schema \
                is missing)"
            .to_owned();
    };
    let holders: Vec<String> = answer
        .table(0)
        .into_iter()
        .flat_map(Table::rows)
        .map(|row| {
            format!(
                "session {} of user {} holds {} on {}",
                row.get("id").unwrap_or("?"),
                row.get("user").unwrap_or("?"),
                row.get("lock_type").unwrap_or("a lock"),
                row.get("object").unwrap_or("the server"),
            )
        })
        .collect();
    if holders.is_empty() {
        "no holder of a lock is seen; a commit may be waiting for a semi-sync acknowledgement"
            .to_owned()
    } else {
        holders.join(", ")
    }
}
