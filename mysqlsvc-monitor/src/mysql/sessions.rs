//! The sessions of a server: which are clients, which run statements of ours, and ending them.

use std::time::Duration;

use mysqlsvc_core::Tag;
use tokio::time::sleep;

use super::{
    answer::Table,
    failure::Failure,
    fault::{Fault, code},
    work::Work,
};

/// Between two looks at statements that were killed and have not gone yet.
const GONE_POLL: Duration = Duration::from_millis(2);

/// Users and commands that are the server's own, in the server's words.
const SYSTEM_USERS: [&str; 2] = ["system user", "event_scheduler"];
const SYSTEM_COMMANDS: [&str; 6] =
    ["Binlog Dump", "Binlog Dump GTID", "Daemon", "Slave_IO", "Slave_SQL", "Slave_worker"];

/// What both flavours show for the user of a session that has not logged in yet.
pub(super) const UNAUTHENTICATED: &str = "unauthenticated user";

/// Users whose sessions no kill pass ends, whatever else is to be spared.
pub(super) fn spared<'a>(own: [&'a str; 2], spare: &'a [String]) -> Vec<&'a str> {
    own.into_iter().chain(SYSTEM_USERS).chain(spare.iter().map(String::as_str)).collect()
}

/// One row of the process list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerSession {
    pub(super) id: u64,
    pub(super) user: String,
    /// With the client's port behind it, where the server shows that.
    pub(super) host: String,
    command: String,
    /// For how long it has been doing this, in whole seconds.
    pub(super) seconds: Option<u64>,
    /// Empty while it does nothing.
    pub(super) statement: String,
}

