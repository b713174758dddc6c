//! How data moves: only when the world is stepped.

use super::{
    super::{
        history::Event,
        server::{Applier, Power, Server},
        transaction::Transaction,
    },
    cluster::Cluster,
    disturbance::Cut,
};
use crate::{Flavor, Identity, NodeId};

impl Cluster {
    /// Lets every I/O thread see whether it reaches its source.
    pub(super) fn refresh_links(&mut self) {
        let reached: Vec<(NodeId, Option<Identity>)> = self
            .servers
            .iter()
            .filter_map(|(node, server)| {
                let source = &server.channel.as_ref()?.source;
                let there = server.power == Power::Up && self.reaches(node, source);
                let identity = self.servers.get(source).map(|source| source.identity);
                Some((node.clone(), identity.filter(|_| there)))
            })
            .collect();
        for (node, identity) in reached {
            let Some(server) = self.servers.get_mut(&node) else { continue };
            let acknowledges = server.semi_sync.is_replica();
            if let Some(channel) = &mut server.channel {
                channel.connect(identity, acknowledges);
            }
        }
        self.count_acknowledging();
    }

    fn reaches(&self, node: &NodeId, source: &NodeId) -> bool {
        let up = self.servers.get(source).is_some_and(|server| server.power == Power::Up);
        up && !self.cuts.contains(&Cut::between(node, source))
    }

    /// One step of a replica's I/O thread, then one of its applier. Returns how many transactions
    /// moved.
    pub(super) fn replicate_node(&mut self, node: &NodeId) -> usize {
        self.receive(node, usize::MAX) + self.apply(node, usize::MAX)
    }

    /// One step of a replica's I/O thread: it receives at most so many transactions.
    pub(in crate::testing) fn receive(&mut self, node: &NodeId, most: usize) -> usize {
        self.refresh_links();
        let Some(replica) = self.servers.get(node) else {
            return 0;
        };
        let Some(channel) = replica.channel.as_ref().filter(|c| c.connected) else {
            return 0;
        };
        let Some(source) = self.servers.get(&channel.source) else {
            return 0;
        };
        if replica.by_position {
            return self.receive_by_position(node, most);
        }
        let next = match self.flavor {
            Flavor::MySql => next_of_mysql(replica, source),
            Flavor::MariaDb => next_of_mariadb(replica, source),
        };
        let Some(server) = self.servers.get_mut(node) else {
            return 0;
        };
        let Some(channel) = server.channel.as_mut() else {
            return 0;
        };
        match next {
            Err(text) => {
                channel.fail_reading(text);
                0
            }
            Ok(next) => {
                let mut received = 0;
                let caught_up = channel.relay.is_empty();
                for (transaction, wanted) in next {
                    if wanted && received == most {
                        break;
                    }
                    channel.read_up_to = Some(transaction.id);
                    if wanted {
                        channel.received.push(transaction.id);
                        channel.relay.push_back(transaction);
                        received += 1;
                    }
                }
                // Its own transactions, which it passes over, count as replicated, too.
                if caught_up && received == 0 {
                    server.replica_position = channel.read_up_to.or(server.replica_position);
                }
                received
            }
        }
    }

    /// One step of a replica's applier: it applies at most so many transactions.
    pub(in crate::testing) fn apply(&mut self, node: &NodeId, most: usize) -> usize {
        let Some(server) = self.servers.get_mut(node) else {
            return 0;
        };
        let most = match server.applier {
            Applier::Free => most,
            Applier::Slow(each) => most.min(each),
            Applier::Held => 0,
        };
        if server.power != Power::Up {
            return 0;
        }
        let mut applied = 0;
        while applied < most {
            let Some(channel) = server.channel.as_mut().filter(|c| c.sql_started) else {
                break;
            };
            let Some(transaction) = channel.relay.front().copied() else {
                break;
            };
            if let Err(error) = server.apply(transaction) {
                if let Some(channel) = &mut server.channel {
                    channel.fail_applying(error.errno, error.text.clone());
                }
                let text = format!("applier stopped: {} {}", error.errno, error.text);
                self.note(Event::Statement { node: node.clone(), text });
                break;
            }
            if let Some(channel) = &mut server.channel {
                channel.applied();
            }
            applied += 1;
        }
        applied
    }

    /// Steps every replica until nothing moves any more.
    pub(super) fn replicate_all(&mut self) {
        let nodes: Vec<NodeId> = self.servers.keys().cloned().collect();
        while nodes.iter().map(|node| self.replicate_node(node)).sum::<usize>() > 0 {}
        self.acknowledge_all();
    }
}

/// What the source sends next, each with whether the replica keeps it.
type Next = Result<Vec<(Transaction, bool)>, String>;

/// SOURCE_AUTO_POSITION: everything that the replica has neither executed nor received.
fn next_of_mysql(replica: &Server, source: &Server) -> Next {
    let lacks = |transaction: &Transaction| !replica.holds(transaction.id);
    let (purged, kept) = source.log.split_at(source.purged.min(source.log.len()));
    if purged.iter().any(lacks) {
        return Err("the source has purged binary logs containing GTIDs that the replica \
                    requires"
            .to_owned());
    }
    Ok(kept.iter().filter(|transaction| lacks(transaction)).map(|t| (*t, true)).collect())
}

/// MASTER_USE_GTID=slave_pos: everything after the position, save what the replica itself wrote.
fn next_of_mariadb(replica: &Server, source: &Server) -> Next {
    let position = replica.channel.as_ref().and_then(|channel| channel.read_up_to);
    let first = match position {
        None => 0,
        Some(position) => match source.log.iter().position(|t| t.id == position) {
            Some(place) => place + 1,
            None => {
                return Err(format!(
                    "connecting slave requested to start from GTID {position}, which is not in \
                     the master's binlog",
                ));
            }
        },
    };
    if first < source.purged {
        return Err("could not find GTID state requested by slave in any binlog files".to_owned());
    }
    let rest = source.log.get(first..).unwrap_or_default();
    Ok(rest.iter().map(|t| (*t, t.id.origin != replica.identity)).collect())
}
