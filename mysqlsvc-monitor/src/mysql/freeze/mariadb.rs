//! MariaDB: FLUSH TABLES WITH READ LOCK, read_only, kill, unlock, read until stable.
//!
//! Under the lock no commit can end, so nothing is acknowledged between the first reading and the
//! kills. What waits for the lock then finds `read_only` set, or, where its account may write
//! through that, has been killed, and is looked for until it is gone.

use std::{collections::BTreeSet, time::Duration};

use mysqlsvc_core::{GtidSet, ReadOnly};
use tokio::time::sleep;

use super::Halt;
use crate::mysql::{
    answer::Answer,
    dialect::{Dialect, tagged},
    failure::Failure,
    fault::{Fault, code},
    sessions::{ServerSession, UNAUTHENTICATED},
    work::Work,
};

const LOCK: &str = "FLUSH TABLES WITH READ LOCK";
const UNLOCK: &str = "UNLOCK TABLES";

/// Statements of the first text that change nothing but our own session and the lock.
const BEFORE_CLOSE: usize = 2;

/// Between two looks at sessions that were killed and have not gone yet.
const GONE_POLL: Duration = Duration::from_millis(1);

pub(super) async fn freeze(
    work: &mut Work<'_>,
    lock_wait: u64,
    spared: &[&str],
) -> Result<GtidSet, Halt> {
    loop {
        if let Some(executed) = attempt(work, lock_wait, spared).await? {
            return Ok(executed);
        }
        work.clear_tagged(1).await?;
    }
}

/// None where a statement of an earlier operation was still seen, which may undo this freeze.
async fn attempt(
    work: &mut Work<'_>,
    lock_wait: u64,
    spared: &[&str],
) -> Result<Option<GtidSet>, Halt> {
    let words = work.dialect().words();
    let set_wait = format!("SET SESSION lock_wait_timeout = {lock_wait}");
    // The wait for the lock may be long.
    let fence = work.fence();
    let texts = [&set_wait, LOCK, &fence, words.close, words.sessions, words.facts];
    let answer = match work.change(&texts).await {
        Ok(answer) => answer,
        Err(fault @ Fault::Server { .. }) => return Err(refused(work, fault).await),
        Err(fault) => return Err(Halt::Silent(fault)),
    };
    let unread = |fault| Halt::Answered(Failure::half_way(fault));
    // The lock is had from here on. It is given back whatever was read and killed, before
    // anything is made of that; a session that is dropped gives it back as well.
    let locked = Reading::of(work, &answer, spared);
    let clients = locked.as_ref().map(|reading| ids(&reading.clients)).unwrap_or_default();
    let killed = work.kill(&clients).await;
    let text = tagged(work.tag, &[UNLOCK, words.sessions, words.facts]);
    // Whoever did not unlock must not be kept.
    let answer = work.ask(&text).await.map_err(Halt::Silent)?;
    let locked = locked.map_err(unread)?;
    let denied = killed.map_err(|fault| Halt::of(fault, Failure::half_way))?.denied;
    must_be_none(&denied)?;
    let unlocked = Reading::of(work, &answer, spared).map_err(unread)?;
    if locked.tagged || unlocked.tagged {
        return Ok(None);
    }
    settle(work, spared, locked.executed, unlocked).await.map(Some)
}

/// The text was cut short by the server: gives back the lock, if it was had.
async fn refused(work: &mut Work<'_>, fault: Fault) -> Halt {
    if let Err(fault) = work.ask(UNLOCK).await {
        return Halt::Silent(fault);
    }
    match fault {
        Fault::Server { code: code::LOCK_WAIT_TIMEOUT, done, .. } if done <= BEFORE_CLOSE => {
            Halt::Answered(Failure::refused(format!(
                "{fault}: a session holds a table lock (LOCK TABLES) or a long commit; MariaDB \
                 does not say which, look for sessions that have slept long in SHOW PROCESSLIST"
            )))
        }
        Fault::Server { code: code::QUERY_INTERRUPTED, .. } => {
            Halt::Answered(Failure::half_way(fault))
        }
        Fault::Server { done, .. } if done <= BEFORE_CLOSE => {
            Halt::Answered(Failure::refused(fault.to_string()))
        }
        _ => Halt::Answered(Failure::half_way(fault)),
    }
}

