//! The servers of a sandbox that runs docker containers.

use std::{
    fmt::Write as _,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use testcontainers::{GenericImage, ImageExt as _, core::Mount, runners::AsyncRunner as _};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    account::{Account, Accounts},
    docker::{Docker, LABEL},
    error::{SandboxError, io_error},
    flavor::Flavor,
    grants, home,
    image::Recipe,
    network::Network,
    node::Node,
    processes::{Started, unready},
    session, settings, tools,
};

const READY_LIMIT: Duration = Duration::from_mins(2);
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_SECONDS: &str = "30";
const PORT: u16 = 3306;
const ENTRY: &str = include_str!("container.sh");

/// Running containers, one for each node.
#[derive(Debug)]
pub(crate) struct Containers {
    dir: PathBuf,
    docker: Docker,
    network: Network,
    root: Account,
    addresses: Vec<Ipv4Addr>,
    names: Vec<String>,
}

/// What is asked of the containers.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) id: String,
    pub(crate) flavor: Flavor,
    /// Of the server in the image.
    pub(crate) version: String,
    pub(crate) count: usize,
    pub(crate) durable: bool,
    pub(crate) semi_sync: bool,
    pub(crate) gtid: bool,
    pub(crate) options: Vec<(String, String)>,
}

impl Containers {
    /// Starts the containers at the same time, and waits until all servers are ready.
    pub(crate) async fn start(
        docker: Docker,
        plan: Plan,
        accounts: &Accounts,
    ) -> Result<Started<Self>, SandboxError> {
        let network = Network::create(docker.clone(), &plan.id).await?;
        let indices = 0..plan.count;
        let containers = Arc::new(Self {
            dir: plan.dir.clone(),
            docker,
            root: accounts.root.clone(),
            addresses: indices.clone().map(|index| network.address(index)).collect(),
            names: indices
                .clone()
                .map(|index| format!("{}-node{}", network.name(), index + 1))
                .collect(),
            network,
        });
        let sql: Arc<str> = match plan.flavor {
            Flavor::MariaDb => grants::mariadb(accounts),
            Flavor::MySql => grants::mysql(accounts, &plan.version),
        }
        .into();
        let plan = Arc::new(plan);
        let mut starting = JoinSet::new();
        for index in indices {
            let (containers, plan, sql) =
                (Arc::clone(&containers), Arc::clone(&plan), Arc::clone(&sql));
            starting.spawn(async move { containers.start_node(index, &plan, &sql).await });
        }
        let mut started = Vec::new();
        while let Some(joined) = starting.join_next().await {
            started.push(joined.unwrap_or_else(|panic| Err(ended_badly(panic.to_string())))?);
        }
        started.sort_by_key(|(node, _)| node.server_id);
        let version = started.first().map(|(_, version)| version.clone()).unwrap_or_default();
        let nodes = started.into_iter().map(|(node, _)| node).collect();
        let containers = Arc::try_unwrap(containers)
            .map_err(|_| ended_badly("a starting task is still there".into()))?;
        Ok((containers, nodes, version))
    }

    async fn start_node(
        &self,
        index: usize,
        plan: &Plan,
        sql: &str,
    ) -> Result<(Node, String), SandboxError> {
        let node = self.node(index)?;
        let home = node_dir(&self.dir, index);
        fs::create_dir(&home).map_err(io_error("make", &home))?;
        home::write_private(&home.join("my.cnf"), &option_file(&node, plan))?;
        home::write_private(&home.join("accounts.sql"), sql)?;
        self.launch(index, plan, &home).await?;
        let version = self.wait_ready(index, &node).await?;
        let sql = home.join("accounts.sql");
        fs::remove_file(&sql).map_err(io_error("remove", sql))?;
        Ok((node, version))
    }

    /// Starts one container by testcontainers, and gives it its lasting address.
    async fn launch(&self, index: usize, plan: &Plan, home: &Path) -> Result<(), SandboxError> {
        let name = self.name(index)?;
        let user = format!("{}:{}", rustix::process::getuid(), rustix::process::getgid());
        let recipe = Recipe::of(plan.flavor);
        let request = GenericImage::new(recipe.name, recipe.tag)
            .with_entrypoint("sh")
            .with_cmd(["-c", ENTRY, "sandbox", recipe.server])
            .with_container_name(name)
            .with_network(self.network.name())
            .with_label(LABEL, &plan.id)
            .with_user(user)
            .with_mount(Mount::bind_mount(home.display().to_string(), "/sandbox"))
            .with_host_config_modifier(|host| host.publish_all_ports = Some(false));
        let failed = |detail: String| SandboxError::Control { node: index, what: "start", detail };
        let container = timeout(START_LIMIT, request.start())
            .await
            .map_err(|_| failed(format!("docker did not start it within {START_LIMIT:?}")))?
            .map_err(|error| failed(error.to_string()))?;
        // Removal is the guard's work alone, also when the sandbox outlives this process, so the
        // handle must not do it. What leaks is the handle, not the container.
        std::mem::forget(container);
        self.network.disconnect(name).await?;
        self.connect(index).await
    }

