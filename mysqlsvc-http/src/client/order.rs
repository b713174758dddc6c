//! Which route a proxy takes.

use crate::wire::{Route, RouteStamp};

/// The rule of invariant 6: a proxy never goes back. Pure; remembers only what was taken.
///
/// A route is taken when its (epoch, version) is higher than that of the last one; a route of
/// another incarnation only when its epoch is higher, since versions of two stores cannot be
/// compared. Routes of the original service carry no incarnation and no order: each is taken while
/// nothing better is known, none afterwards.
///
/// Positions of two clusters cannot be compared either. Where no cluster is named, the first route
/// taken decides which one is followed from then on; one remembered from before a restart does
/// not, and counts only against routes of its own cluster.
#[derive(Debug, Clone, Default)]
pub struct RouteOrder {
    cluster: Option<Followed>,
    taken: Option<RouteStamp>,
    /// Of which cluster the remembered route is, until a route was taken.
    remembered: Option<String>,
}

/// Which cluster is followed, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// It was named at the start.
    Named(String),
    /// None was; the first route taken is of this one.
    ByRoute(String),
}

impl Followed {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::ByRoute(name) => name,
        }
    }
}

/// What the rule says of one offered route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a route that is not acceptable must not be used"]
pub enum Verdict {
    /// Higher than what is known.
    Newer,
    /// The one that is known, said again, as a monitor does after a reconnect.
    Same,
    /// Of the same incarnation, and lower.
    Older,
    /// Of another incarnation, and its epoch is not higher: a store lost or restored from a backup.
    /// Only an operator can tell which of both is right.
    Foreign,
    /// Of another cluster.
    OtherCluster,
}

impl Verdict {
    /// Whether the route may be used.
    pub fn is_acceptable(self) -> bool {
        matches!(self, Self::Newer | Self::Same)
    }
}

impl RouteOrder {
    /// An order that accepts only routes of `cluster`, or, when that is `None`, of whichever
    /// cluster comes first.
    pub fn new(cluster: Option<String>) -> Self {
        Self { cluster: cluster.map(Followed::Named), ..Self::default() }
    }

    /// What was taken last.
    pub fn taken(&self) -> Option<&RouteStamp> {
        self.taken.as_ref()
    }

    /// The cluster followed; `None` until one was named or taken.
    pub fn cluster(&self) -> Option<&Followed> {
        self.cluster.as_ref()
    }

    /// Judges a route without taking it.
    pub fn judge(&self, offered: &Route) -> Verdict {
        if self.is_of_another_cluster(offered) {
            return Verdict::OtherCluster;
        }
        match &self.taken {
            Some(taken) if !self.is_beside_the_remembered(offered) => {
                compare(taken, &offered.stamp)
            }
            _ => Verdict::Newer,
        }
    }

    /// Judges a route, and takes it when it is acceptable.
    pub fn offer(&mut self, offered: &Route) -> Verdict {
        let verdict = self.judge(offered);
        if verdict.is_acceptable() {
            self.taken = Some(offered.stamp.clone());
            if !offered.cluster.is_empty() {
                self.remembered = None;
                self.cluster.get_or_insert_with(|| Followed::ByRoute(offered.cluster.clone()));
            }
        }
        verdict
    }

    /// Starts from a route taken before a restart. Nothing of its cluster is gone back behind, but
    /// it does not decide which cluster is followed.
    pub fn remember(&mut self, kept: &Route) -> Verdict {
        let verdict = self.judge(kept);
        if verdict.is_acceptable() {
            self.taken = Some(kept.stamp.clone());
            self.remembered = Some(kept.cluster.clone()).filter(|cluster| !cluster.is_empty());
        }
        verdict
    }

    fn is_beside_the_remembered(&self, offered: &Route) -> bool {
        let remembered = self.remembered.as_deref();
        !offered.cluster.is_empty() && remembered.is_some_and(|ours| ours != offered.cluster)
    }

    /// The original's routes name no cluster; they are let through to be ordered.
    fn is_of_another_cluster(&self, offered: &Route) -> bool {
        let wanted = self.cluster.as_ref().map(Followed::name);
        !offered.cluster.is_empty() && wanted.is_some_and(|wanted| wanted != offered.cluster)
    }
}

