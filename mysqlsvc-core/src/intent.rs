//! What is stored about a cluster, and all that is stored: a fold of the journal.

mod waypoints;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::waypoints::{OwnLog, Waypoint, closed, complete, start};
use crate::{Epoch, GtidSet, Identity, NodeId, Role, RouteVersion, plan::Commit};

/// What the operator wants of a cluster, as the journal has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// See [`Epoch`].
    pub epoch: Epoch,
    /// The registered nodes. A node that is not here is [`Role::Unregistered`].
    pub members: BTreeMap<NodeId, Member>,
    /// Whether the master is to replicate from the standby, too.
    pub mutual: bool,
    /// Whether nothing is to be done by the monitor on its own account.
    pub maintenance: bool,
    /// The last epoch whose master is known to have taken writes: only such a master is opened
    /// again on the monitor's own account when it comes back closed.
    pub opened: Option<Epoch>,
    /// No route above this version has been published; the next start begins here.
    pub versions_reserved: RouteVersion,
    /// By position: which places in different servers' binary logs are the same, oldest first.
    pub waypoints: Vec<Waypoint>,
}

/// A registered node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What it is registered as; never [`Role::Unregistered`].
    pub role: Role,
    /// Who answered there when it was registered.
    pub identity: Identity,
    /// The last transactions known to be on it: a server that has fewer is another one, or was
    /// restored from a backup.
    pub executed: GtidSet,
    /// Whether it is to stand still: a master takes no writes, a replica does not replicate.
    #[serde(default)]
    pub paused: bool,
    /// Whether its data were given up for a copy of another's that is not seen to be whole: what
    /// it says to have executed may not be there.
    #[serde(default)]
    pub copy_due: bool,
}

/// A change of intent that is not part of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A node was registered.
    Registered {
        /// Which.
        node: NodeId,
        /// As what, and who it was.
        member: Member,
        /// Whether it took writes then.
        #[serde(default)]
        writable: bool,
    },
    /// A node was taken out of the cluster; nothing was changed on the server.
    Unregistered {
        /// Which.
        node: NodeId,
    },
    /// The master is to replicate from the standby, or no longer.
    Mutual {
        /// Whether it is.
        mutual: bool,
    },
    /// What a node was seen to have executed, so that a server which lost it is known later.
    Seen {
        /// Which.
        node: NodeId,
        /// Everything it had.
        executed: GtidSet,
    },
    /// By position: somebody said which place in the master's binary log a node's data are at; what
    /// was known of it before does not count any more.
    Placed {
        /// Which.
        node: NodeId,
        /// Where it stands, and what that amounts to.
        waypoint: Waypoint,
    },
    /// The cluster was taken up by what its servers say; nothing that was known before counts.
    Adopted {
        /// Higher than any that was ever seen.
        epoch: Epoch,
        /// Everybody.
        members: BTreeMap<NodeId, Member>,
        /// Whether the master replicates from the standby.
        mutual: bool,
        /// Whether the master took writes then.
        #[serde(default)]
        writable: bool,
    },
    /// The monitor does nothing on its own account from now on, or does again.
    Maintenance {
        /// Whether it is to keep still.
        on: bool,
    },
    /// Route versions up to this one may be published.
    VersionsReserved {
        /// The last one.
        up_to: RouteVersion,
    },
}

impl Intent {
    /// The role of a node, registered or not.
    pub fn role(&self, node: &NodeId) -> Role {
        self.members.get(node).map_or(Role::Unregistered, |member| member.role)
    }

    /// The registered master.
    pub fn master(&self) -> Option<&NodeId> {
        self.holder(Role::Master)
    }

    /// The registered standby.
    pub fn standby(&self) -> Option<&NodeId> {
        self.holder(Role::Standby)
    }

    /// Whether a node is to stand still.
    pub fn is_paused(&self, node: &NodeId) -> bool {
        self.members.get(node).is_some_and(|member| member.paused)
    }

    /// The members that are to stand still.
    pub fn paused(&self) -> impl Iterator<Item = &NodeId> {
        self.members.iter().filter(|(_, member)| member.paused).map(|(node, _)| node)
    }

    /// The members that are to replicate from the master.
    pub fn replicas(&self) -> impl Iterator<Item = &NodeId> {
        let replicates = |role| matches!(role, Role::Standby | Role::Slave);
        self.members.iter().filter(move |(_, member)| replicates(member.role)).map(|(node, _)| node)
    }

    /// Whether the data of a node were given up and no copy has taken their place.
    pub fn is_copy_due(&self, node: &NodeId) -> bool {
        self.members.get(node).is_some_and(|member| member.copy_due)
    }

    fn holder(&self, role: Role) -> Option<&NodeId> {
        self.members.iter().find(|(_, member)| member.role == role).map(|(node, _)| node)
    }

    /// Takes over a change. Registering or unregistering a master begins a new epoch.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Registered { node, member, writable } => {
                if member.role == Role::Master {
                    self.epoch = self.epoch.next();
                    self.opened = writable.then_some(self.epoch);
                }
                self.members.insert(node.clone(), member.clone());
            }
            Change::Unregistered { node } => {
                if self.members.remove(node).is_some_and(|gone| gone.role == Role::Master) {
                    self.epoch = self.epoch.next();
                }
                if self.standby().is_none() {
                    self.mutual = false;
                }
            }
            Change::Mutual { mutual } => self.mutual = *mutual,
            Change::Seen { node, executed } => {
                if let Some(member) = self.members.get_mut(node) {
                    member.executed = member.executed.union(executed);
                }
            }
            Change::Adopted { epoch, members, mutual, writable } => {
                self.epoch = *epoch;
                self.opened = writable.then_some(*epoch);
                self.members.clone_from(members);
                self.mutual = *mutual;
                // What is known of logs stays true, whoever is what.
            }
            Change::Placed { node, waypoint } => {
                self.pass(waypoint);
                let holds = closed(&self.waypoints, &waypoint.holds);
                if let Some(member) = self.members.get_mut(node) {
                    member.executed = GtidSet::Positions(holds);
                }
            }
            Change::Maintenance { on } => self.maintenance = *on,
            Change::VersionsReserved { up_to } => self.versions_reserved = *up_to,
        }
    }

    /// Takes over a commit; `position` is what the new master was seen to hold, `waypoints` what
    /// is known of places in binary logs then.
    pub fn commit(&mut self, commit: &Commit, position: Option<&GtidSet>, waypoints: &[Waypoint]) {
        for waypoint in waypoints {
            self.pass(waypoint);
        }
        self.epoch = commit.epoch;
        self.mutual = commit.mutual;
        for (node, role) in &commit.roles {
            let Some(member) = self.members.get_mut(node) else {
                continue;
            };
            member.role = *role;
            member.paused = commit.paused.contains(node);
            if let Some(rebuilt) = commit.rebuilt.as_ref().filter(|rebuilt| rebuilt.node == *node) {
                member.identity = rebuilt.identity;
                member.executed = GtidSet::empty(member.executed.flavor());
                member.copy_due = true;
            }
            if let (Role::Master, Some(position)) = (*role, position) {
                member.executed = member.executed.union(position);
            }
        }
    }

    /// A node's data are a whole copy of another's, with these transactions.
    pub fn copied(&mut self, node: &NodeId, executed: &GtidSet) {
        if let Some(member) = self.members.get_mut(node) {
            member.executed = executed.clone();
            member.copy_due = false;
        }
    }
}