    async fn wait_ready(&self, index: usize, node: &Node) -> Result<String, SandboxError> {
        let ended = async {
            let waited = self.docker.run_for(READY_LIMIT * 2, &["wait", self.name(index)?]).await?;
            Ok::<_, SandboxError>(format!("exit status {waited}"))
        };
        let ended = async {
            match ended.await {
                Ok(status) => status,
                // Docker's trouble, not the server's: the limit decides.
                Err(_) => std::future::pending().await,
            }
        };
        let log = || home::tail(&node_dir(&self.dir, index).join("error.log"));
        session::wait_ready(node, &self.root, READY_LIMIT, ended)
            .await
            .map_err(|why| unready(index, why, log()))
    }

    pub(crate) async fn kill(&self, index: usize) -> Result<(), SandboxError> {
        let name = self.name(index)?;
        if !self.is(index, "Running").await? {
            return Ok(());
        }
        // A paused container takes no signal.
        self.thaw(index).await?;
        self.docker.run(&["kill", name]).await?;
        self.docker.run(&["wait", name]).await.map(drop)
    }

    pub(crate) async fn pause(&self, index: usize) -> Result<(), SandboxError> {
        self.docker.run(&["pause", self.name(index)?]).await.map(drop)
    }

    pub(crate) async fn resume(&self, index: usize) -> Result<(), SandboxError> {
        self.docker.run(&["unpause", self.name(index)?]).await.map(drop)
    }

    pub(crate) async fn stop(&self, index: usize) -> Result<(), SandboxError> {
        self.thaw(index).await?;
        self.docker.run(&["stop", "-t", STOP_SECONDS, self.name(index)?]).await.map(drop)
    }

    pub(crate) async fn restart(&self, index: usize, node: &Node) -> Result<(), SandboxError> {
        self.stop(index).await?;
        self.docker.run(&["start", self.name(index)?]).await?;
        self.wait_ready(index, node).await.map(drop)
    }

    pub(crate) async fn disconnect(&self, index: usize) -> Result<(), SandboxError> {
        self.network.disconnect(self.name(index)?).await
    }

    pub(crate) async fn connect(&self, index: usize) -> Result<(), SandboxError> {
        let address = self.addresses.get(index).copied();
        let address = address.ok_or_else(|| self.no_such_node(index))?;
        self.network.connect(self.name(index)?, address).await
    }

    async fn thaw(&self, index: usize) -> Result<(), SandboxError> {
        if self.is(index, "Paused").await? { self.resume(index).await } else { Ok(()) }
    }

    /// Whether the container is in this state of docker's.
    async fn is(&self, index: usize, state: &str) -> Result<bool, SandboxError> {
        let format = format!("{{{{.State.{state}}}}}");
        let seen = self.docker.run(&["inspect", "--format", &format, self.name(index)?]).await?;
        Ok(seen == "true")
    }

    fn node(&self, index: usize) -> Result<Node, SandboxError> {
        Ok(Node {
            host: self.network.address(index).to_string(),
            port: PORT,
            server_id: u32::try_from(index + 1).unwrap_or(u32::MAX),
            datadir: node_dir(&self.dir, index).join("data"),
            container: Some(self.name(index)?.to_owned()),
        })
    }

    fn name(&self, index: usize) -> Result<&str, SandboxError> {
        self.names.get(index).map(String::as_str).ok_or_else(|| self.no_such_node(index))
    }

    fn no_such_node(&self, node: usize) -> SandboxError {
        SandboxError::NoSuchNode { node, count: self.names.len() }
    }
}

fn node_dir(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("node{}", index + 1))
}

fn ended_badly(detail: String) -> SandboxError {
    SandboxError::Command { what: "starting a container".into(), detail }
}

fn option_file(node: &Node, plan: &Plan) -> String {
    let mut text = String::from("[mysqld]\n");
    if tools::is_root() {
        text.push_str("user=root\n");
    }
    text.push_str(PLACES);
    text.push_str(settings::of(plan.flavor));
    let _ = writeln!(text, "server_id={}\nreport_host={}", node.server_id, node.host);
    text.push_str(settings::durability(plan.durable));
    if plan.semi_sync {
        text.push_str(settings::semi_sync(plan.flavor));
    }
    if !plan.gtid {
        text.push_str(settings::WITHOUT_GTID);
    }
    settings::push_options(&mut text, &plan.options);
    text
}

/// Where a server has its files, in the container.
const PLACES: &str = "\
datadir=/sandbox/data
log_error=/sandbox/error.log
pid_file=/sandbox/mysqld.pid
socket=/tmp/mysql.sock
";
