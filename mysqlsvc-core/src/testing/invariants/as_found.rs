//! Invariant 8: before the pivot a failed operation leaves the cluster as it was found.

use super::{
    super::{Power, Snapshot},
    Violation,
};

/// Every server lets the same clients write as before, follows whom it followed in the same way,
/// runs the same events, and has all the data it had. Servers that are down now are left out: they boot read-only, and
/// what they follow is on their disk.
pub fn as_found(before: &Snapshot, after: &Snapshot) -> Result<(), Violation> {
    for (node, was) in &before.servers {
        let broken = |what: String| Err(Violation::new(8, format!("{node} {what}")));
        let Some(is) = after.servers.get(node) else { return broken("is gone".to_owned()) };
        if is.power == Power::Down {
            continue;
        }
        if is.read_only != was.read_only {
            return broken(format!("was {:?}, is {:?}", was.read_only, is.read_only));
        }
        if is.source != was.source {
            return broken(format!("followed {:?}, follows {:?}", was.source, is.source));
        }
        if (is.io, is.sql) != (was.io, was.sql) {
            let (was, is) = ((was.io, was.sql), (is.io, is.sql));
            return broken(format!("had threads {was:?}, has {is:?}"));
        }
        if is.waiting > 0 {
            return broken("has a statement of ours waiting".to_owned());
        }
        if is.events != was.events {
            return broken(format!("ran the events {:?}, runs {:?}", was.events, is.events));
        }
        if !is.rows.is_superset(&was.rows) {
            return broken("has lost rows".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{
        Flavor, OperationId, ReplicationBackend, Tag,
        backend::EventName,
        testing::{Disturbance, World},
    };

    #[test]
    fn a_cluster_that_was_changed_is_seen() {
        for flavor in [Flavor::MySql, Flavor::MariaDb] {
            let world = World::new(flavor, 3);
            let before = world.snapshot();
            let tag = Tag::new(OperationId(1));
            world.client_write(&world.node(1));
            world.replicate();
            assert_eq!(as_found(&before, &world.snapshot()), Ok(()));
            assert!(world.close(&world.node(1), &tag).now_or_never().is_some());
            assert!(as_found(&before, &world.snapshot()).is_err());
            assert!(world.thaw(&world.node(1), &tag).now_or_never().is_some());
            assert_eq!(as_found(&before, &world.snapshot()), Ok(()));
            let events = [EventName { schema: "app".to_owned(), name: "tick".to_owned() }];
            world.set_events(&world.node(1), events.clone());
            assert!(as_found(&before, &world.snapshot()).is_err());
            assert!(world.disable_events(&world.node(1), &events, &tag).now_or_never().is_some());
            assert_eq!(as_found(&before, &world.snapshot()), Ok(()));
            assert!(world.forget_source(&world.node(2), &tag).now_or_never().is_some());
            assert!(as_found(&before, &world.snapshot()).is_err());
            world.disturb(Disturbance::Crash(world.node(2)));
            assert_eq!(as_found(&before, &world.snapshot()), Ok(()));
        }
    }
}
