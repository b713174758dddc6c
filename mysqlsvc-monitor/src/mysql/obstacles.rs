//! What a freeze would wait for, or break: one look, one round trip where all rights are there.

use std::collections::{BTreeMap, BTreeSet};

use mysqlsvc_core::{
    Millis,
    backend::{Obstacle, ObstacleKind},
};
use tokio::time::Instant;

use super::{
    answer::{Answer, Record, Table},
    dialect::ObstacleQuestion,
    fault::{Fault, code},
    pool::Lease,
    sessions::{ServerSession, spared},
};

/// Letters of a statement that are shown.
const SHOWN: usize = 80;

/// Words that a statement begins with which changes definitions.
const DEFINES: [&str; 7] = ["ALTER", "CREATE", "DROP", "TRUNCATE", "RENAME", "OPTIMIZE", "REPAIR"];

/// What one look saw.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) obstacles: Vec<Obstacle>,
    /// What our account may not see, and what would mend that.
    pub(super) unseen: Vec<&'static str>,
}

/// Looks at what is under way, save what sessions of these users and of the server itself do.
pub(super) async fn under_way(
    lease: &mut Lease,
    own: [&str; 2],
    deadline: Instant,
) -> Result<UnderWay, Fault> {
    let mut questions = lease.dialect().obstacle_questions().to_vec();
    let mut unseen = Vec::new();
    let answer = loop {
        let texts: Vec<&str> = questions.iter().map(|(_, text)| *text).collect();
        match lease.run(&texts.join("; "), deadline).await {
            Ok(answer) => break answer,
            // Asked again without it; there is one question less each time.
            Err(Fault::Server { code, done, .. })
                if code::OF_MISSING_RIGHTS.contains(&code) && done < questions.len() =>
            {
                unseen.push(questions.remove(done).0.unseen());
            }
            Err(fault) => return Err(fault),
        }
    };
    let asked: Vec<ObstacleQuestion> =
        questions.into_iter().map(|(question, _)| question).collect();
    let seen = Seen::of(&asked, &answer, lease.connection_id())?;
    Ok(UnderWay { obstacles: seen.obstacles(own)?, unseen })
}

/// The answers, each to its question; empty where it was not asked.
#[derive(Debug, Default)]
struct Seen {
    sessions: BTreeMap<u64, ServerSession>,
    transactions: Table,
    prepared: Table,
    locks: Table,
}

impl Seen {
    fn of(asked: &[ObstacleQuestion], answer: &Answer, own: Option<u32>) -> Result<Self, Fault> {
        let mut seen = Self::default();
        for (index, question) in asked.iter().enumerate() {
            let table = answer.table(index)?;
            match question {
                ObstacleQuestion::Sessions => {
                    let sessions = ServerSession::read(table, own)?;
                    seen.sessions = sessions.into_iter().map(|one| (one.id, one)).collect();
                }
                ObstacleQuestion::Transactions => seen.transactions = table.clone(),
                ObstacleQuestion::PreparedXa => seen.prepared = table.clone(),
                ObstacleQuestion::TableLocks => seen.locks = table.clone(),
            }
        }
        Ok(seen)
    }

    fn obstacles(&self, own: [&str; 2]) -> Result<Vec<Obstacle>, Fault> {
        let mut obstacles = self.table_locks()?;
        obstacles.extend(self.definitions());
        obstacles.extend(self.prepared.rows().map(prepared));
        obstacles.extend(self.transactions(own)?);
        Ok(obstacles)
    }

    /// One for each session that holds any.
    fn table_locks(&self) -> Result<Vec<Obstacle>, Fault> {
        let mut held: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for row in self.locks.rows() {
            let names = row.get("schema_name").zip(row.get("table_name"));
            let what = names
                .map_or("all tables".to_owned(), |(schema, table)| format!("{schema}.{table}"));
            held.entry(row.number("id")?).or_default().insert(what);
        }
        let locks = held.into_iter().filter_map(|(id, tables)| {
            // Not in the list: ourselves. What changes definitions is told as such.
            let holder = self.sessions.get(&id).filter(|holder| !defines(holder))?;
            if holder.is_tagged() {
                return None;
            }
            let tables: Vec<String> = tables.into_iter().collect();
            Some(of_session(holder, ObstacleKind::TableLock, None, shortened(&tables.join(", "))))
        });
        Ok(locks.collect())
    }

