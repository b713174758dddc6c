//! Applications: sessions, writes, locks, and writers that never rest.

use super::{
    super::{
        server::{Power, Rights, Server, Session, SessionId},
        transaction::Row,
    },
    cluster::Cluster,
    disturbance::Cut,
};
use crate::{NodeId, Phase};

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAnswer {
    /// The row is there, the client was told so.
    Acknowledged(Row),
    /// The row is there; the client waits for replicas to have it (semi-sync).
    Waiting(Row),
    /// The row waits in an open transaction for its commit.
    Pending(Row),
    /// The server said no, with that error number; the row is not there.
    Refused(u32),
    /// It waits behind a lock and gave up; the row is not there.
    Blocked,
    /// There is no session: never opened, killed, or the server died. The row is not there.
    Disconnected,
    /// The server could not be reached, or does not answer.
    NoAnswer,
}

/// An application that tries one write between any two statements of ours, and reconnects whenever
/// it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// It goes straight to one server, whatever the route says.
    Direct {
        /// Which.
        node: NodeId,
        /// As an ordinary account, or one that writes through `read_only`.
        rights: Rights,
    },
    /// It connects to the published master while the phase is open, waits while it is hold, and
    /// stays on the connection it has until the server ends it.
    Routed,
}

#[derive(Debug, Clone)]
pub(super) struct AttachedWriter {
    pub(super) writer: Writer,
    pub(super) session: Option<(NodeId, SessionId)>,
}

impl Cluster {
    fn reachable_by_clients(&mut self, node: &NodeId) -> Option<&mut Server> {
        if self.cuts.contains(&Cut::clients(node)) {
            return None;
        }
        self.servers.get_mut(node).filter(|server| server.power == Power::Up)
    }

    pub(super) fn connect(
        &mut self,
        node: &NodeId,
        user: &str,
        rights: Rights,
    ) -> Option<SessionId> {
        let id = SessionId(self.next_session);
        let server = self.reachable_by_clients(node)?;
        server.sessions.push(Session {
            id,
            user: user.to_owned(),
            rights,
            transaction: None,
            locks: false,
        });
        self.next_session += 1;
        Some(id)
    }

    /// Where a session is, if it still is.
    pub(super) fn whereabouts(&self, session: SessionId) -> Option<NodeId> {
        let has = |server: &Server| server.sessions.iter().any(|s| s.id == session);
        self.servers.iter().find(|(_, server)| has(server)).map(|(node, _)| node.clone())
    }

    pub(super) fn session(&mut self, session: SessionId) -> Option<&mut Session> {
        self.servers.values_mut().flat_map(|s| &mut s.sessions).find(|s| s.id == session)
    }

    pub(super) fn disconnect(&mut self, session: SessionId) {
        if let Some(node) = self.whereabouts(session) {
            if let Some(server) = self.servers.get_mut(&node) {
                server.sessions.retain(|open| open.id != session);
            }
            self.release_unlocked(&node);
        }
    }

    /// Writes one row and commits; inside an open transaction the row waits for its commit.
    pub(super) fn write(&mut self, session: SessionId) -> WriteAnswer {
        let Some(node) = self.whereabouts(session) else {
            return WriteAnswer::Disconnected;
        };
        let row = self.new_row();
        if let Some(refusal) = self.refusal(&node, session) {
            return refusal;
        }
        match self.session(session).and_then(|session| session.transaction.as_mut()) {
            Some(transaction) => {
                transaction.push(row);
                WriteAnswer::Pending(row)
            }
            None => self.commit_rows(&node, session, &[row]),
        }
    }

    /// Commits a session's open transaction. Where the server has become read-only since, the
    /// transaction is rolled back (`ha-managers.md` 2a).
    pub(super) fn commit(&mut self, session: SessionId) -> WriteAnswer {
        let Some(node) = self.whereabouts(session) else {
            return WriteAnswer::Disconnected;
        };
        let refusal = self.refusal(&node, session);
        if let Some(waits @ (WriteAnswer::Blocked | WriteAnswer::NoAnswer)) = refusal {
            return waits;
        }
        let Some(rows) = self.session(session).and_then(|session| session.transaction.take())
        else {
            return WriteAnswer::Disconnected;
        };
        refusal.unwrap_or_else(|| self.commit_rows(&node, session, &rows))
    }

    /// Why a write on that session does not go through now, if it does not.
    fn refusal(&mut self, node: &NodeId, session: SessionId) -> Option<WriteAnswer> {
        let Some(server) = self.reachable_by_clients(node) else {
            return Some(WriteAnswer::NoAnswer);
        };
        let own = server.sessions.iter().find(|s| s.id == session)?;
        let waits = server.semi_sync.commits.iter().any(|commit| commit.session == session);
        if waits || server.all_tables_locked || (server.freeze_waits() && !own.locks) {
            Some(WriteAnswer::Blocked)
        } else if server.refuses_write(own.rights) {
            Some(WriteAnswer::Refused(1290))
        } else {
            None
        }
    }

    fn commit_rows(&mut self, node: &NodeId, session: SessionId, rows: &[Row]) -> WriteAnswer {
        let Some(server) = self.servers.get_mut(node) else {
            return WriteAnswer::NoAnswer;
        };
        for row in rows {
            server.commit(*row);
        }
        self.committed(node, session, rows)
    }

    /// Lets every writer try one write.
    pub(super) fn run_writers(&mut self) {
        let mut writers = std::mem::take(&mut self.writers);
        for attached in &mut writers {
            self.run_writer(attached);
        }
        self.writers = writers;
    }

    fn run_writer(&mut self, attached: &mut AttachedWriter) {
        let alive = attached
            .session
            .as_ref()
            .is_some_and(|(node, session)| self.whereabouts(*session).as_ref() == Some(node));
        if !alive {
            attached.session = self.destination(&attached.writer).and_then(|(node, rights)| {
                let session = self.connect(&node, "app", rights)?;
                Some((node, session))
            });
        }
        if let Some((_, session)) = &attached.session {
            self.write(*session);
        }
    }

    fn destination(&self, writer: &Writer) -> Option<(NodeId, Rights)> {
        match writer {
            Writer::Direct { node, rights } => Some((node.clone(), *rights)),
            Writer::Routed => {
                let route = self.route.as_ref().filter(|route| route.phase == Phase::Open)?;
                route.master.as_ref().map(|master| (master.node.clone(), Rights::Ordinary))
            }
        }
    }
}
