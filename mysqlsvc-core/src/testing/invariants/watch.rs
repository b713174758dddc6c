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
}

impl Watch {
    /// The next event of the history.
    pub fn see(&mut self, event: &Event) -> Result<(), Violation> {
        let event = &self.without_excused(event);
        one_writable::check(event)?;
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

    /// Who is excused now.
    pub fn excused(&self) -> &BTreeSet<NodeId> {
        &self.excused
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
