//! monitord and its proxies as processes beside a sandbox.

mod builder;
mod daemon;
mod error;
mod home;
mod launch;
mod programs;
mod settle;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use mysqlsvc_http::{
    client::ApiClient,
    wire::{OperationDocument, ProxyMode, SwitchRequest},
};
use mysqlsvc_sandbox::{Account, guard::Guard};

use crate::Endpoint;
pub use builder::ProductBuilder;
use daemon::Daemon;
pub use error::ProductError;
pub use programs::Programs;

/// A running monitord and its proxies. Gone after [`Product::down`] or when dropped, and also when
/// its owner is killed: a guard process waits for that, as in the sandbox.
#[derive(Debug)]
pub struct Product {
    cluster: String,
    http: SocketAddr,
    sse: SocketAddr,
    api: ApiClient,
    proxies: Vec<Proxy>,
    monitord: Daemon,
    dir: PathBuf,
    guard: Guard,
}

/// A running proxyd.
#[derive(Debug)]
pub struct Proxy {
    mode: ProxyMode,
    address: SocketAddr,
    admin: SocketAddr,
    daemon: Daemon,
}

impl Proxy {
    /// Which half of the cluster it serves.
    pub fn mode(&self) -> ProxyMode {
        self.mode
    }

    /// Where applications connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics`, `/healthz`, `/readyz` and `/route` are.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.daemon.pid()
    }

    /// Where it logs.
    pub fn log(&self) -> &Path {
        self.daemon.log()
    }

    /// `account` through this proxy.
    pub fn endpoint(&self, account: &Account) -> Endpoint {
        Endpoint::new(&self.address.ip().to_string(), self.address.port(), account)
    }
}

impl Product {
    /// A product to be, of one proxy for the master and one for the slaves unless told otherwise.
    pub fn builder() -> ProductBuilder {
        ProductBuilder::new()
    }

    /// Name of the one cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Where API and pages are.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where proxies get their routes.
    pub fn sse(&self) -> SocketAddr {
        self.sse
    }

    /// A client of the API.
    pub fn api(&self) -> &ApiClient {
        &self.api
    }

    /// The proxies, in the order in which they were asked for.
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The first proxy of this mode.
    pub fn proxy(&self, mode: ProxyMode) -> Result<&Proxy, ProductError> {
        let mut proxies = self.proxies.iter();
        proxies.find(|proxy| proxy.mode == mode).ok_or(ProductError::NoProxy { mode })
    }

    /// Configuration, secrets, state and logs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Process id of monitord, while it runs.
    pub fn monitord_pid(&self) -> Option<u32> {
        self.monitord.pid()
    }

    /// Where monitord logs.
    pub fn monitord_log(&self) -> &Path {
        self.monitord.log()
    }

    /// Begins a planned switch to `to` and waits up to `wait` for its end.
    pub async fn switch(
        &self,
        to: &str,
        wait: Duration,
    ) -> Result<OperationDocument, ProductError> {
        let request =
            SwitchRequest { to: to.to_owned(), strategy: None, dry_run: false, confirm: None };
        let switching = self.api.switch(&self.cluster, request, Some(wait));
        switching.await.map_err(ProductError::api("switch"))
    }

    /// Ends monitord by SIGKILL.
    pub async fn kill_monitord(&mut self) -> Result<(), ProductError> {
        self.monitord.kill().await
    }

    /// Starts monitord with the same addresses and state, and waits until it listens.
    pub async fn start_monitord(&mut self) -> Result<(), ProductError> {
        self.monitord.start()?;
        self.monitord.await_ready().await
    }

    /// Ends everything in good order, and removes the directory.
    pub async fn down(mut self) -> Result<(), ProductError> {
        for proxy in &mut self.proxies {
            proxy.daemon.terminate().await?;
        }
        self.monitord.terminate().await?;
        Ok(self.guard.remove().await?)
    }
}
