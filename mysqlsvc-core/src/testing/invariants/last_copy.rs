//! Invariant 5: no statement erases the last copy of a received transaction.

use super::{
    super::{Event, History},
    Violation,
};

/// Whatever a statement of ours erased of a relay log, another server that runs had it.
pub fn no_last_copy_erased(history: &History) -> Result<(), Violation> {
    history.events.iter().try_for_each(check)
}

/// Whether this event erases no last copy.
pub(super) fn check(event: &Event) -> Result<(), Violation> {
    let Event::Erased(erasure) = event else { return Ok(()) };
    let Some(statement) = &erasure.statement else { return Ok(()) };
    match erasure.transactions.iter().find(|lost| lost.held_by.is_empty()) {
        None => Ok(()),
        Some(lost) => {
            let seen =
                format!("{statement} on {} erased {}, held by nobody else", erasure.node, lost.id);
            Err(Violation::new(5, seen))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Flavor,
        backend::FollowManner,
        testing::{Disturbance, World, server::Statement},
    };

    /// What a replica without the relay guard would do.
    fn change_unguarded(source_dies: bool) -> History {
        let world = World::new(Flavor::MySql, 3);
        let (master, other, replica) = (world.node(1), world.node(2), world.node(3));
        world.client_write(&master);
        world.receive(&replica, 1);
        if source_dies {
            world.disturb(Disturbance::Crash(master));
        }
        let change =
            Statement::ChangeSource { source: other, manner: FollowManner::Replica, at: None };
        for statement in [Statement::StopReplication, change] {
            world.lock().execute(&replica, &statement).unwrap();
        }
        world.history()
    }

    #[test]
    fn an_erased_last_copy_is_seen() {
        assert_eq!(no_last_copy_erased(&change_unguarded(false)), Ok(()));
        assert!(no_last_copy_erased(&change_unguarded(true)).is_err());
    }
}
