//! Invariant 3: a planned switch loses no acknowledged transaction.

use super::{
    super::{Event, History, Snapshot},
    Violation,
};
use crate::NodeId;

/// Every row that a client was told is there is on that server, the master in the end.
pub fn acknowledged_rows_are_on(
    master: &NodeId,
    history: &History,
    snapshot: &Snapshot,
) -> Result<(), Violation> {
    let Some(server) = snapshot.servers.get(master) else {
        return Err(Violation::new(3, format!("{master} is no server")));
    };
    let mut lost = history.events.iter().filter_map(|event| match event {
        Event::Acknowledged { node, row } if !server.rows.contains(row) => Some((node, row)),
        _ => None,
    });
    match lost.next() {
        None => Ok(()),
        Some((by, row)) => {
            let more = lost.count();
            let seen = format!("{row}, acknowledged by {by}, is not on {master} (and {more} more)");
            Err(Violation::new(3, seen))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flavor, testing::World};

    #[test]
    fn a_row_that_stayed_behind_is_seen() {
        let world = World::new(Flavor::MariaDb, 2);
        world.client_write(&world.node(1));
        let check = |node| acknowledged_rows_are_on(&node, &world.history(), &world.snapshot());
        assert_eq!(check(world.node(1)), Ok(()));
        assert!(check(world.node(2)).is_err());
        world.replicate();
        assert_eq!(check(world.node(2)), Ok(()));
    }
}
