//! What the checks share: the backend, the fixture, and words for what went wrong.

use std::fmt::{Debug, Display};

use super::Fixture;
use crate::{
    GtidSet, IoThread, Millis, NodeId, OperationId, Probe, Replication, ReplicationBackend,
    SqlThread, Tag, backend::FollowManner, gtid::PositionSet,
};

/// What a check ends in: nothing, or what was seen and what it should have been.
pub(super) type Verdict<T = ()> = Result<T, String>;

/// How many moments a check waits for what must come; 10 s of 20 ms each.
const MOMENTS: u32 = 500;

/// The limit that freezes and waits are given.
pub(super) const LIMIT: Millis = Millis(2_000);

/// The backend under test on the servers of a fixture.
pub(super) struct Bench<'a> {
    pub(super) backend: &'a dyn ReplicationBackend,
    pub(super) fixture: &'a dyn Fixture,
    pub(super) tag: Tag,
}

impl<'a> Bench<'a> {
    pub(super) fn new(backend: &'a dyn ReplicationBackend, fixture: &'a dyn Fixture) -> Self {
        // A number that no real operation of a test has.
        Self { backend, fixture, tag: Tag::new(OperationId(999_999)) }
    }

    pub(super) fn master(&self) -> &'a NodeId {
        self.fixture.master()
    }

    pub(super) fn replica(&self) -> &'a NodeId {
        self.fixture.replica()
    }

    pub(super) async fn look(&self, node: &NodeId) -> Verdict<Probe> {
        self.backend.look(node).await.said(|| format!("look at {node}"))
    }

    pub(super) async fn replication(&self, node: &NodeId) -> Verdict<Replication> {
        let replication = self.look(node).await?.replication;
        replication.ok_or_else(|| format!("{node} shows no replication"))
    }

    pub(super) async fn freeze(&self, node: &NodeId) -> Verdict<GtidSet> {
        let frozen = self.backend.freeze(node, LIMIT, &[], &self.tag).await;
        frozen.said(|| format!("freeze {node}"))
    }

    pub(super) async fn thaw(&self, node: &NodeId) -> Verdict {
        self.backend.thaw(node, &self.tag).await.said(|| format!("thaw {node}"))
    }

    pub(super) async fn close(&self, node: &NodeId) -> Verdict {
        self.backend.close(node, &self.tag).await.said(|| format!("close {node}"))
    }

    pub(super) async fn open(&self, node: &NodeId) -> Verdict {
        self.backend.open(node, &self.tag).await.said(|| format!("open {node}"))
    }

    pub(super) async fn forget_source(&self, node: &NodeId) -> Verdict {
        let forgotten = self.backend.forget_source(node, &self.tag).await;
        forgotten.said(|| format!("let {node} forget its source"))
    }

    pub(super) async fn follow(
        &self,
        node: &NodeId,
        source: &NodeId,
        manner: FollowManner,
    ) -> Verdict {
        let followed = self.backend.follow(node, source, manner, None, &self.tag).await;
        followed.said(|| format!("let {node} follow {source} ({manner:?})"))
    }

    pub(super) async fn await_executed(&self, node: &NodeId, position: &GtidSet) -> Verdict {
        let reached = self.backend.await_executed(node, position, Millis(10_000)).await;
        reached.said(|| format!("wait for {position} on {node}")).map(drop)
    }

    /// Puts the servers back to how every check begins: the master writable and following nobody,
    /// the replica following it and up to date.
    pub(super) async fn restore(&self) -> Verdict {
        self.thaw(self.master()).await?;
        self.forget_source(self.master()).await?;
        self.follow(self.replica(), self.master(), FollowManner::Replica).await?;
        let position = self.position(self.master()).await?;
        self.await_executed(self.replica(), &position).await
    }

    /// Everything that a master has written: what it executed, or, by position, its own log.
    pub(super) async fn position(&self, master: &NodeId) -> Verdict<GtidSet> {
        let seen = self.look(master).await?;
        if seen.place.is_some() { self.own_log(master).await } else { Ok(seen.executed) }
    }

    /// By position: everything in a server's own log.
    pub(super) async fn own_log(&self, node: &NodeId) -> Verdict<GtidSet> {
        let seen = self.look(node).await?;
        match (seen.identity.server_uuid, seen.place) {
            (Some(uuid), Some(place)) => Ok(GtidSet::Positions(PositionSet::of(uuid, &place))),
            _ => Err(format!("{node} says no place of its log, or no server_uuid")),
        }
    }

    pub(super) async fn must_write(&self, node: &NodeId) -> Verdict {
        self.fixture
            .write(node)
            .await
            .said(|| format!("a write on {node}, which is to be writable"))
    }

    pub(super) async fn must_not_write(&self, node: &NodeId) -> Verdict {
        match self.fixture.write(node).await {
            Err(_) => Ok(()),
            Ok(()) => Err(format!("{node} took a write, although it is to be read-only")),
        }
    }

    /// Waits until a look at `node` shows what is wanted.
    pub(super) async fn until(
        &self,
        node: &NodeId,
        wanted: &str,
        holds: impl Fn(&Probe) -> bool + Sync,
    ) -> Verdict<Probe> {
        for _ in 0..MOMENTS {
            let probe = self.look(node).await?;
            if holds(&probe) {
                return Ok(probe);
            }
            self.fixture.moment().await;
        }
        Err(format!("{node} did not come to {wanted}: {:?}", self.look(node).await?))
    }
}

/// Both threads run, and the source is that one.
pub(super) fn follows(probe: &Probe, source: &NodeId) -> bool {
    probe.replication.as_ref().is_some_and(|replication| {
        replication.source == *source
            && replication.io == IoThread::Running
            && replication.sql == SqlThread::Running
    })
}

pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub(super) fn ensure_equal<T: PartialEq + Debug>(what: &str, is: &T, wanted: &T) -> Verdict {
    ensure(is == wanted, || format!("{what} is {is:?}, not {wanted:?}"))
}

/// Puts what was tried before an error's own words.
pub(super) trait Said<T> {
    fn said(self, tried: impl FnOnce() -> String) -> Verdict<T>;
}

impl<T, E: Display> Said<T> for Result<T, E> {
    fn said(self, tried: impl FnOnce() -> String) -> Verdict<T> {
        self.map_err(|error| format!("{}: {error}", tried()))
    }
}
