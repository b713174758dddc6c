//! Which servers connections may go to, as a snapshot that may be replaced at any time.

use std::sync::Arc;

use tokio::sync::watch;

use crate::addr::TargetAddr;

/// One snapshot of the targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSet {
    epoch: u64,
    targets: Arc<[TargetAddr]>,
}

/// The present targets. Clones are the same set; replacing it concerns dials from then on, and
/// never a connection that stands.
#[derive(Clone, Debug)]
pub struct Targets {
    current: Arc<watch::Sender<TargetSet>>,
}

impl TargetSet {
    /// Targets under a label that is told with each connection made by them and means nothing
    /// here; an empty set is allowed and makes connections wait.
    pub fn new(epoch: u64, targets: impl IntoIterator<Item = TargetAddr>) -> Self {
        Self { epoch, targets: targets.into_iter().collect() }
    }

    /// The label given.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The targets, in the order given.
    pub fn targets(&self) -> &[TargetAddr] {
        &self.targets
    }

    /// Whether `target` is one of them.
    pub fn contains(&self, target: &TargetAddr) -> bool {
        self.targets.contains(target)
    }
}

impl FromIterator<TargetAddr> for TargetSet {
    /// Targets of epoch 0.
    fn from_iter<I: IntoIterator<Item = TargetAddr>>(targets: I) -> Self {
        Self::new(0, targets)
    }
}

impl Default for Targets {
    /// No target, until [`Targets::replace`] is called.
    fn default() -> Self {
        Self::new(TargetSet::default())
    }
}

impl Targets {
    /// Starts with `set`.
    pub fn new(set: TargetSet) -> Self {
        Self { current: Arc::new(watch::Sender::new(set)) }
    }

    /// A fixed list.
    pub fn fixed(targets: impl IntoIterator<Item = TargetAddr>) -> Self {
        Self::new(targets.into_iter().collect())
    }

    /// Replaces the set and wakes whoever waits for a target or is dialling one that is no longer
    /// in it. The same set again wakes nobody. Says whether anything changed.
    pub fn replace(&self, set: TargetSet) -> bool {
        self.current.send_if_modified(|current| {
            let changed = *current != set;
            *current = set;
            changed
        })
    }

    /// The present set.
    pub fn current(&self) -> TargetSet {
        self.current.borrow().clone()
    }

    /// Follows the changes.
    pub fn subscribe(&self) -> watch::Receiver<TargetSet> {
        self.current.subscribe()
    }
}

impl From<TargetSet> for Targets {
    fn from(set: TargetSet) -> Self {
        Self::new(set)
    }
}
