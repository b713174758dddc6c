//! A route and what belongs to its being told.

use std::{
    fmt,
    time::{Duration, Instant},
};

use mysqlsvc_core::{Hold, Incarnation, Millis, OperationId, Route};
use uuid::Uuid;

use crate::config::ClusterName;

/// A route as it was published.
#[derive(Debug, Clone)]
pub struct Published {
    cluster: ClusterName,
    incarnation: Incarnation,
    route: Route,
    hold: Option<PublishedHold>,
    at: Instant,
}

/// The hold of a published route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedHold {
    /// The operation that asked for it.
    pub operation: OperationId,
    /// To be handed back in the acknowledgement; the same for as long as the hold lasts.
    pub ack_token: AckToken,
    began: Instant,
    limit: Millis,
}

/// Shows that whoever acknowledges a hold was told of it. Hidden in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AckToken(pub Uuid);

impl fmt::Debug for AckToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AckToken(…)")
    }
}

impl Published {
    pub(super) fn new(
        cluster: ClusterName,
        incarnation: Incarnation,
        route: Route,
        hold: Option<PublishedHold>,
    ) -> Self {
        Self { cluster, incarnation, route, hold, at: Instant::now() }
    }

    /// Whose route it is.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// Which store it comes from.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// What proxies may know.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// When it was published.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Its hold, if the phase is one.
    pub fn hold(&self) -> Option<PublishedHold> {
        self.hold
    }
}

impl PublishedHold {
    pub(super) fn begin(hold: Hold, began: Instant) -> Self {
        let Hold { operation, limit } = hold;
        Self { operation, ack_token: super::new_token(), began, limit }
    }

    /// When the hold was published first.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// How long proxies may still hold, counted from when the hold was published first: what is
    /// sent as `remaining_ms` (CONTRACTS 2).
    pub fn remaining(&self) -> Millis {
        self.remaining_at(Instant::now())
    }

    pub(super) fn remaining_at(&self, now: Instant) -> Millis {
        let elapsed = now.saturating_duration_since(self.began);
        Duration::from(self.limit).saturating_sub(elapsed).into()
    }
}
