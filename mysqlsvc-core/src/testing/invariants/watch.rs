//! All that must hold at every moment, event by event: for histories too long to be read anew after
//! each.

use std::collections::BTreeSet;

use super::{
    super::Event, Violation, epochs::Epochs, last_copy, one_writable,
    routed_writable::RoutedWritable,
};
use crate::NodeId;

/// Reads a history as it grows; says what [`super::always`] says of the whole.
#[derive(Debug, Default)]
pub struct Watch {
    routed: RoutedWritable,
    epochs: Epochs,
    writable: BTreeSet<NodeId>,
    excused: BTreeSet<NodeId>,
    beside: Option<(NodeId, NodeId)>,
}

impl Watch {
    /// The next event of the history.
    pub fn see(&mut self, event: &Event) -> Result<(), Violation> {
        let event = &self.without_excused(event);
        one_writable::check(&self.without_old(event))?;
        self.routed.see(event)?;
        last_copy::check(event)?;
        self.epochs.see(event)
    }

    /// An operator took a server out of our hands, or demanded a second writable one: if it is
    /// writable now, that counts for nothing until it is so no more.
    pub fn excuse(&mut self, node: &NodeId) {
        if self.writable.contains(node) {
            self.routed.overlook(node);
            self.excused.insert(node.clone());
        }
    }

    /// Availability first, as confirmed: from now on the old and the new master may be writable at
    /// once, the route naming either of them; or none may any more.
    pub fn set_beside(&mut self, beside: Option<(NodeId, NodeId)>) -> Result<(), Violation> {
        if self.beside == beside {
            return Ok(());
        }
        self.beside.clone_from(&beside);
        self.routed.set_beside(beside);
        self.see(&Event::Writable(self.writable.clone()))
    }

    /// The old and the new master, while both may be writable.
    pub fn beside(&self) -> Option<&(NodeId, NodeId)> {
        self.beside.as_ref()
    }

    /// Who is excused now.
    pub fn excused(&self) -> &BTreeSet<NodeId> {
        &self.excused
    }

    /// While the new master is opened beside the old one, that one is not counted.
    fn without_old(&self, event: &Event) -> Event {
        match (event, &self.beside) {
            (Event::Writable(nodes), Some((old, new))) if nodes.contains(new) => {
                Event::Writable(nodes.iter().filter(|node| *node != old).cloned().collect())
            }
            _ => event.clone(),
        }
    }

    fn without_excused(&mut self, event: &Event) -> Event {
        match event {
            Event::Writable(nodes) => {
                self.writable.clone_from(nodes);
                self.excused.retain(|node| nodes.contains(node));
                Event::Writable(nodes.difference(&self.excused).cloned().collect())
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::planted::{node, open, writable},
        *,
    };

    #[test]
    fn two_are_writable_beside_each_other_only_for_as_long_as_that_was_confirmed() {
        let mut watch = Watch::default();
        let pair = || Some((node(1), node(2)));
        assert_eq!(watch.see(&writable(&[1])), Ok(()));
        assert_eq!(watch.see(&open(1, 1, 1)), Ok(()));
        assert_eq!(watch.set_beside(pair()), Ok(()));
        assert_eq!(watch.see(&writable(&[1, 2])), Ok(()));
        assert_eq!(watch.see(&open(2, 2, 2)), Ok(()));
        assert!(watch.see(&writable(&[1, 2, 3])).is_err(), "a third");
        assert!(watch.see(&writable(&[2, 3])).is_err(), "another than the old one");
        assert_eq!(watch.see(&writable(&[1, 2])), Ok(()));
        assert!(watch.set_beside(None).is_err(), "the old one is open when it is over");
        assert_eq!(watch.see(&writable(&[2])), Ok(()));
        assert!(watch.see(&writable(&[1, 2])).is_err(), "it is opened again");
    }

    #[test]
    fn a_second_writable_server_is_excused_until_it_is_closed() {
        let mut watch = Watch::default();
        assert_eq!(watch.see(&writable(&[2])), Ok(()));
        watch.excuse(&node(1));
        watch.excuse(&node(2));
        assert_eq!(watch.see(&open(1, 1, 1)), Ok(()));
        assert_eq!(watch.see(&writable(&[1, 2])), Ok(()));
        assert_eq!(watch.see(&writable(&[1])), Ok(()));
        assert!(watch.see(&writable(&[1, 2])).is_err());
    }
}