impl ServerSession {
    /// All of a process list but the session `own` that asked for it.
    pub(super) fn read(table: &Table, own: Option<u32>) -> Result<Vec<Self>, Fault> {
        let mut sessions = Vec::new();
        for row in table.rows() {
            let id = row.number("Id")?;
            if own.map(u64::from) != Some(id) {
                sessions.push(Self {
                    id,
                    user: row.get("User").unwrap_or_default().to_owned(),
                    host: row.get("Host").unwrap_or_default().to_owned(),
                    command: row.get("Command").unwrap_or_default().to_owned(),
                    seconds: row.get("Time").and_then(|text| text.parse().ok()),
                    statement: row.get("Info").unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(sessions)
    }

    /// Whether it runs a statement of ours that changes the server. A replica's applier is not
    /// meant, though it shows our tag while it repeats what we did on its source: ended there, it
    /// would break.
    pub(super) fn is_tagged(&self) -> bool {
        let ours = self.statement.contains(&format!("/* {}", Tag::PREFIX));
        ours && !self.is_the_servers_own()
    }

    /// Whether a kill pass ends it: `unauthenticated user` included, for it may become anybody.
    pub(super) fn is_client(&self, spared: &[&str]) -> bool {
        !spared.contains(&self.user.as_str())
            && !self.user.starts_with("mysql.")
            && !self.is_the_servers_own()
    }

    fn is_the_servers_own(&self) -> bool {
        SYSTEM_USERS.contains(&self.user.as_str())
            || SYSTEM_COMMANDS.contains(&self.command.as_str())
    }
}

/// What became of an attempt to kill.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Killed {
    /// How many were told to end.
    pub(super) count: u32,
    /// Sessions that our account must not kill.
    pub(super) denied: Vec<u64>,
}

impl Work<'_> {
    /// The server's sessions but this one.
    pub(super) async fn sessions(&mut self) -> Result<Vec<ServerSession>, Fault> {
        let answer = self.ask(self.dialect().words().sessions).await?;
        self.read_sessions(answer.table(0)?)
    }

    /// The same from a process list that came with other answers.
    pub(super) fn read_sessions(&self, table: &Table) -> Result<Vec<ServerSession>, Fault> {
        ServerSession::read(table, self.lease.connection_id())
    }

    /// Kills sessions in one round trip, and one more for each that cannot be killed.
    pub(super) async fn kill(&mut self, ids: &[u64]) -> Result<Killed, Fault> {
        let dialect = self.dialect();
        let mut outcome = Killed::default();
        let mut rest = ids;
        while !rest.is_empty() {
            let texts: Vec<String> = rest.iter().map(|id| dialect.kill(*id)).collect();
            let (done, failed) = match self.change(&texts).await {
                Ok(_) => (rest.len(), None),
                Err(Fault::Server { code, done, .. })
                    if matches!(code, code::NO_SUCH_THREAD | code::KILL_DENIED) =>
                {
                    (done, Some(code))
                }
                Err(other) => return Err(other),
            };
            outcome.count += u32::try_from(done).unwrap_or(u32::MAX);
            if failed == Some(code::KILL_DENIED) {
                outcome.denied.extend(rest.get(done));
            }
            rest = rest.get(done + 1..).unwrap_or_default();
        }
        Ok(outcome)
    }

    /// Kills every statement of ours that an earlier session left on the server, until so many
    /// looks in a row see none. At one look it may be between two statements of its text, which
    /// leaves no tag to see; who asks for one look only looks again later.
    pub(super) async fn clear_tagged(&mut self, looks: u32) -> Result<(), Failure> {
        let mut clean_looks = 0;
        while clean_looks < looks {
            let sessions = self.sessions().await.map_err(Failure::of_change)?;
            let left: Vec<u64> =
                sessions.iter().filter(|one| one.is_tagged()).map(|one| one.id).collect();
            if left.is_empty() {
                clean_looks += 1;
                continue;
            }
            clean_looks = 0;
            // A server shows a statement for a moment longer than it takes to answer it, so that
            // this may be an idle session of our own.
            self.lease.forget_idle();
            let killed = self.kill(&left).await.map_err(Failure::of_change)?;
            if let Some(id) = killed.denied.first() {
                return Err(Failure::unknown(format!(
                    "a statement of an earlier operation still runs in session {id}, and our \
                     account must not kill it; kill it by hand"
                )));
            }
            if tokio::time::Instant::now() >= self.deadline {
                return Err(Failure::unknown(format!(
                    "a statement of an earlier operation, session {left:?}, was killed and has \
                     not gone yet"
                )));
            }
            sleep(GONE_POLL).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mysqlsvc_core::{NodeId, OperationId};
    use mysqlsvc_sandbox::{Flavor, Sandbox};
    use tokio::time::Instant;

    use super::*;
    use crate::mysql::{Limits, Login, pool::Pool};

    async fn a_session_that_is_gone_does_not_save_the_others(flavor: Flavor) {
        let sandbox = Sandbox::builder().flavor(flavor).nodes(1).start().await.unwrap();
        let node: NodeId = sandbox.node(0).unwrap().address().parse().unwrap();
        let dba = &sandbox.accounts().dba;
        let login = Login::new(&dba.user, dba.password.expose().to_owned().into());
        let pool = Pool::new(login, Limits::default());
        let tag = Tag::new(OperationId(1));
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut work = Work::begin(&pool, &node, &tag, deadline).await.unwrap();

        let app = &sandbox.accounts().app;
        let clients =
            [sandbox.connect(0, app).await.unwrap(), sandbox.connect(0, app).await.unwrap()];
        let [first, last] = [&clients[0], &clients[1]].map(|client| u64::from(client.id()));
        let gone = 4_000_000;
        let killed = work.kill(&[gone, first, gone, last, gone]).await.unwrap();
        assert!(killed.denied.is_empty());
        while work.sessions().await.unwrap().iter().any(|one| [first, last].contains(&one.id)) {
            assert!(Instant::now() < deadline, "a session was not killed");
        }
    }

    #[tokio::test]
    async fn a_session_that_is_gone_does_not_save_the_others_on_mariadb() {
        a_session_that_is_gone_does_not_save_the_others(Flavor::MariaDb).await;
    }

    #[tokio::test]
    async fn a_session_that_is_gone_does_not_save_the_others_on_mysql() {
        a_session_that_is_gone_does_not_save_the_others(Flavor::MySql).await;
    }

    fn session(user: &str, command: &str, statement: &str) -> ServerSession {
        ServerSession {
            id: 1,
            user: user.to_owned(),
            host: String::new(),
            command: command.to_owned(),
            seconds: None,
            statement: statement.to_owned(),
        }
    }

    #[test]
    fn clients_are_all_but_our_own_the_spared_and_the_servers() {
        let spare = ["backup".to_owned()];
        let spared = spared(["dba", "repl"], &spare);
        for (user, command, is_client) in [
            ("app", "Query", true),
            ("root", "Sleep", true),
            ("unauthenticated user", "Connect", true),
            ("dba", "Query", false),
            ("repl", "Binlog Dump GTID", false),
            ("backup", "Sleep", false),
            ("other", "Binlog Dump", false),
            ("system user", "Connect", false),
            ("event_scheduler", "Daemon", false),
            ("mysql.session", "Query", false),
        ] {
            assert_eq!(session(user, command, "").is_client(&spared), is_client, "{user}");
        }
    }

    #[test]
    fn only_statements_with_our_comment_are_tagged() {
        assert!(session("dba", "Query", "/* mysqlsvc:7 */ SET GLOBAL read_only = 1").is_tagged());
        assert!(!session("dba", "Query", "SELECT 'mysqlsvc:7'").is_tagged());
        let repeated = "/* mysqlsvc:7 */ ALTER DEFINER = `a`@`%` EVENT `b`.`c` ENABLE";
        for command in ["Slave_SQL", "Slave_worker", "Query"] {
            assert!(!session("system user", command, repeated).is_tagged(), "{command}");
        }
    }
}
