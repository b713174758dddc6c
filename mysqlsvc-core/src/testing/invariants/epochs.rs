//! Invariant 6: epochs only grow, and no two masters share one.

use std::collections::BTreeMap;

use super::{
    super::{Event, History},
    Violation,
};
use crate::{Epoch, NodeId, Route};

/// Routes are published in the order of (epoch, version), the same one again at most; each epoch
/// has one master.
pub fn epochs_grow(history: &History) -> Result<(), Violation> {
    let mut seen = Epochs::default();
    history.events.iter().try_for_each(|event| seen.see(event))
}

/// What was published last, and the master of each epoch.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    latest: Option<Route>,
    masters: BTreeMap<Epoch, NodeId>,
}

impl Epochs {
    pub(super) fn see(&mut self, event: &Event) -> Result<(), Violation> {
        let Event::Published(route) = event else { return Ok(()) };
        if let Some(before) = &self.latest {
            follows(before, route)?;
        }
        if let Some(master) = &route.master {
            let first = self.masters.entry(route.epoch).or_insert_with(|| master.node.clone());
            if *first != master.node {
                let seen =
                    format!("epoch {} has two masters, {first} and {}", route.epoch, master.node);
                return Err(Violation::new(6, seen));
            }
        }
        self.latest = Some(route.clone());
        Ok(())
    }
}

fn follows(before: &Route, route: &Route) -> Result<(), Violation> {
    let place = |route: &Route| (route.epoch, route.version);
    let broken = |problem| {
        let (epoch, version) = (route.epoch, route.version.0);
        let after = format!("{}.{}", before.epoch, before.version.0);
        Err(Violation::new(6, format!("route {epoch}.{version} {problem} {after}")))
    };
    if place(route) < place(before) {
        broken("was published after")
    } else if place(route) == place(before) && route != before {
        broken("differs from the earlier")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::{history, hold, open};
    use super::*;

    #[test]
    fn an_epoch_that_falls_or_has_two_masters_is_seen() {
        let good = [open(1, 1, 1), open(1, 1, 1), hold(1, 2, 1), open(2, 3, 2), open(2, 4, 2)];
        assert_eq!(epochs_grow(&history(good)), Ok(()));
        for broken in [
            [open(2, 1, 1), open(1, 2, 1)],
            [open(1, 2, 1), open(1, 1, 1)],
            [open(1, 1, 1), hold(1, 1, 1)],
            [open(1, 1, 1), open(1, 2, 2)],
        ] {
            assert!(epochs_grow(&history(broken.clone())).is_err(), "{broken:?}");
        }
    }
}
