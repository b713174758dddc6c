//! How a world begins.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex},
};

use uuid::Uuid;

use super::{World, cluster::Cluster};
use crate::{
    Flavor, Identity, NodeId, ReadOnly,
    backend::FollowManner,
    testing::server::{Server, Statement, beginning},
};

/// Makes a [`World`].
#[derive(Debug, Clone, Copy)]
pub struct WorldBuilder {
    flavor: Flavor,
    nodes: u8,
    mutual: bool,
    by_position: bool,
}

impl WorldBuilder {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self { flavor, nodes: 4, mutual: false, by_position: false }
    }

    /// How many servers, the first being the master of the others; 4 unless told otherwise.
    #[must_use]
    pub fn nodes(mut self, nodes: u8) -> Self {
        self.nodes = nodes;
        self
    }

    /// Whether the first server replicates from the second, too.
    #[must_use]
    pub fn mutual(mut self, mutual: bool) -> Self {
        self.mutual = mutual;
        self
    }

    /// Whether the servers give no GTIDs (`gtid_mode=OFF`); of MySQL only.
    #[must_use]
    pub fn by_position(mut self, by_position: bool) -> Self {
        self.by_position = by_position;
        self
    }

    /// The world: server 1 writable, all others read-only and following it, no data yet.
    pub fn build(self) -> World {
        let servers: BTreeMap<NodeId, Server> = (1..=self.nodes)
            .map(|number| {
                let identity = Identity {
                    server_id: u32::from(number),
                    server_uuid: (self.flavor == Flavor::MySql)
                        .then(|| Uuid::from_u128(u128::from(number))),
                };
                let mut server = Server::new(identity, self.flavor);
                server.by_position = self.by_position && self.flavor == Flavor::MySql;
                (node(number), server)
            })
            .collect();
        let mut cluster = Cluster::new(self.flavor, servers);
        let master = node(1);
        let standby = node(2);
        let opened = cluster.execute(&master, &Statement::SetReadOnly(ReadOnly::Off));
        debug_assert!(opened.is_ok() || self.nodes == 0, "a fresh server opens");
        for number in 2..=self.nodes {
            follow(&mut cluster, &node(number), &master, FollowManner::Replica);
        }
        if self.mutual && self.nodes > 1 {
            follow(&mut cluster, &master, &standby, FollowManner::Mutual);
        }
        World { cluster: Arc::new(Mutex::new(cluster)) }
    }
}

fn follow(cluster: &mut Cluster, node: &NodeId, source: &NodeId, manner: FollowManner) {
    let by_position = cluster.servers.get(node).is_some_and(|server| server.by_position);
    let (source, at) = (source.clone(), by_position.then(beginning));
    for statement in [Statement::ChangeSource { source, manner, at }, Statement::StartReplication] {
        let done = cluster.execute(node, &statement);
        debug_assert!(done.is_ok(), "a fresh server follows: {done:?}");
    }
}

/// The address of the server of that number, counted from 1.
pub(super) fn node(number: u8) -> NodeId {
    let address = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, number), 3306);
    address.to_string().parse().unwrap_or_else(|_| unreachable!("an IPv4 address is a NodeId"))
}
