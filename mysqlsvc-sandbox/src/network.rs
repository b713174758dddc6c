//! The private docker network of a sandbox, with addresses that survive a restart.

use std::net::Ipv4Addr;

use crate::{
    docker::{Docker, LABEL},
    error::SandboxError,
};

/// How often a subnet may be snatched away by another network before we give up.
const ATTEMPTS: u32 = 20;

/// A network whose subnet was named when it was made, for only then docker lets us choose the
/// address of a container, and keeps it when the container restarts or is reconnected.
#[derive(Debug)]
pub(crate) struct Network {
    docker: Docker,
    name: String,
    base: Ipv4Addr,
}

impl Network {
    /// The name of the network of the sandbox `id`.
    pub(crate) fn name_for(id: &str) -> String {
        format!("mysqlsvc-sandbox-{id}")
    }

    /// Makes the network of the sandbox `id`.
    ///
    /// Docker knows best which subnet is free on this host, so it is let choose one; the network
    /// is then made again with that subnet named.
    pub(crate) async fn create(docker: Docker, id: &str) -> Result<Self, SandboxError> {
        let name = Self::name_for(id);
        let label = format!("{LABEL}={id}");
        let create = ["network", "create", "--label", &label];
        let mut attempt = 1;
        loop {
            docker.run(&[&create[..], &[&name]].concat()).await?;
            let format = "{{(index .IPAM.Config 0).Subnet}}";
            let subnet = docker.run(&["network", "inspect", "--format", format, &name]).await?;
            docker.run(&["network", "rm", &name]).await?;
            match docker.run(&[&create[..], &["--subnet", &subnet, &name]].concat()).await {
                Ok(_) => {
                    return Ok(Self { docker, name, base: base(&subnet)? });
                }
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The address of the server with this number: out of the way of those docker gives itself.
    pub(crate) fn address(&self, index: usize) -> Ipv4Addr {
        let offset = u32::try_from(index).unwrap_or_default() + 100;
        Ipv4Addr::from_bits(self.base.to_bits() + offset)
    }

    /// Connects a container under its own address.
    pub(crate) async fn connect(
        &self,
        container: &str,
        address: Ipv4Addr,
    ) -> Result<(), SandboxError> {
        let address = address.to_string();
        let arguments = ["network", "connect", "--ip", &address, &self.name, container];
        self.docker.run(&arguments).await.map(drop)
    }

    /// Takes a container off the network; packets to and from it vanish.
    pub(crate) async fn disconnect(&self, container: &str) -> Result<(), SandboxError> {
        self.docker.run(&["network", "disconnect", &self.name, container]).await.map(drop)
    }
}

/// The network address of a subnet that has room for all servers.
fn base(subnet: &str) -> Result<Ipv4Addr, SandboxError> {
    subnet
        .split_once('/')
        .and_then(|(base, bits)| Some((base.parse().ok()?, bits.parse::<u8>().ok()?)))
        .filter(|(_, bits)| *bits <= 24)
        .map(|(base, _)| base)
        .ok_or_else(|| SandboxError::Command {
            what: "making the docker network".into(),
            detail: format!(
                "docker chose the subnet {subnet}; an IPv4 one of at least 256 addresses is \
                 needed: see default-address-pools in /etc/docker/daemon.json"
            ),
        })
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn only_roomy_ipv4_subnets_are_taken() {
        assert_eq!(base("172.18.0.0/16").unwrap().to_string(), "172.18.0.0");
        assert_eq!(base("10.1.2.0/24").unwrap().to_string(), "10.1.2.0");
        for bad in ["10.0.0.0/28", "fd00::/64", "", "10.0.0.0"] {
            assert!(base(bad).is_err(), "{bad} was taken");
        }
    }
}
