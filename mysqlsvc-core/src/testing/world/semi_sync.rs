//! Commits that wait for replicas.

use super::{
    super::{
        history::Event,
        server::{Server, SessionId, WaitingCommit},
        transaction::Row,
    },
    clients::WriteAnswer,
    cluster::Cluster,
};
use crate::{Micros, NodeId};

impl Cluster {
    /// Every source learns who acknowledges.
    pub(super) fn count_acknowledging(&mut self) {
        let mut told: Vec<&NodeId> = self.servers.values().filter_map(acknowledges_to).collect();
        told.sort();
        let count = |node: &NodeId| told.iter().filter(|source| **source == node).count();
        let counts: Vec<_> = self
            .servers
            .keys()
            .map(|node| u32::try_from(count(node)).unwrap_or(u32::MAX))
            .collect();
        for (server, replicas) in self.servers.values_mut().zip(counts) {
            server.semi_sync.connected(replicas);
        }
    }

    /// A commit is in the binary log. Its client is told so now, or once enough replicas have it,
    /// or once it has waited for too long.
    pub(super) fn committed(
        &mut self,
        node: &NodeId,
        session: SessionId,
        rows: &[Row],
    ) -> WriteAnswer {
        let Some(row) = rows.last().copied() else { return WriteAnswer::Disconnected };
        let now = self.now().monotonic;
        let Some(server) = self.servers.get_mut(node) else { return WriteAnswer::NoAnswer };
        if let (Some(wait), Some(last)) = (server.semi_sync.waits(), server.log.last()) {
            let until = Micros(now.0.saturating_add(Micros::from(wait.timeout).0));
            let (rows, last) = (rows.to_vec(), last.id);
            server.semi_sync.commits.push(WaitingCommit { session, rows, last, until });
            self.acknowledge_on(node);
            if self.waits_for_replicas(node, session) {
                return WriteAnswer::Waiting(row);
            }
        } else {
            self.acknowledged(node, rows);
        }
        WriteAnswer::Acknowledged(row)
    }

    pub(super) fn waits_for_replicas(&self, node: &NodeId, session: SessionId) -> bool {
        let waits =
            |server: &Server| server.semi_sync.commits.iter().any(|it| it.session == session);
        self.servers.get(node).is_some_and(waits)
    }

    /// Commits that have waited long enough, or whose replicas have come, are acknowledged.
    pub(in crate::testing) fn acknowledge_all(&mut self) {
        let waits = |(_, server): &(&NodeId, &Server)| !server.semi_sync.commits.is_empty();
        let nodes: Vec<_> =
            self.servers.iter().filter(waits).map(|(node, _)| node.clone()).collect();
        for node in nodes {
            self.acknowledge_on(&node);
        }
    }

    fn acknowledge_on(&mut self, node: &NodeId) {
        let telling: Vec<NodeId> = self
            .servers
            .iter()
            .filter(|(_, server)| acknowledges_to(server) == Some(node))
            .map(|(replica, _)| replica.clone())
            .collect();
        for replica in &telling {
            self.replicate_node(replica);
        }
        let now = self.now().monotonic;
        let Some(mut commits) =
            self.servers.get_mut(node).map(|server| std::mem::take(&mut server.semi_sync.commits))
        else {
            return;
        };
        if commits.iter().any(|commit| now >= commit.until)
            && let Some(server) = self.servers.get_mut(node)
        {
            server.semi_sync.degraded = true;
            self.note(Event::CommitWaitedInVain { node: node.clone() });
        }
        let needed = self.servers.get(node).and_then(|server| server.semi_sync.waits());
        let there = |commit: &WaitingCommit| {
            let has = |replica: &&NodeId| {
                self.servers.get(*replica).is_some_and(|server| server.holds(commit.last))
            };
            let count = telling.iter().filter(has).count();
            needed.is_none_or(|wait| count >= usize::try_from(wait.replicas).unwrap_or(usize::MAX))
        };
        let done: Vec<_> = commits.extract_if(.., |commit| there(commit)).collect();
        if let Some(server) = self.servers.get_mut(node) {
            server.semi_sync.commits = commits;
        }
        for commit in done {
            // A client that is gone is told nothing.
            if self.whereabouts(commit.session).as_ref() == Some(node) {
                self.acknowledged(node, &commit.rows);
            }
        }
    }

    fn acknowledged(&mut self, node: &NodeId, rows: &[Row]) {
        for row in rows {
            self.note(Event::Acknowledged { node: node.clone(), row: *row });
        }
    }
}

/// Whom a server tells what it has received.
fn acknowledges_to(server: &Server) -> Option<&NodeId> {
    let channel = server.channel.as_ref()?;
    channel.acknowledges_to.as_ref().filter(|_| channel.connected)
}