fn compare(taken: &RouteStamp, offered: &RouteStamp) -> Verdict {
    match (&taken.incarnation, &offered.incarnation) {
        (None, _) => Verdict::Newer,
        (Some(_), None) => Verdict::Foreign,
        (Some(ours), Some(theirs)) if ours == theirs => {
            match offered.position.cmp(&taken.position) {
                std::cmp::Ordering::Greater => Verdict::Newer,
                std::cmp::Ordering::Equal => Verdict::Same,
                std::cmp::Ordering::Less => Verdict::Older,
            }
        }
        _ if offered.position.epoch > taken.position.epoch => Verdict::Newer,
        _ => Verdict::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Containers, Phase, RoutePosition};

    fn route(cluster: &str, incarnation: &str, epoch: u64, version: u64) -> Route {
        Route {
            cluster: cluster.to_owned(),
            stamp: RouteStamp {
                incarnation: (!incarnation.is_empty()).then(|| incarnation.into()),
                position: RoutePosition { epoch, version },
            },
            phase: Phase::Open,
            master: Containers::default(),
            slave: Containers::default(),
        }
    }

    #[test]
    fn the_rule_as_a_table() {
        use Verdict::{Foreign, Newer, Older, OtherCluster, Same};
        let taken = ("main", "a", 7, 31);
        for (offered, expected) in [
            (("main", "a", 7, 31), Same),
            (("main", "a", 7, 32), Newer),
            (("main", "a", 7, 30), Older),
            (("main", "a", 8, 0), Newer),
            (("main", "a", 6, 99), Older),
            (("main", "b", 7, 31), Foreign),
            (("main", "b", 7, 99), Foreign),
            (("main", "b", 6, 99), Foreign),
            (("main", "b", 8, 0), Newer),
            (("other", "a", 8, 0), OtherCluster),
            (("other", "b", 8, 0), OtherCluster),
            (("", "", 0, 0), Foreign),
            (("", "", 9, 9), Foreign),
        ] {
            let mut order = RouteOrder::new(None);
            assert_eq!(order.offer(&route(taken.0, taken.1, taken.2, taken.3)), Newer);
            let (cluster, incarnation, epoch, version) = offered;
            let verdict = order.judge(&route(cluster, incarnation, epoch, version));
            assert_eq!(verdict, expected, "{offered:?} after {taken:?}");
        }
    }

    #[test]
    fn what_is_refused_is_not_remembered() {
        let mut order = RouteOrder::new(None);
        assert_eq!(order.offer(&route("main", "a", 7, 31)), Verdict::Newer);
        assert_eq!(order.offer(&route("main", "b", 7, 90)), Verdict::Foreign);
        assert_eq!(order.offer(&route("main", "a", 7, 32)), Verdict::Newer);
    }

    #[test]
    fn routes_without_an_order_are_each_taken_until_one_with_an_order_comes() {
        let mut order = RouteOrder::new(Some("main".to_owned()));
        assert_eq!(order.offer(&route("", "", 0, 0)), Verdict::Newer);
        assert_eq!(order.offer(&route("", "", 0, 0)), Verdict::Newer);
        assert_eq!(order.offer(&route("main", "a", 1, 0)), Verdict::Newer);
        assert_eq!(order.offer(&route("", "", 0, 0)), Verdict::Foreign);
    }

    #[test]
    fn a_named_cluster_is_demanded_from_the_first_route_on() {
        let order = RouteOrder::new(Some("main".to_owned()));
        assert_eq!(order.judge(&route("other", "a", 1, 1)), Verdict::OtherCluster);
    }

    #[test]
    fn a_remembered_route_binds_its_own_cluster_and_no_other() {
        let mut order = RouteOrder::new(None);
        assert_eq!(order.remember(&route("main", "a", 7, 31)), Verdict::Newer);
        assert_eq!(order.judge(&route("main", "a", 7, 30)), Verdict::Older);
        assert_eq!(order.judge(&route("main", "b", 7, 99)), Verdict::Foreign);
        assert_eq!(order.offer(&route("other", "b", 1, 1)), Verdict::Newer);
        assert_eq!(order.cluster(), Some(&Followed::ByRoute("other".to_owned())));
        assert_eq!(order.judge(&route("main", "a", 8, 0)), Verdict::OtherCluster);
        assert_eq!(order.judge(&route("other", "b", 1, 0)), Verdict::Older);
    }

    #[test]
    fn with_a_named_cluster_a_remembered_route_of_another_is_left_aside() {
        let mut order = RouteOrder::new(Some("main".to_owned()));
        assert_eq!(order.remember(&route("other", "a", 7, 31)), Verdict::OtherCluster);
        assert_eq!(order.judge(&route("main", "b", 1, 1)), Verdict::Newer);
    }
}
