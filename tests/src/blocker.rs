//! What a freeze waits for although nobody saw it coming.

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_sandbox::Flavor;
use tokio::task::JoinHandle;

use crate::{LIMIT, servers::Servers};

/// Something on a server that a freeze waits for, until it is released or the server is gone.
///
/// MariaDB does not tell who holds LOCK TABLES, so a switch runs into it. MySQL does, and a switch
/// is not begun; there it is a statement that runs for long, which no freeze can overtake either.
#[derive(Debug)]
pub enum Blocker {
    /// A session that holds LOCK TABLES.
    Lock(Conn),
    /// A statement that runs, by the number of its session.
    Statement {
        /// To end it by.
        session: u32,
        /// It ends with an error, or with its server.
        running: JoinHandle<()>,
    },
}

impl Blocker {
    pub(crate) async fn on(servers: &Servers<'_>, server: usize) -> Self {
        let mut conn = servers.root(server).await;
        conn.query_drop("CREATE TABLE IF NOT EXISTS app.locked (v INT)").await.unwrap();
        if servers.flavor() == Flavor::MariaDb {
            conn.query_drop("LOCK TABLES app.locked WRITE").await.unwrap();
            return Self::Lock(conn);
        }
        let session = conn.id();
        let running = tokio::spawn(async move {
            // Longer than any test; that it is ended is what it is there for.
            let _ended = conn.query_drop("INSERT INTO app.locked SELECT SLEEP(300)").await;
        });
        crate::eventually("the statement that blocks", async || {
            servers.is_running(server, "SLEEP(300)").await.then_some(())
        })
        .await;
        Self::Statement { session, running }
    }

    /// Lets the freeze go on.
    pub async fn release(self, servers: &Servers<'_>, server: usize) {
        match self {
            Self::Lock(conn) => drop(conn),
            Self::Statement { session, running } => {
                servers.run(server, &format!("KILL {session}")).await;
                tokio::time::timeout(LIMIT, running).await.unwrap().unwrap();
            }
        }
    }

    /// The server is gone, and with it what blocked.
    pub fn forget(self) {
        if let Self::Statement { running, .. } = self {
            running.abort();
        }
    }
}
