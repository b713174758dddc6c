//! How a product is asked for.

use std::{
    env,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use mysqlsvc_http::{client::ApiClient, wire::ProxyMode};
use mysqlsvc_sandbox::{
    Sandbox,
    guard::{Guard, Program, Ward},
};
use uuid::Uuid;

use super::{
    Product, ProductError, Programs, Proxy,
    daemon::Daemon,
    home::{self, Config},
    launch::on_free_ports,
};

/// Limit of each call of the API: longer than monitord waits for the end of what it was told to do
/// to a node.
const CALL_LIMIT: Duration = Duration::from_secs(45);

/// What the guard ends. Every program gets a path below the directory as an argument of its own.
const PROGRAMS: [Program; 2] =
    [Program { name: "monitord", option: "" }, Program { name: "proxyd", option: "" }];

/// Collects the options of a product; see [`Product::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is started before start()"]
pub struct ProductBuilder {
    programs: Option<Programs>,
    cluster: String,
    proxies: Vec<ProxyMode>,
    probe: Vec<(String, String)>,
    switch: Vec<(String, String)>,
    semi_sync: Vec<(String, String)>,
    clone: Vec<(String, String)>,
}

impl ProductBuilder {
    pub(super) fn new() -> Self {
        Self {
            programs: None,
            cluster: "main".to_owned(),
            proxies: vec![ProxyMode::Master, ProxyMode::Slave],
            probe: Vec::new(),
            switch: Vec::new(),
            semi_sync: Vec::new(),
            clone: Vec::new(),
        }
    }

    /// The programs to run; [`Programs::find`] when not said.
    pub fn programs(mut self, programs: Programs) -> Self {
        self.programs = Some(programs);
        self
    }

    /// The proxies to run; one of each mode when not said.
    pub fn proxies(mut self, modes: impl Into<Vec<ProxyMode>>) -> Self {
        self.proxies = modes.into();
        self
    }

    /// One more line `key = value` for `[cluster.probe]`; the value as TOML.
    pub fn probe_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.probe.push((key.into(), value.into()));
        self
    }

    /// One more line `key = value` for `[cluster.switch]`; the value as TOML.
    pub fn switch_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.switch.push((key.into(), value.into()));
        self
    }

    /// One more line `key = value` for `[cluster.semi_sync]`, which is there only if this is called;
    /// the value as TOML.
    pub fn semi_sync_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.semi_sync.push((key.into(), value.into()));
        self
    }

    /// One more line `key = value` for `[cluster.clone]`; the value as TOML.
    pub fn clone_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.clone.push((key.into(), value.into()));
        self
    }

    /// Starts monitord for all servers of `sandbox`, and the proxies; returns once each listens. No
    /// server is registered yet, so the proxies serve nobody.
    ///
    /// When it fails, or its future is dropped, everything that was started is ended first.
    pub async fn start(self, sandbox: &Sandbox) -> Result<Product, ProductError> {
        let programs = match &self.programs {
            Some(programs) => programs.clone(),
            None => Programs::find()?,
        };
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(12);
        let dir = env::temp_dir().join(format!("mysqlsvc-rig-{id}"));
        let guard = Guard::spawn(&Ward {
            dir: &dir,
            id: &id,
            marker: home::MARKER,
            programs: &PROGRAMS,
            docker: false,
        })?;
        home::create(&dir, &id)?;
        let ([http, sse], monitord) = on_free_ports(async |[http, sse]| {
            self.write_files(&dir, http, sse, sandbox)?;
            monitord(&programs.monitord, &dir).launch().await
        })
        .await?;
        let mut proxies = Vec::new();
        for (number, mode) in (1..).zip(&self.proxies) {
            let (_, proxy) = on_free_ports(async |[address, admin]| {
                let place = Place { dir: &dir, number, address, admin };
                proxy(&programs.proxyd, *mode, &place, sse, &self.cluster).await
            })
            .await?;
            proxies.push(proxy);
        }
        let api = ApiClient::new(format!("http://{http}").parse()?, CALL_LIMIT)?;
        Ok(Product { cluster: self.cluster, http, sse, api, proxies, monitord, dir, guard })
    }

    fn write_files(
        &self,
        dir: &Path,
        http: SocketAddr,
        sse: SocketAddr,
        sandbox: &Sandbox,
    ) -> Result<(), ProductError> {
        home::write_secrets(&dir.join("secret.conf"), sandbox.accounts())?;
        let config = Config {
            dir,
            http,
            sse,
            cluster: &self.cluster,
            nodes: sandbox.nodes(),
            probe: &self.probe,
            switch: &self.switch,
            semi_sync: &self.semi_sync,
            clone: &self.clone,
        };
        config.write(&dir.join("monitord.toml"))
    }
}

fn monitord(program: &Path, dir: &Path) -> Daemon {
    let ready = dir.join("monitord.addresses");
    let arguments = vec![
        "--config".into(),
        dir.join("monitord.toml").into(),
        "--address-file".into(),
        ready.clone().into(),
    ];
    Daemon::new("monitord", program, arguments, dir.join("monitord.log"), ready)
}

/// Where a proxy is to be.
struct Place<'a> {
    dir: &'a Path,
    number: usize,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Place<'_> {
    fn file(&self, suffix: &str) -> PathBuf {
        self.dir.join(format!("proxyd-{}.{suffix}", self.number))
    }
}

async fn proxy(
    program: &Path,
    mode: ProxyMode,
    place: &Place<'_>,
    sse: SocketAddr,
    cluster: &str,
) -> Result<Proxy, ProductError> {
    let text = |value: String| OsString::from(value);
    let ready = place.file("port");
    let arguments = vec![
        "--port".into(),
        text(place.address.port().to_string()),
        "--listen".into(),
        text(place.address.ip().to_string()),
        "--mode".into(),
        text(mode.to_string()),
        "--monitor".into(),
        text(format!("http://{sse}")),
        "--cluster".into(),
        text(cluster.to_owned()),
        "--admin".into(),
        text(place.admin.to_string()),
        "--state".into(),
        place.file("state").into(),
        "--proxy-id".into(),
        text(format!("proxyd-{}", place.number)),
        "--drain".into(),
        text("2".to_owned()),
        "--port-file".into(),
        ready.clone().into(),
    ];
    let daemon = Daemon::new("proxyd", program, arguments, place.file("log"), ready);
    let daemon = daemon.launch().await?;
    Ok(Proxy { mode, address: place.address, admin: place.admin, daemon })
}
