//! A wired sandbox with the product beside it, all of it registered and serving.

use std::time::Duration;

use mysqlsvc_http::wire::ProxyMode;
use mysqlsvc_rig::{Endpoint, Product, ProductBuilder, create_tables};
use mysqlsvc_sandbox::{Flavor, Node, Sandbox, SandboxBuilder};

use crate::{Api, LIMIT, Servers};

/// A machine that is busy with other tests may leave a healthy proxy without a turn for longer than
/// the 500 ms of the default.
const ACK_TIMEOUT: &str = "\"4s\"";

/// More than the limits of a switch together.
const HOLD_TIMEOUT: &str = "\"20s\"";

/// Servers, monitord and proxies.
#[derive(Debug)]
pub struct Bed {
    /// The product; dropped first.
    pub product: Product,
    /// The servers.
    pub sandbox: Sandbox,
}

impl Bed {
    /// The first server is the master, the second its standby, the others are slaves. All of them
    /// have the tables of the load.
    pub async fn start(flavor: Flavor, nodes: usize) -> Self {
        Self::start_with(flavor, nodes, |builder| builder).await
    }

    /// The same with settings of one's own.
    pub async fn start_with(
        flavor: Flavor,
        nodes: usize,
        settings: impl FnOnce(ProductBuilder) -> ProductBuilder,
    ) -> Self {
        Self::start_on(Sandbox::builder().flavor(flavor).nodes(nodes), settings).await
    }

    /// The same on servers of one's own choice.
    pub async fn start_on(
        servers: SandboxBuilder,
        settings: impl FnOnce(ProductBuilder) -> ProductBuilder,
    ) -> Self {
        let sandbox = servers.wire(true).start().await.unwrap();
        let builder = Product::builder()
            .probe_setting("interval", "\"200ms\"")
            .switch_setting("ack_timeout", ACK_TIMEOUT)
            .switch_setting("hold_timeout", HOLD_TIMEOUT);
        let product = settings(builder).start(&sandbox).await.unwrap();
        let bed = Self { product, sandbox };
        let nodes: Vec<String> = bed.sandbox.nodes().iter().map(Node::address).collect();
        // Where semi-sync is managed, the monitor would begin with it at the first of them.
        bed.api().maintenance(true).await;
        bed.api().register_all(&nodes).await;
        bed.api().maintenance(false).await;
        bed.api().until_settled().await;
        bed.product.await_serving(&bed.sandbox.accounts().app, LIMIT).await.unwrap();
        create_tables(&bed.through_proxy()).await.unwrap();
        bed.servers().until_tables_everywhere().await;
        bed
    }

    /// The API.
    pub fn api(&self) -> Api {
        Api::new(self.product.api())
    }

    /// The servers, asked directly.
    pub fn servers(&self) -> Servers<'_> {
        Servers(&self.sandbox)
    }

    /// Address of a server.
    pub fn address(&self, server: usize) -> String {
        self.sandbox.nodes()[server].address()
    }

    /// The application at the master's proxy.
    pub fn through_proxy(&self) -> Endpoint {
        let proxy = self.product.proxy(ProxyMode::Master).unwrap();
        proxy.endpoint(&self.sandbox.accounts().app)
    }

    /// The application at the slaves' proxy.
    pub fn through_slave_proxy(&self) -> Endpoint {
        let proxy = self.product.proxy(ProxyMode::Slave).unwrap();
        proxy.endpoint(&self.sandbox.accounts().app)
    }

    /// The application at a server itself.
    pub fn direct(&self, server: usize) -> Endpoint {
        Endpoint::direct(&self.sandbox.nodes()[server], &self.sandbox.accounts().app)
    }

    /// All servers but one, directly.
    pub fn others(&self, but: usize) -> Vec<Endpoint> {
        (0..self.sandbox.nodes().len())
            .filter(|one| *one != but)
            .map(|one| self.direct(one))
            .collect()
    }

    /// Ends everything in good order.
    pub async fn down(self) {
        self.product.down().await.unwrap();
        self.sandbox.down().await.unwrap();
    }

    /// A short pause between rows, so that two cores are enough for servers and tests.
    pub const PAUSE: Duration = Duration::from_millis(5);
}
