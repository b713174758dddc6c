//! Which target a connection tries next.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::addr::TargetAddr;

/// Chooses among targets; the seam for other balancers.
pub trait Choose: Send + Sync + 'static {
    /// The index in `targets` of the one to dial next; `tried` are those this connection has
    /// failed to reach in this round. `None` only where all were tried.
    fn choose(&self, targets: &[TargetAddr], tried: &[TargetAddr]) -> Option<usize>;
}

/// Each in its turn, in the order of the set. One shared counter, no lock.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: AtomicUsize,
}

impl Choose for RoundRobin {
    fn choose(&self, targets: &[TargetAddr], tried: &[TargetAddr]) -> Option<usize> {
        if targets.is_empty() {
            return None;
        }
        let start = self.next.fetch_add(1, Ordering::Relaxed) % targets.len();
        (start..targets.len()).chain(0..start).find(|&index| !tried.contains(&targets[index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(n: u16) -> Vec<TargetAddr> {
        (1..=n)
            .map(|port| TargetAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], port))))
            .collect()
    }

    #[test]
    fn round_robin_is_even_and_in_order() {
        let (targets, choice) = (targets(3), RoundRobin::default());
        let chosen: Vec<_> = (0..7).map(|_| choice.choose(&targets, &[]).unwrap()).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn round_robin_passes_over_what_was_tried_and_ends_when_all_were() {
        let (targets, choice) = (targets(2), RoundRobin::default());
        assert_eq!(choice.choose(&targets, &targets[..1]), Some(1));
        assert_eq!(choice.choose(&targets, &targets), None);
        assert_eq!(choice.choose(&[], &[]), None);
    }
}
