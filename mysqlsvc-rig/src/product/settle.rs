//! Roles for all servers, and waiting until all is well.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_http::wire::{ClusterDocument, NodeState, PhaseName, Role};
use mysqlsvc_sandbox::{Account, Node, Sandbox};
use tokio::time::{Instant, sleep, timeout};

use super::{Product, ProductError};

const POLL: Duration = Duration::from_millis(20);
const SQL_LIMIT: Duration = Duration::from_secs(5);

impl Product {
    /// Registers the servers of a wired sandbox: the first as master, the second as standby, all
    /// others as slaves.
    pub async fn register_all(
        &self,
        sandbox: &Sandbox,
        limit: Duration,
    ) -> Result<(), ProductError> {
        self.until(limit, |cluster| {
            for address in sandbox.nodes().iter().map(Node::address) {
                let node = cluster.nodes.iter().find(|node| node.addr == address);
                if node.is_none_or(|node| node.version.is_none()) {
                    return Err(format!("{address} was not seen yet"));
                }
            }
            Ok(())
        })
        .await?;
        let roles = [Role::Master, Role::Standby].into_iter().chain(std::iter::repeat(Role::Slave));
        for (node, role) in sandbox.nodes().iter().zip(roles) {
            let address = node.address();
            let registering = self.api().register(self.cluster(), &address, role);
            registering.await.map_err(ProductError::api("register"))?;
        }
        Ok(())
    }

    /// Waits until every registered server is OK, no operation runs and the route is open.
    pub async fn await_settled(&self, limit: Duration) -> Result<ClusterDocument, ProductError> {
        self.until(limit, |cluster| {
            if cluster.operation.is_some() {
                return Err("an operation is still running".to_owned());
            }
            if cluster.phase != PhaseName::Open {
                return Err("the route is not open".to_owned());
            }
            let mut members = cluster.nodes.iter().filter(|node| node.role != Role::Unregistered);
            match members.find(|node| node.state != NodeState::Ok) {
                Some(node) => Err(format!(
                    "{} is {} ({})",
                    node.addr,
                    node.state,
                    node.cause.as_deref().unwrap_or("no cause given")
                )),
                None => Ok(()),
            }
        })
        .await
    }

    /// Waits until a switch to `to` would be accepted.
    pub async fn await_switchable(
        &self,
        to: &str,
        limit: Duration,
    ) -> Result<ClusterDocument, ProductError> {
        self.until(limit, |cluster| {
            let node = cluster.nodes.iter().find(|node| node.addr == to);
            let node = node.ok_or_else(|| format!("{to} is not there"))?;
            match node.allowed.iter().find(|allowed| allowed.operation == "switch") {
                Some(allowed) if allowed.ok => Ok(()),
                Some(allowed) => Err(format!(
                    "a switch to {to} is not allowed: {}",
                    allowed.reason.as_deref().unwrap_or("no reason given")
                )),
                None => Err(format!("a switch to {to} is not offered")),
            }
        })
        .await
    }

    /// Waits until `account` gets an answer through every proxy.
    pub async fn await_serving(
        &self,
        account: &Account,
        limit: Duration,
    ) -> Result<(), ProductError> {
        let deadline = Instant::now() + limit;
        for proxy in self.proxies() {
            let endpoint = proxy.endpoint(account);
            loop {
                let answered = async {
                    let mut conn = endpoint.connect(SQL_LIMIT).await?;
                    endpoint.bounded("ask", SQL_LIMIT, conn.query_drop("DO 1")).await?;
                    endpoint.bounded("log out", SQL_LIMIT, conn.disconnect()).await
                };
                match answered.await {
                    Ok(()) => break,
                    Err(error) if Instant::now() >= deadline => {
                        let seen = format!("{} proxy: {error}", proxy.mode());
                        return Err(ProductError::Unsettled { waited: limit, seen });
                    }
                    Err(_) => sleep(POLL).await,
                }
            }
        }
        Ok(())
    }

    /// Waits until `is_well` finds nothing wrong with the cluster; what it says is the error's text.
    pub async fn until(
        &self,
        limit: Duration,
        mut is_well: impl FnMut(&ClusterDocument) -> Result<(), String>,
    ) -> Result<ClusterDocument, ProductError> {
        let mut seen = "no answer yet".to_owned();
        let looking = async {
            loop {
                match self.api().cluster(self.cluster()).await {
                    Ok(cluster) => match is_well(&cluster) {
                        Ok(()) => return cluster,
                        Err(wrong) => seen = wrong,
                    },
                    Err(error) => seen = error.to_string(),
                }
                sleep(POLL).await;
            }
        };
        let looked = timeout(limit, looking).await;
        looked.map_err(|_| ProductError::Unsettled { waited: limit, seen })
    }
}
