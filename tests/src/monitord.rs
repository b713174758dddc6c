//! A monitord process on any list of addresses.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use mysqlsvc_http::client::ApiClient;
use mysqlsvc_rig::Programs;
use mysqlsvc_sandbox::{Accounts, ports};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{Api, eventually};

/// What goes into the configuration file.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Addresses of the static discovery.
    pub nodes: Vec<String>,
    /// Lines of `secret.conf`.
    pub secrets: String,
    /// Lines of `[cluster.probe]`.
    pub probe: String,
    /// Lines of `[cluster.switch]`.
    pub switch: String,
}

impl Setup {
    /// These addresses, with the accounts of a sandbox.
    pub fn new(nodes: impl Into<Vec<String>>, accounts: &Accounts) -> Self {
        Self { nodes: nodes.into(), secrets: secrets(accounts), ..Self::default() }
    }
}

/// `secret.conf` for a sandbox.
pub fn secrets(accounts: &Accounts) -> String {
    let (dba, repl) = (accounts.dba.password.expose(), accounts.repl.password.expose());
    format!("dba_passwd={dba}\nrepl_passwd={repl}\n")
}

/// A running monitord; killed when dropped.
#[derive(Debug)]
pub struct Monitord {
    /// API and pages.
    pub http: SocketAddr,
    /// Routes for proxies.
    pub sse: SocketAddr,
    /// Its API.
    pub api: Api,
    dir: TempDir,
    child: Option<Child>,
}

impl Monitord {
    /// Starts one and waits until it listens; on other ports where another program was quicker.
    pub async fn start(setup: &Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [http, sse] = free_addresses();
        write_files(dir.path(), http, sse, setup);
        let client = ApiClient::new(format!("http://{http}").parse().unwrap(), CALL).unwrap();
        let mut monitord = Self { http, sse, api: Api::new(&client), dir, child: None };
        match monitord.begin().await {
            Ok(()) => monitord,
            Err(log) if log.contains("Address already in use") => {
                Box::pin(Self::start(setup)).await
            }
            Err(log) => panic!("{log}"),
        }
    }

    /// Starts it once more with the same addresses and state.
    pub async fn start_again(&mut self) {
        self.begin().await.unwrap_or_else(|log| panic!("{log}"));
    }

    /// Its end and its log, if it ends before it listens.
    async fn begin(&mut self) -> Result<(), String> {
        let ready = self.dir.path().join("addresses");
        let _ = fs::remove_file(&ready);
        let mut child = command(&self.config())
            .arg("--address-file")
            .arg(&ready)
            .stderr(self.open_log())
            .spawn()
            .unwrap();
        eventually("monitord listening", async || {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(Err(format!("monitord ended ({status}):\n{}", self.log())));
            }
            ready.exists().then_some(Ok(()))
        })
        .await?;
        self.child = Some(child);
        Ok(())
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("monitord.toml")
    }

    /// Its state directory.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Ends it by SIGKILL.
    pub async fn kill(&mut self) {
        self.child.take().expect("it runs").kill().await.unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().expect("it was not waited for").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(crate::LIMIT, child.wait()).await.expect("it never ended").unwrap()
    }

    fn open_log(&self) -> fs::File {
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true).open(self.dir.path().join("log")).unwrap()
    }
}

/// Longer than monitord waits for the end of what it was told to do to a node.
const CALL: Duration = Duration::from_secs(45);

/// Runs monitord to its end, with arguments of its own: exit code, stdout, stderr.
pub async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(Programs::find().unwrap().monitord);
    clean(&mut command);
    let output = command.args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(crate::LIMIT, output).await.expect("it never ended").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn command(config: &Path) -> Command {
    let mut command = Command::new(Programs::find().unwrap().monitord);
    clean(&mut command);
    command.arg("--config").arg(config).kill_on_drop(true);
    command
}

/// Nothing of the caller's environment counts.
fn clean(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.starts_with("MYSQLSVC_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").stdin(Stdio::null());
}

/// Writes configuration and secrets.
pub fn write_files(dir: &Path, http: SocketAddr, sse: SocketAddr, setup: &Setup) {
    let nodes: Vec<String> = setup.nodes.iter().map(|node| format!("\"{node}\"")).collect();
    let mut text = format!(
        "[monitor]\nhttp = \"{http}\"\nsse = \"{sse}\"\nstate = \"state\"\n\
         secrets = \"secret.conf\"\n[[cluster]]\nname = \"main\"\n\
         discovery = {{ kind = \"static\", nodes = [{}] }}\n",
        nodes.join(", ")
    );
    for (section, lines) in [("probe", &setup.probe), ("switch", &setup.switch)] {
        let _ = write!(text, "[cluster.{section}]\n{lines}\n");
    }
    fs::write(dir.join("monitord.toml"), text).unwrap();
    let file = dir.join("secret.conf");
    fs::write(&file, &setup.secrets).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Addresses of loopback that nobody listens on, below the kernel's range for outgoing connections.
pub fn free_addresses<const COUNT: usize>() -> [SocketAddr; COUNT] {
    let ports = ports::free(COUNT).unwrap();
    std::array::from_fn(|place| SocketAddr::from((Ipv4Addr::LOCALHOST, ports[place])))
}
