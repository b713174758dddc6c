//! What an administrator does who goes by what the engine shows, one thing at a time.

use mysqlsvc_core::{
    Action, ActionErrorKind, Flavor, IoThread, NodeId, NodeState, OperationId,
    ReplicationBackend as _, Role, SqlThread, Tag,
    backend::FollowManner,
    engine::{NodeSnapshot, Reason, Request},
    state::{Pause, Trouble},
    testing::Disturbance,
};

use crate::{
    calm::is_another_server,
    lies::now,
    run::{Broken, Checked, Run},
};

/// One thing to do.
#[derive(Debug)]
enum Remedy {
    /// Ask the engine for it; it must grant it.
    Ask(Request),
    /// Do it on the server itself.
    ByHand(Disturbance),
    /// Give a server the master's data, and take it for a new one.
    Replace(NodeId),
    /// Take this server for the master from now on, whatever others have beside.
    Appoint(NodeId),
    /// Let it apply what it has received.
    LetApply(NodeId),
    /// Do to the master what an operation has left undone.
    MakeGood(Action),
    /// Nothing but wait.
    Wait,
}

impl Run {
    pub fn mend_by_the_book(&mut self) -> Checked {
        let remedy = self.remedy()?;
        let states = self.states();
        self.trace.note(self.now, || format!("by the book: {remedy:?}; {states}"));
        match remedy {
            Remedy::Ask(Request::Resume { node }) if self.role(&node) == Role::Master => {
                self.resume_or_give_up(node)
            }
            Remedy::Ask(request @ (Request::Activate { .. } | Request::Resume { .. })) => {
                self.replicate_or_replace(&request)
            }
            Remedy::Ask(request) => self.demand(request).map(drop),
            Remedy::ByHand(disturbance) => {
                self.disturb(disturbance);
                Ok(())
            }
            Remedy::Replace(node) => self.replace(&node),
            Remedy::LetApply(node) => {
                self.disturb(Disturbance::StartApplier(node.clone()));
                self.checks.let_apply.insert(node);
                Ok(())
            }
            Remedy::Appoint(node) => {
                if self.role(&node) != Role::Unregistered {
                    self.demand(Request::Unregister { node: node.clone() })?;
                }
                self.checks.closed_rightly.insert(node.clone());
                self.checks.appointed = Some(node.clone());
                self.demand(Request::Register { node, role: Role::Master }).map(drop)
            }
            Remedy::MakeGood(action) => {
                let done = now(self.world.perform(&action, &Tag::new(OperationId(0))));
                match done {
                    // What would be lost with it was written where it should not have been.
                    Err(error) if error.kind == ActionErrorKind::Unsafe => {
                        self.disturb(Disturbance::ForgetByHand(action.node().clone()));
                        Ok(())
                    }
                    done => done.map(drop).map_err(|error| Broken::Stuck(error.to_string())),
                }
            }
            Remedy::Wait => Ok(()),
        }
    }

    fn role(&self, node: &NodeId) -> Role {
        self.store.journal.intent().role(node)
    }

    /// The first thing to do; an error, if the engine has left undone what it must do itself.
    fn remedy(&self) -> Checked<Remedy> {
        let nodes = self.nodes();
        if self.store.journal.intent().maintenance {
            return Ok(Remedy::Ask(Request::Maintenance { on: false }));
        }
        let Some(master) = nodes.iter().find(|seen| seen.role == Role::Master) else {
            return Ok(Remedy::Appoint(self.fittest()));
        };
        match &master.state {
            NodeState::Ok => {}
            NodeState::Paused(pause) => {
                self.check_rightly_closed(&master.node, *pause)?;
                if let Some(remedy) = self.not_applied(&master.node) {
                    return Ok(remedy);
                }
                let appointed = self.checks.appointed.as_ref() == Some(&master.node);
                return Ok(match self.stray(&master.node) {
                    Some(stray) if appointed => Remedy::Replace(stray),
                    None => Remedy::Ask(Request::Resume { node: master.node.clone() }),
                    Some(_) => Remedy::Ask(Request::Unregister { node: master.node.clone() }),
                });
            }
            state if is_another_server(state) => {
                return Ok(Remedy::Ask(Request::Unregister { node: master.node.clone() }));
            }
            state => return Err(Broken::Stuck(format!("{} is {state}", master.node))),
        }
        if let Some(stray) = self.stray(&master.node) {
            return Ok(Remedy::Replace(stray));
        }
        let others = nodes.iter().filter(|seen| seen.node != master.node);
        let replicas = others.map(|seen| self.remedy_of(seen, &master.node));
        let first = replicas.into_iter().find(|remedy| !matches!(remedy, Remedy::Wait));
        Ok(first.or_else(|| self.wrong_with_the_master()).unwrap_or(Remedy::Wait))
    }

