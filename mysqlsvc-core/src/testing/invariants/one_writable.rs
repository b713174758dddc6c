//! Invariant 1: no two servers are writable at once.

use super::{
    super::{Event, History},
    Violation,
};

/// At no moment could a write be acknowledged by two servers.
pub fn at_most_one_writable(history: &History) -> Result<(), Violation> {
    history.events.iter().try_for_each(check)
}

/// Whether this event leaves at most one writable.
pub(super) fn check(event: &Event) -> Result<(), Violation> {
    match event {
        Event::Writable(nodes) if nodes.len() > 1 => {
            Err(Violation::new(1, format!("writable at once: {nodes:?}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::{history, writable};
    use super::*;

    #[test]
    fn two_writable_servers_are_seen() {
        assert_eq!(at_most_one_writable(&history([writable(&[1]), writable(&[])])), Ok(()));
        let broken = history([writable(&[1]), writable(&[1, 2]), writable(&[2])]);
        assert!(at_most_one_writable(&broken).is_err());
    }
}