/// Clients, and then the executed set: a session that is not among the clients had ended before
/// the set was read.
#[derive(Debug)]
struct Reading {
    clients: Vec<ServerSession>,
    executed: GtidSet,
    /// A statement of an earlier operation runs.
    tagged: bool,
}

impl Reading {
    /// From the first two results: sessions and facts.
    fn of(work: &Work<'_>, answer: &Answer, spared: &[&str]) -> Result<Self, Fault> {
        let own = work.lease.connection_id();
        let mut clients = ServerSession::read(answer.table(0)?, own)?;
        let tagged = clients.iter().any(ServerSession::is_tagged);
        clients.retain(|session| session.is_client(spared));
        let facts = answer.row(1)?;
        if work.dialect().read_only(facts)? == ReadOnly::Off {
            return Err(Fault::unreadable("read_only was set and is off again"));
        }
        Ok(Self { clients, executed: work.dialect().executed(facts)?, tagged })
    }
}

fn ids(sessions: &[ServerSession]) -> Vec<u64> {
    sessions.iter().map(|session| session.id).collect()
}

fn must_be_none(denied: &[u64]) -> Result<(), Halt> {
    match denied.first() {
        None => Ok(()),
        Some(id) => Err(Halt::Answered(Failure::unknown(format!(
            "our account must not end session {id} (error {}); GRANT CONNECTION ADMIN to it",
            code::KILL_DENIED
        )))),
    }
}

/// Reads on until two sets in a row are equal and no session is left that could still commit.
async fn settle(
    work: &mut Work<'_>,
    spared: &[&str],
    under_lock: GtidSet,
    unlocked: Reading,
) -> Result<GtidSet, Halt> {
    let words = work.dialect().words();
    let mut before = under_lock;
    let mut reading = unlocked;
    let mut writers: Option<Writers> = None;
    loop {
        if let Some(writers) = &writers {
            reading.clients.retain(|session| writers.includes(session));
        }
        if reading.clients.is_empty() && before == reading.executed {
            return Ok(reading.executed);
        }
        match writers {
            None => writers = Some(Writers::find(work).await?),
            Some(_) => sleep(GONE_POLL).await,
        }
        let killed = work.kill(&ids(&reading.clients)).await;
        must_be_none(&killed.map_err(|fault| Halt::of(fault, Failure::half_way))?.denied)?;
        let answer = work.ask(&format!("{}; {}", words.sessions, words.facts)).await;
        let answer = answer.map_err(|fault| Halt::of(fault, Failure::half_way))?;
        before = reading.executed;
        reading = Reading::of(work, &answer, spared)
            .map_err(|fault| Halt::Answered(Failure::half_way(fault)))?;
    }
}

/// Users who may write through `read_only`.
#[derive(Debug)]
enum Writers {
    /// We may not ask, or a role may make anybody one.
    Anybody,
    These(BTreeSet<String>),
}

impl Writers {
    async fn find(work: &mut Work<'_>) -> Result<Self, Halt> {
        let answer = match work.ask(Dialect::WRITERS_THROUGH_READ_ONLY).await {
            Ok(answer) => answer,
            Err(Fault::Server { .. }) => return Ok(Self::Anybody),
            Err(fault) => return Err(Halt::of(fault, Failure::half_way)),
        };
        let mut users = BTreeSet::new();
        for row in answer.table(0).map_err(|fault| Halt::of(fault, Failure::half_way))?.rows() {
            if row.get("is_role").is_some_and(|flag| flag != "0") {
                return Ok(Self::Anybody);
            }
            users.insert(row.get("user").unwrap_or_default().to_owned());
        }
        Ok(Self::These(users))
    }

    fn includes(&self, session: &ServerSession) -> bool {
        match self {
            Self::Anybody => true,
            // Who has not logged in yet may become any of them.
            Self::These(users) => session.user == UNAUTHENTICATED || users.contains(&session.user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::answer::Table;

    #[test]
    fn who_has_not_logged_in_yet_may_become_a_writer() {
        let list = Table::of_columns(
            &["Id", "User"],
            &[&["1", "boss"], &["2", "app"], &["3", "unauthenticated user"]],
        );
        let sessions = ServerSession::read(&list, None).unwrap();
        let writers = Writers::These(BTreeSet::from(["boss".to_owned()]));
        let included: Vec<u64> =
            sessions.iter().filter(|one| writers.includes(one)).map(|one| one.id).collect();
        assert_eq!(included, [1, 3]);
    }
}
