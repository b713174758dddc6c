//! Invariant 4: whatever stopped on the way, the end is a whole cluster.

use std::collections::BTreeSet;

use super::{
    super::{Power, ServerSnapshot, Snapshot},
    Violation,
};
use crate::{IoThread, NodeId, ReadOnly, SqlThread};

/// What a cluster is to be in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The only writable server.
    pub master: NodeId,
    /// The servers that follow it.
    pub followers: BTreeSet<NodeId>,
    /// Whom the master itself replicates from, if it is to.
    pub mutual: Option<NodeId>,
    /// Followers that the operation reported as left behind: they need only be not writable.
    pub left_behind: BTreeSet<NodeId>,
}

/// One writable master, everyone follows it with both threads running, all data are the same, and
/// no statement of ours waits anywhere.
pub fn converged(goal: &Goal, snapshot: &Snapshot) -> Result<(), Violation> {
    let find = |node: &NodeId| {
        let server = snapshot.servers.get(node);
        server.ok_or_else(|| broken(node, "is no server"))
    };
    let master = find(&goal.master)?;
    if master.power != Power::Up || master.read_only != ReadOnly::Off {
        return Err(broken(&goal.master, "is the master, but not writable"));
    }
    follows(&goal.master, master, goal.mutual.as_ref())?;
    for node in &goal.followers {
        let follower = find(node)?;
        if follower.power != Power::Down && follower.read_only.is_writable() {
            return Err(broken(node, "is writable beside the master"));
        }
        if goal.left_behind.contains(node) {
            continue;
        }
        follows(node, follower, Some(&goal.master))?;
        if follower.rows != master.rows || follower.executed != master.executed {
            let lacks = master.rows.difference(&follower.rows).count();
            let more = follower.rows.difference(&master.rows).count();
            let what = format!("has not the master's data: {lacks} rows missing, {more} too many");
            return Err(broken(node, what));
        }
    }
    Ok(())
}

fn follows(
    node: &NodeId,
    server: &ServerSnapshot,
    source: Option<&NodeId>,
) -> Result<(), Violation> {
    if server.waiting > 0 {
        return Err(broken(node, "has a statement of ours waiting"));
    }
    if server.source.as_ref() != source {
        return Err(broken(node, format!("follows {:?} instead of {source:?}", server.source)));
    }
    let running = (Some(IoThread::Running), Some(SqlThread::Running));
    if source.is_some() && (server.io, server.sql) != running {
        return Err(broken(node, format!("has threads {:?}, {:?}", server.io, server.sql)));
    }
    Ok(())
}

fn broken(node: &NodeId, what: impl std::fmt::Display) -> Violation {
    Violation::new(4, format!("{node} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Flavor,
        testing::{Applier, Disturbance, World},
    };

    fn check(break_it: impl FnOnce(&World), left_behind: &[u8]) -> Result<(), Violation> {
        let world = World::new(Flavor::MySql, 3);
        world.client_write(&world.node(1));
        break_it(&world);
        world.settle();
        let goal = Goal {
            master: world.node(1),
            followers: [world.node(2), world.node(3)].into(),
            mutual: None,
            left_behind: left_behind.iter().map(|number| world.node(*number)).collect(),
        };
        converged(&goal, &world.snapshot())
    }

    #[test]
    fn a_cluster_that_is_not_whole_is_seen() {
        assert_eq!(check(|_| {}, &[]), Ok(()));
        let crash = |world: &World| world.disturb(Disturbance::Crash(world.node(2)));
        assert!(check(crash, &[]).is_err());
        assert_eq!(check(crash, &[2]), Ok(()));
        assert!(check(|world| world.write_errant(&world.node(3)), &[]).is_err());
        let held = |world: &World| {
            world.disturb(Disturbance::Applier(world.node(3), Applier::Held));
        };
        assert!(check(held, &[]).is_err());
        assert!(
            check(|world| world.disturb(Disturbance::BreakApplier(world.node(3))), &[]).is_err()
        );
        assert!(check(|world| world.disturb(Disturbance::Crash(world.node(1))), &[2, 3]).is_err());
    }
}
