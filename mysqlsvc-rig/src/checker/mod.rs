//! Who is writable, seen directly and all the time.

mod look;
mod report;
mod runs;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mysqlsvc_sandbox::{Flavor, Sandbox};
use tokio::task::JoinSet;

use crate::Endpoint;
use look::Looker;
pub use report::{CheckReport, Overlap, ThroughReadOnly};
use runs::{Runs, Sample, Seen};

/// A way to see whether a server is writable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// `read_only` and `super_read_only`.
    Variables,
    /// An INSERT by the application, rolled back.
    Application,
    /// An INSERT by a user with `GRANT ALL`, rolled back. On MariaDB before 12 `read_only` does not
    /// stop it.
    GrantAll,
}

/// Looks at every server of a sandbox, past all proxies. Dropping it ends it.
///
/// What is tried leaves no trace: an INSERT that is rolled back changes no GTID set, on either
/// flavour, and never reaches the binary log.
#[derive(Debug)]
pub struct Checker {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    flavor: Flavor,
    servers: Vec<String>,
    runs: Mutex<Runs>,
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checker {
    /// Reads the variables of every server of `sandbox` every `interval`, and tries to write at
    /// each as application and as `GRANT ALL` user every `attempts`, or not at all. The tables must
    /// be there (see [`crate::create_tables`]).
    pub fn start(sandbox: &Sandbox, interval: Duration, attempts: Option<Duration>) -> Self {
        let flavor = sandbox.flavor();
        let servers = sandbox.nodes().iter().map(mysqlsvc_sandbox::Node::address).collect();
        let shared = Arc::new(Shared { flavor, servers, runs: Mutex::new(Runs::default()) });
        let accounts = sandbox.accounts();
        let mut tasks = JoinSet::new();
        let mut look = |server, view, account, interval| {
            let Some(node) = sandbox.nodes().get(server) else { return };
            let endpoint = Endpoint::direct(node, account);
            let shared = Arc::clone(&shared);
            tasks.spawn(Looker { server, view, endpoint, shared, interval }.run());
        };
        for server in 0..sandbox.nodes().len() {
            // The monitor's own account: its sessions are not ended by a switch.
            look(server, View::Variables, &accounts.dba, interval);
            if let Some(attempts) = attempts {
                look(server, View::Application, &accounts.app, attempts);
                look(server, View::GrantAll, &accounts.boss, attempts);
            }
        }
        Self { shared, tasks }
    }

    /// What was seen so far.
    pub fn report(&self) -> CheckReport {
        CheckReport::of(&self.shared.runs(), self.shared.flavor, &self.shared.servers)
    }

    /// Ends it, and gives what was seen.
    pub async fn stop(mut self) -> CheckReport {
        self.tasks.shutdown().await;
        self.report()
    }
}