    /// The engine must leave no master closed but one that an operator gave up or closed, and must
    /// itself open one that restarted, was open before and has everything.
    fn check_rightly_closed(&self, master: &NodeId, pause: Pause) -> Checked {
        let intent = self.store.journal.intent();
        let rightly = match pause {
            Pause::Intended => true,
            Pause::Found => {
                // One that was closed when it was made the master is the operator's to open.
                intent.opened != Some(intent.epoch) || self.checks.closed_rightly.contains(master)
            }
            Pause::Restarted => {
                intent.maintenance
                    || intent.opened != Some(intent.epoch)
                    || !self.may_be_opened(master)
            }
        };
        if rightly {
            return Ok(());
        }
        Err(Broken::Stuck(format!("{master} was left closed; {}", self.states())))
    }

    /// A master that lacks what another has is not opened: whoever has most becomes the master, but
    /// for one that was made it whatever others have.
    fn resume_or_give_up(&mut self, node: NodeId) -> Checked {
        match self.ask_and_wait(Request::Resume { node: node.clone() })? {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.reason == Reason::Errant => {
                match self.has_what_it_lacks(&node) {
                    Some(other) if self.checks.appointed.as_ref() == Some(&node) => {
                        self.replace(&other)
                    }
                    _ => self.demand(Request::Unregister { node }).map(drop),
                }
            }
            Err(refusal)
                if refusal.reason == Reason::WrongState && self.source_of(&node).is_some() =>
            {
                self.forget_source(node)
            }
            Err(refusal) => Err(Broken::Stuck(format!("{node} cannot be resumed: {refusal:?}"))),
        }
    }

    fn source_of(&self, node: &NodeId) -> Option<NodeId> {
        self.world.snapshot().servers[node].source.clone()
    }

    /// A master that replicates is to forget its source before it is opened.
    fn forget_source(&mut self, master: NodeId) -> Checked {
        self.demand(Request::Detach { node: master.clone() })?;
        if self.source_of(&master).is_some() {
            // What would be lost with it was written where it should not have been.
            self.disturb(Disturbance::ForgetByHand(master));
        }
        Ok(())
    }

    fn has_what_it_lacks(&self, master: &NodeId) -> Option<NodeId> {
        let mut others = self.world.nodes().into_iter().filter(|node| node != master);
        others.find(|node| self.has_more_than(node, master))
    }

    /// What a replica that stands still has received, and the master lost, it is let apply first.
    /// MariaDB cannot, once neither thread runs: starting one erases the relay log.
    fn not_applied(&self, master: &NodeId) -> Option<Remedy> {
        let servers = self.world.snapshot().servers;
        let rows = &servers[master].rows;
        let mut others = servers.iter().filter(|(node, _)| *node != master);
        let (holder, seen) = others.find(|(_, other)| {
            other.sql == Some(SqlThread::Stopped) && !other.received.is_subset(rows)
        })?;
        let holder = holder.clone();
        let stands = seen.io == Some(IoThread::Stopped);
        let cannot = (stands && self.scenario.flavor == Flavor::MariaDb)
            || self.checks.let_apply.contains(&holder);
        Some(if cannot { Remedy::Replace(holder) } else { Remedy::LetApply(holder) })
    }

    fn remedy_of(&self, seen: &NodeSnapshot, master: &NodeId) -> Remedy {
        let node = seen.node.clone();
        let replace = || Remedy::Replace(node.clone());
        let errant = seen.errant.as_ref().is_some_and(|errant| !errant.is_empty());
        match &seen.state {
            NodeState::Unregistered if self.has_more_than(&node, master) => replace(),
            NodeState::Unregistered => {
                Remedy::Ask(Request::Register { node: node.clone(), role: Role::Slave })
            }
            _ if errant => replace(),
            NodeState::Ok
            | NodeState::Syncing(_)
            | NodeState::Paused(_)
            | NodeState::Detached
            | NodeState::Lost { .. }
                if self.store.journal.intent().is_paused(&node) =>
            {
                Remedy::Ask(Request::Resume { node })
            }
            NodeState::Detached
            | NodeState::Lost { .. }
            | NodeState::Error(Trouble::ReplicationBroken { .. }) => {
                Remedy::Ask(Request::activate(node))
            }
            NodeState::Paused(_) => Remedy::ByHand(Disturbance::StartReplication(node)),
            NodeState::Error(_) => replace(),
            // By now it would have what it will ever have (MariaDB passes its own lost ones over).
            NodeState::Syncing(_) if self.has_more_than(master, &node) => replace(),
            NodeState::Ok | NodeState::Syncing(_) | NodeState::Unknown => Remedy::Wait,
        }
    }

