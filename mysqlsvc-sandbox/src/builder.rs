//! How a sandbox is asked for.

use std::path::{Path, PathBuf};

use crate::{
    account::Accounts,
    containers::{Containers, Plan},
    docker::Docker,
    error::SandboxError,
    flavor::{Flavor, Runtime},
    guarded, home,
    image::{self, Recipe},
    mariadb::{self, MariaDb},
    network::Network,
    processes::{Processes, Started},
    record::Description,
    sandbox::{Backend, Sandbox},
};

/// More servers than this on one machine is a mistake in a number.
const MOST_NODES: usize = 64;

/// Collects the options of a sandbox; see [`Sandbox::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is started before start()"]
#[expect(clippy::struct_excessive_bools, reason = "each is one option's yes or no")]
pub struct SandboxBuilder {
    flavor: Flavor,
    runtime: Option<Runtime>,
    nodes: usize,
    dir: Option<PathBuf>,
    base_port: Option<u16>,
    wire: bool,
    durable: bool,
    semi_sync: bool,
    gtid: bool,
    options: Vec<(String, String)>,
}

impl SandboxBuilder {
    pub(crate) fn new() -> Self {
        Self {
            flavor: Flavor::MariaDb,
            runtime: None,
            nodes: 4,
            dir: None,
            base_port: None,
            wire: false,
            durable: true,
            semi_sync: false,
            gtid: true,
            options: Vec::new(),
        }
    }

    /// The kind of servers; MariaDB when not said.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.flavor = flavor;
        self
    }

    /// How to run them, and with that which version; [`Flavor::default_runtime`] when not said.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// How many servers, 1 to 64; four when not said.
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// The directory to make, which must be missing or empty and is removed with the sandbox; a
    /// new one below the system's directory for temporary files when not said.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Ports from this one on, for plain processes; free ones are chosen when not said.
    pub fn base_port(mut self, port: u16) -> Self {
        self.base_port = Some(port);
        self
    }

    /// Whether to open the first server and make the others replicate from it. When not, all stay
    /// read-only and alone.
    pub fn wire(mut self, wire: bool) -> Self {
        self.wire = wire;
        self
    }

    /// Whether each commit is on disk before it is acknowledged (the default). Without, the
    /// servers are faster, and a kill of the machine, not of a server, may lose transactions.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// One more line `name=value` for every server's option file; wins over the sandbox's own.
    pub fn server_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// Loads what MySQL's servers need for semi-synchronous replication, switched off. MariaDB has
    /// it built in.
    pub fn semi_sync(mut self) -> Self {
        self.semi_sync = true;
        self
    }

    /// Whether transactions have GTIDs (the default). Without, `gtid_mode` is OFF and replicas are
    /// wired by position. MariaDB always has them.
    pub fn gtid(mut self, gtid: bool) -> Self {
        self.gtid = gtid;
        self
    }

    /// Starts the servers and waits until they are ready, and wired if asked for.
    ///
    /// When it fails, or its future is dropped, everything that was made is removed first.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        let runtime = self.check()?;
        let id = home::new_id();
        let dir = home::choose(self.dir.as_deref(), &id)?;
        let accounts = Accounts::random();
        let (guard, network, (backend, nodes, version)) = match runtime {
            Runtime::Process => {
                let programs = mariadb::programs().await?;
                let guard = guarded::spawn(&dir, &id, runtime)?;
                home::create(&dir, &id)?;
                (guard, None, self.start_processes(programs, &dir, &accounts).await?)
            }
            Runtime::Container => {
                let docker = Docker::find().await?;
                let version = image::ensure(&docker, Recipe::of(self.flavor)).await?;
                let guard = guarded::spawn(&dir, &id, runtime)?;
                home::create(&dir, &id)?;
                let started = self.start_containers(docker, &id, &dir, &accounts, version);
                (guard, Some(Network::name_for(&id)), started.await?)
            }
        };
        let description = Description {
            flavor: self.flavor,
            version,
            nodes,
            accounts,
            id,
            runtime,
            dir,
            network,
        };
        description.save()?;
        let sandbox = Sandbox::new(description, backend, guard);
        if self.wire {
            sandbox.wire().await?;
        }
        Ok(sandbox)
    }

    async fn start_processes(
        &self,
        programs: mariadb::Programs,
        dir: &Path,
        accounts: &Accounts,
    ) -> Result<Started<Backend>, SandboxError> {
        let servers = MariaDb::new(programs, self.durable, self.options.clone());
        let (processes, nodes, version) =
            Processes::start(dir.to_owned(), servers, accounts, self.nodes, self.base_port).await?;
        Ok((Backend::Processes(processes), nodes, version))
    }

    async fn start_containers(
        &self,
        docker: Docker,
        id: &str,
        dir: &Path,
        accounts: &Accounts,
        version: String,
    ) -> Result<Started<Backend>, SandboxError> {
        let plan = Plan {
            dir: dir.to_owned(),
            id: id.to_owned(),
            flavor: self.flavor,
            version,
            count: self.nodes,
            durable: self.durable,
            semi_sync: self.semi_sync,
            gtid: self.gtid,
            options: self.options.clone(),
        };
        let (containers, nodes, version) = Containers::start(docker, plan, accounts).await?;
        Ok((Backend::Containers(containers), nodes, version))
    }

    /// Checks the options before anything exists.
    fn check(&self) -> Result<Runtime, SandboxError> {
        if !(1..=MOST_NODES).contains(&self.nodes) {
            return Err(SandboxError::Option {
                option: "--nodes",
                problem: format!("{} is not between 1 and {MOST_NODES}", self.nodes),
            });
        }
        let supported = self.flavor.default_runtime();
        if !self.gtid && self.flavor == Flavor::MariaDb {
            return Err(SandboxError::Option {
                option: "--without-gtids",
                problem: "MariaDB's transactions always have GTIDs".into(),
            });
        }
        let runtime = self.runtime.unwrap_or(supported);
        if !self.flavor.runs_as(runtime) {
            return Err(SandboxError::Unsupported { flavor: self.flavor, runtime, supported });
        }
        if runtime == Runtime::Container && self.base_port.is_some() {
            return Err(SandboxError::Option {
                option: "--base-port",
                problem: "containers listen on port 3306 of their own addresses".into(),
            });
        }
        Ok(runtime)
    }
}