    fn definitions(&self) -> impl Iterator<Item = Obstacle> {
        let servers_own = spared(["", ""], &[]);
        let changing = self.sessions.values().filter(move |session| {
            session.is_client(&servers_own) && !session.is_tagged() && defines(session)
        });
        changing.map(|session| {
            let detail = head(&session.statement);
            of_session(session, ObstacleKind::Ddl, session.seconds.map(millis), detail)
        })
    }

    /// A session that is not in the list is ours, or there is none any more: prepared by XA.
    fn transactions(&self, own: [&str; 2]) -> Result<Vec<Obstacle>, Fault> {
        let spared = spared(own, &[]);
        let mut open = Vec::new();
        for row in self.transactions.rows() {
            let session = self.sessions.get(&row.number("id")?);
            let Some(session) = session.filter(|session| session.is_client(&spared)) else {
                continue;
            };
            let age = row.number("age").ok().map(millis);
            let detail = match session.statement.as_str() {
                "" => format!("{} rows changed, its client says nothing", row.text("changed")?),
                statement => head(statement),
            };
            open.push(of_session(session, ObstacleKind::Transaction, age, detail));
        }
        Ok(open)
    }
}

fn millis(seconds: u64) -> Millis {
    Millis(seconds.saturating_mul(1000))
}

fn of_session(
    session: &ServerSession,
    kind: ObstacleKind,
    age: Option<Millis>,
    detail: String,
) -> Obstacle {
    let host = session.host.rsplit_once(':').map_or(session.host.as_str(), |(host, _)| host);
    let account = format!("{}@{host}", session.user);
    Obstacle { kind, session: Some(session.id), account, age, detail }
}

fn prepared(row: Record<'_>) -> Obstacle {
    let data = row.get("data").unwrap_or_default().escape_debug().to_string();
    Obstacle {
        kind: ObstacleKind::PreparedXa,
        session: None,
        account: String::new(),
        age: None,
        detail: shortened(&data),
    }
}

/// Whether it changes a definition that others can see.
fn defines(session: &ServerSession) -> bool {
    let statement = without_comments(&session.statement).to_ascii_uppercase();
    let mut words = statement.split_ascii_whitespace();
    let begins = words.next().is_some_and(|word| DEFINES.contains(&word));
    begins && words.next() != Some("TEMPORARY")
}

/// What stands behind the comments that a statement begins with.
fn without_comments(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    while let Some((_, behind)) = rest.strip_prefix("/*").and_then(|rest| rest.split_once("*/")) {
        rest = behind.trim_start();
    }
    rest
}

/// The beginning of a statement up to its first literal, which might be a secret.
fn head(statement: &str) -> String {
    let statement = without_comments(statement);
    match statement.split_once(['\'', '"']) {
        Some((open, _)) if open.chars().count() < SHOWN => format!("{}…", shortened(open)),
        _ => shortened(statement),
    }
}

fn shortened(text: &str) -> String {
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{head, without_comments};

    #[test]
    fn of_a_statement_its_head_is_shown_and_no_literal() {
        for (statement, expected) in [
            ("ALTER  TABLE t\n ADD n INT", "ALTER TABLE t ADD n INT"),
            ("/* a */ /*b*/ALTER USER u IDENTIFIED BY 'secret'", "ALTER USER u IDENTIFIED BY…"),
            ("UPDATE t SET s = \"secret\"", "UPDATE t SET s =…"),
        ] {
            assert_eq!(head(statement), expected);
        }
        let long = head(&format!("INSERT INTO t VALUES ({})", "1, ".repeat(100)));
        assert_eq!(long.chars().count(), 81, "{long}");
    }

    #[test]
    fn a_comment_without_an_end_is_left_alone() {
        assert_eq!(without_comments(" /* ALTER"), "/* ALTER");
    }
}
