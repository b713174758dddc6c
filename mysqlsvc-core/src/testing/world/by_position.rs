//! Receiving by position: whatever the source's log holds from there on, known or not.

use super::{super::server::Server, cluster::Cluster};
use crate::{NodeId, gtid::Coordinate, testing::transaction::Transaction};

/// What the source sends, each with the place after it, and where its log ends.
type Next = Result<(Vec<(Transaction, Coordinate)>, Coordinate), String>;

impl Cluster {
    /// One step of a replica's I/O thread, which is connected: it receives at most so many
    /// transactions.
    pub(super) fn receive_by_position(&mut self, node: &NodeId, most: usize) -> usize {
        let Some(replica) = self.servers.get(node) else { return 0 };
        let Some(channel) = &replica.channel else { return 0 };
        let Some(source) = self.servers.get(&channel.source) else { return 0 };
        let next = next_of(channel.read_at.as_ref(), source);
        let Some(server) = self.servers.get_mut(node) else { return 0 };
        let identity = server.identity;
        let Some(channel) = server.channel.as_mut() else { return 0 };
        let (sent, end) = match next {
            Ok(next) => next,
            Err(text) => {
                channel.fail_reading(text);
                return 0;
            }
        };
        let mut received = 0;
        let mut all = true;
        for (transaction, after) in sent {
            // What it wrote itself is passed over.
            let wanted = transaction.id.origin != identity;
            if wanted && received == most {
                all = false;
                break;
            }
            channel.read_at = Some(after.clone());
            if wanted {
                channel.relay.push_back(transaction);
                channel.ends.push_back(after);
                received += 1;
            }
        }
        if all {
            channel.read_at = Some(end);
        }
        if channel.relay.is_empty() {
            channel.done_at.clone_from(&channel.read_at);
        }
        received
    }
}

fn next_of(read_at: Option<&Coordinate>, source: &Server) -> Next {
    let Some(first) = read_at.and_then(|at| source.index_of(at)) else {
        return Err(
            "Client requested source to start replication from position > file size".to_owned()
        );
    };
    if first < source.purged {
        return Err("Could not find first log file name in binary log index file".to_owned());
    }
    let rest = source.log.iter().enumerate().skip(first);
    Ok((rest.map(|(index, it)| (*it, source.end_of(index))).collect(), source.place()))
}
