//! The servers of a sandbox that runs plain processes.

use std::{
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::{
    account::{Account, Accounts},
    error::SandboxError,
    home,
    mariadb::{self, MariaDb},
    node::Node,
    ports,
    process::ServerProcess,
    session::{self, Unready},
};

const READY_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// How often a server whose port was taken between choice and start gets another.
const PORT_ATTEMPTS: u32 = 5;

/// Running server processes, one for each node.
#[derive(Debug)]
pub(crate) struct Processes {
    dir: PathBuf,
    mariadb: Arc<MariaDb>,
    root: Account,
    servers: Vec<Mutex<Arc<ServerProcess>>>,
}

/// What `start` returns: the servers, where they are, and the version they name.
pub(crate) type Started<T> = (T, Vec<Node>, String);

impl Processes {
    /// Starts `count` servers in `dir` at the same time, and waits until all are ready.
    pub(crate) async fn start(
        dir: PathBuf,
        mariadb: MariaDb,
        accounts: &Accounts,
        count: usize,
        base_port: Option<u16>,
    ) -> Result<Started<Self>, SandboxError> {
        mariadb.prepare(&dir, accounts, count).await?;
        let ports = match base_port {
            Some(base) => ports::from_base(base, count)?,
            None => ports::free(count)?,
        };
        let mariadb = Arc::new(mariadb);
        let mut starting = JoinSet::new();
        for (index, port) in ports.into_iter().enumerate() {
            let (dir, mariadb) = (dir.clone(), Arc::clone(&mariadb));
            let start = Start { dir, mariadb, root: accounts.root.clone(), index };
            starting.spawn(start.run(port, base_port.is_none()));
        }
        let mut started = Vec::new();
        while let Some(joined) = starting.join_next().await {
            started.push(joined.unwrap_or_else(|panic| {
                Err(SandboxError::Command {
                    what: "starting a server".into(),
                    detail: panic.to_string(),
                })
            })?);
        }
        started.sort_by_key(|(node, ..)| node.server_id);
        let version = started.first().map(|(.., version)| version.clone()).unwrap_or_default();
        let nodes = started.iter().map(|(node, ..)| node.clone()).collect();
        let servers =
            started.into_iter().map(|(_, process, _)| Mutex::new(Arc::new(process))).collect();
        Ok((Self { dir, mariadb, root: accounts.root.clone(), servers }, nodes, version))
    }

    pub(crate) async fn kill(&self, index: usize) -> Result<(), SandboxError> {
        self.server(index)?.end("kill", Signal::KILL, KILL_LIMIT).await
    }

    pub(crate) async fn pause(&self, index: usize) -> Result<(), SandboxError> {
        self.server(index)?.freeze().await
    }

    pub(crate) fn resume(&self, index: usize) -> Result<(), SandboxError> {
        self.server(index)?.signal("resume", Signal::CONT)
    }

    pub(crate) async fn stop(&self, index: usize) -> Result<(), SandboxError> {
        let server = self.server(index)?;
        if server.ended().is_none() {
            // A paused server could not obey.
            let _ = server.signal("resume", Signal::CONT);
        }
        server.end("stop", Signal::TERM, STOP_LIMIT).await
    }

    pub(crate) async fn restart(&self, index: usize, node: &Node) -> Result<(), SandboxError> {
        self.stop(index).await?;
        let process = Arc::new(self.mariadb.start(&self.dir, index, node)?);
        if let Some(slot) = self.servers.get(index) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&process);
        }
        let ready = session::wait_ready(node, &self.root, READY_LIMIT, process.wait_end()).await;
        let log = || home::tail(&mariadb::error_log(&self.dir, index));
        ready.map(drop).map_err(|why| unready(index, why, log()))
    }

    fn server(&self, index: usize) -> Result<Arc<ServerProcess>, SandboxError> {
        let count = self.servers.len();
        let slot =
            self.servers.get(index).ok_or(SandboxError::NoSuchNode { node: index, count })?;
        Ok(Arc::clone(&slot.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The first start of one server.
struct Start {
    dir: PathBuf,
    mariadb: Arc<MariaDb>,
    root: Account,
    index: usize,
}

impl Start {
    /// Starts on `port`; on another one when that is taken and `may_move`.
    async fn run(
        self,
        mut port: u16,
        may_move: bool,
    ) -> Result<(Node, ServerProcess, String), SandboxError> {
        let log = mariadb::error_log(&self.dir, self.index);
        let mut attempt = 1;
        loop {
            let node = self.node(port);
            let process = self.mariadb.start(&self.dir, self.index, &node)?;
            let ready =
                session::wait_ready(&node, &self.root, READY_LIMIT, process.wait_end()).await;
            let why = match ready {
                Ok(version) => return Ok((node, process, version)),
                Err(why) => why,
            };
            let taken = matches!(why, Unready::Ended(_))
                && home::tail(&log).contains("Address already in use");
            if !(taken && may_move && attempt < PORT_ATTEMPTS) {
                return Err(unready(self.index, why, home::tail(&log)));
            }
            attempt += 1;
            // Else the next attempt would be judged by the words of this one.
            let _ = fs::remove_file(&log);
            port = ports::free(1)?.first().copied().unwrap_or(port);
        }
    }

    fn node(&self, port: u16) -> Node {
        Node {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            server_id: u32::try_from(self.index + 1).unwrap_or(u32::MAX),
            datadir: mariadb::datadir(&self.dir, self.index),
            container: None,
        }
    }
}

/// The error for a server that did not become ready.
pub(crate) fn unready(node: usize, why: Unready, log: String) -> SandboxError {
    match why {
        Unready::Ended(status) => SandboxError::ServerEnded { node, status, log },
        Unready::TimedOut(waited, last) => SandboxError::NotReady { node, waited, last, log },
    }
}