    /// A server that has what the master lacks, or lacks what the master has purged, is refused:
    /// it gets the master's data.
    fn replicate_or_replace(&mut self, request: &Request) -> Checked {
        let (Request::Activate { node, .. } | Request::Resume { node }) = request else {
            return Ok(());
        };
        let intent = self.store.journal.intent();
        let standby = intent.standby().filter(|_| intent.master() == Some(node)).cloned();
        let replaced = standby.unwrap_or_else(|| node.clone());
        let tried = self.checks.activated.entry(node.clone()).or_default();
        *tried += 1;
        if *tried > 3 {
            // MariaDB may ask for a position that is purged, though it has everything.
            self.checks.activated.remove(node);
            return self.replace(&replaced);
        }
        match self.ask_and_wait(request.clone())? {
            Ok(_) => Ok(()),
            Err(refusal)
                if {
                    matches!(refusal.reason, Reason::Errant | Reason::OwnLost | Reason::Purged)
                } =>
            {
                self.replace(&replaced)
            }
            Err(refusal) => Err(Broken::Stuck(format!("{request:?} was refused: {refusal:?}"))),
        }
    }

    fn has_more_than(&self, node: &NodeId, master: &NodeId) -> bool {
        let servers = self.world.snapshot().servers;
        !servers[node].rows.is_subset(&servers[master].rows)
    }

    /// A writable server that is not the master.
    fn stray(&self, master: &NodeId) -> Option<NodeId> {
        let servers = self.world.snapshot().servers;
        let mut writable = servers.iter().filter(|(_, server)| server.read_only.is_writable());
        writable.find(|(node, _)| *node != master).map(|(node, _)| node.clone())
    }

    /// Whoever can be written, else whoever has most.
    fn fittest(&self) -> NodeId {
        let servers = self.world.snapshot().servers;
        let worth = |node: &NodeId| {
            let server = &servers[node];
            (server.read_only.is_writable(), server.rows.len())
        };
        self.world.nodes().into_iter().max_by_key(worth).expect("there are servers")
    }

    /// What is not as it should be in what the master itself replicates.
    fn wrong_with_the_master(&self) -> Option<Remedy> {
        let intent = self.store.journal.intent();
        let master = intent.master()?.clone();
        let standby = intent.standby().filter(|_| intent.mutual).cloned();
        let servers = self.world.snapshot().servers;
        let own = servers.get(&master)?;
        match (standby, &own.source) {
            (None, None) => None,
            (None, Some(_)) => Some(Remedy::MakeGood(Action::ForgetSource { node: master })),
            (Some(_), None) => Some(Remedy::Ask(Request::activate(master))),
            (Some(standby), Some(source)) => {
                let runs = own.io == Some(IoThread::Running) && own.sql == Some(SqlThread::Running);
                let manner = FollowManner::Mutual;
                let own_node = master.clone();
                let source_now = standby.clone();
                let follow =
                    Action::Follow { node: master, source: source_now, manner, from: None };
                if standby == *source && !runs {
                    Some(Remedy::ByHand(Disturbance::ForgetByHand(own_node)))
                } else {
                    (standby != *source).then_some(Remedy::MakeGood(follow))
                }
            }
        }
    }

    pub fn is_reverse_sound(&self) -> bool {
        self.wrong_with_the_master().is_none()
    }

    fn replace(&mut self, node: &NodeId) -> Checked {
        let role = self.role(node);
        if role != Role::Unregistered {
            self.demand(Request::Unregister { node: node.clone() })?;
        }
        let Some(master) = self.store.journal.intent().master().cloned() else {
            return Ok(());
        };
        self.disturb(Disturbance::Rebuild { node: node.clone(), from: master });
        self.checks.rebuilt(node);
        let role = if role == Role::Standby { role } else { Role::Slave };
        self.until(self.in_seconds(3), |_| false)?;
        self.demand(Request::Register { node: node.clone(), role }).map(drop)
    }
}
