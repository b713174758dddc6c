//! What may be done to a world from outside: crashes, hangs, cuts, stuck appliers.

use super::{
    super::{
        faults::CallKind,
        history::Event,
        server::{Applier, Power, Rights, Server, Until},
    },
    cluster::Cluster,
};
use crate::{NodeId, ReadOnly, ReadOnlySet};

/// Something that happens to a server or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disturbance {
    /// kill -9: it is down until it is started.
    Crash(NodeId),
    /// Power is lost under a server that does not sync each commit: it is down until it is
    /// started, and then without its last so many transactions.
    LosePower(NodeId, usize),
    /// It boots, with the variables of its boot.
    Start(NodeId),
    /// SIGSTOP: it accepts and never answers; what it is sent waits.
    Hang(NodeId),
    /// SIGCONT: it goes on where it was, what it was sent meanwhile included.
    Resume(NodeId),
    /// A link no longer carries anything.
    Cut(Cut),
    /// It does again.
    Mend(Cut),
    /// The replica's applier goes on in that manner.
    Applier(NodeId, Applier),
    /// The replica's applier stops with an error.
    BreakApplier(NodeId),
    /// STOP REPLICA SQL_THREAD, by an administrator.
    StopApplier(NodeId),
    /// START REPLICA SQL_THREAD, by an administrator.
    StartApplier(NodeId),
    /// A client takes LOCK TABLES and keeps it.
    Lock(NodeId),
    /// Whoever holds LOCK TABLES lets go.
    Unlock(NodeId),
    /// An administrator starts both threads of a replica, or the master's of a mutual pair.
    StartReplication(NodeId),
    /// An administrator lets it be written (`SET GLOBAL read_only=0`).
    OpenByHand(NodeId),
    /// An administrator lets it forget its source, whatever it has received and not applied.
    ForgetByHand(NodeId),
    /// An administrator makes it a copy of another server, which it does not follow yet.
    Rebuild {
        /// The server that gets new data.
        node: NodeId,
        /// Whose.
        from: NodeId,
    },
    /// The monitor's account is refused.
    RefuseLogin(NodeId),
    /// The monitor's account is let in again, with all its rights.
    Admit(NodeId),
    /// The monitor's account lacks the right to do this.
    Deny(NodeId, CallKind),
}

/// A link that carries nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Between us and that server: it cannot be connected to.
    Monitor(NodeId),
    /// Between applications and that server.
    Clients(NodeId),
    /// Between two servers, the lesser first; made by [`Cut::between`].
    Servers(NodeId, NodeId),
}

impl Cut {
    /// Between two servers, in whichever order.
    pub fn between(one: &NodeId, other: &NodeId) -> Self {
        Self::Servers(one.min(other).clone(), one.max(other).clone())
    }

    pub(super) fn clients(node: &NodeId) -> Self {
        Self::Clients(node.clone())
    }
}

impl Cluster {
    pub(in crate::testing) fn disturb(&mut self, disturbance: Disturbance) {
        self.note(Event::Disturbed(disturbance.clone()));
        match disturbance {
            Disturbance::Crash(node) => self.on(&node, Server::crash),
            Disturbance::LosePower(node, transactions) => self.lose_power(&node, transactions),
            Disturbance::Start(node) => self.start(&node),
            Disturbance::Hang(node) => self.on(&node, |server| {
                if server.power == Power::Up {
                    server.power = Power::Hung;
                }
            }),
            Disturbance::Resume(node) => {
                self.on(&node, |server| {
                    if server.power == Power::Hung {
                        server.power = Power::Up;
                    }
                });
                self.release_waiting(|until| until == Until::Resumed);
            }
            Disturbance::Cut(cut) => {
                self.cuts.insert(cut);
            }
            Disturbance::Mend(cut) => {
                self.cuts.remove(&cut);
            }
            Disturbance::Applier(node, applier) => {
                self.on(&node, |server| server.applier = applier);
            }
            Disturbance::BreakApplier(node) => self.on(&node, |server| {
                if let Some(channel) = &mut server.channel {
                    channel.fail_applying(1062, "Duplicate entry for key 'PRIMARY'".to_owned());
                }
            }),
            Disturbance::StopApplier(node) => self.on(&node, |server| {
                if let Some(channel) = &mut server.channel {
                    channel.sql_started = false;
                }
            }),
            Disturbance::StartApplier(node) => self.start_applier(&node),
            Disturbance::Lock(node) => self.lock_tables(&node),
            Disturbance::Unlock(node) => {
                self.on(&node, |server| {
                    server.sessions.iter_mut().for_each(|session| session.locks = false);
                });
                self.release_unlocked(&node);
            }
            Disturbance::StartReplication(node) => self.start_replication(&node),
            Disturbance::OpenByHand(node) => {
                self.on(&node, |server| {
                    server.read_only = ReadOnly::Off;
                    server.read_only_set = ReadOnlySet::ByStatement;
                });
            }
            Disturbance::ForgetByHand(node) => self.on(&node, |server| server.channel = None),
            Disturbance::Rebuild { node, from } => self.rebuild(&node, &from),
            Disturbance::Admit(node) => self.on(&node, |server| {
                server.login_refused = false;
                server.denied.clear();
            }),
            Disturbance::RefuseLogin(node) => self.on(&node, |server| server.login_refused = true),
            Disturbance::Deny(node, kind) => self.on(&node, |server| {
                server.denied.insert(kind);
            }),
        }
        self.refresh_links();
        self.note_writable();
    }

    fn on(&mut self, node: &NodeId, change: impl FnOnce(&mut Server)) {
        if let Some(server) = self.servers.get_mut(node) {
            change(server);
        }
    }

    fn start(&mut self, node: &NodeId) {
        let erased = self.servers.get_mut(node).map(Server::start);
        self.note_erased(node, None, &erased.unwrap_or_default());
        self.refresh_links();
        self.note_writable();
    }

    fn start_applier(&mut self, node: &NodeId) {
        let erased = self.servers.get_mut(node).map(Server::start_applier);
        let statement = "START REPLICA SQL_THREAD".to_owned();
        self.note_erased(node, Some(statement), &erased.unwrap_or_default());
    }

    fn start_replication(&mut self, node: &NodeId) {
        let erased = self.servers.get_mut(node).map(|server| server.start_replication(false));
        let erased = erased.and_then(Result::ok).unwrap_or_default();
        self.note_erased(node, Some("START REPLICA".to_owned()), &erased);
    }

    fn lose_power(&mut self, node: &NodeId, transactions: usize) {
        let erased = self.servers.get_mut(node).map(|server| server.lose_power(transactions));
        self.note_erased(node, None, &erased.unwrap_or_default());
    }

    fn rebuild(&mut self, node: &NodeId, from: &NodeId) {
        let Some(source) = self.servers.get(from).cloned() else { return };
        self.on(node, |server| server.rebuild(&source));
    }

    fn lock_tables(&mut self, node: &NodeId) {
        let session = self.connect(node, "app", Rights::Ordinary);
        if let Some(session) = session.and_then(|session| self.session(session)) {
            session.locks = true;
        }
    }
}
