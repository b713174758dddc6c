//! What is done otherwise where servers give no GTIDs.

use super::{
    super::{server::Statement, world::execute::Reply},
    conversation::Conversation,
    procedures::{AWAIT_PASSES, Outcome},
};
use crate::{
    ActionErrorKind, GtidSet, SqlThread,
    backend::{Stand, Start},
    gtid::PositionSet,
};

impl Conversation<'_> {
    pub(super) fn is_by_position(&self) -> bool {
        self.cluster.servers.get(&self.node).is_some_and(|server| server.by_position)
    }

    fn stand(&mut self) -> Outcome<Stand> {
        match self.send(&Statement::ReadStand)? {
            Reply::Stand(stand) => Ok(stand),
            other => Err(self.error(ActionErrorKind::Unknown, format!("answered {other:?}"))),
        }
    }

    pub(super) fn await_place(&mut self, position: &GtidSet) -> Outcome<Stand> {
        let nothing = PositionSet::default();
        let wanted = position.positions().unwrap_or(&nothing);
        for _ in 0..AWAIT_PASSES {
            let stand = self.stand()?;
            let Some(reached) = self.has_reached(&stand, wanted) else {
                let detail = format!("by position it cannot be told whether it has {position}");
                return Err(self.error(ActionErrorKind::Refused, detail));
            };
            if reached {
                return Ok(stand);
            }
            let replication = self.replication()?;
            if replication.is_none_or(|replication| replication.sql != SqlThread::Running) {
                return Err(self.error(ActionErrorKind::Behind, "nothing is applied there"));
            }
            self.cluster.receive(&self.node, usize::MAX);
            if self.cluster.apply(&self.node, usize::MAX) == 0
                && self.cluster.servers.get(&self.node).is_some_and(|it| it.stand() == stand)
            {
                break;
            }
        }
        self.cluster.pass(self.limit);
        Err(self.error(ActionErrorKind::Behind, "the limit passed"))
    }

    /// Whether a server is where it is to be, by the one log that it can be held to; none where the
    /// set says nothing of that.
    fn has_reached(&self, stand: &Stand, wanted: &PositionSet) -> Option<bool> {
        if wanted.is_empty() {
            return Some(true);
        }
        let own = self.cluster.servers.get(&self.node)?.identity.server_uuid?;
        let (log, at) = stand.executed.iter().next().unwrap_or_else(|| (own, stand.place.clone()));
        if log == PositionSet::UNKNOWN_SOURCE {
            return Some(false);
        }
        Some(at >= wanted.entry(log)?)
    }

    /// Whether a server may be let follow another from there.
    pub(super) fn guard_place(&mut self, from: Option<&Start>) -> Outcome {
        let Some(from) = from else {
            let detail = "by position a change of source needs a place";
            return Err(self.error(ActionErrorKind::Refused, detail));
        };
        let stand = self.stand()?;
        if stand.place != from.judged {
            let detail = format!("it is at {} by now, not at {}", stand.place, from.judged);
            return Err(self.error(ActionErrorKind::Unsafe, detail));
        }
        let server = self.cluster.servers.get(&self.node);
        let waiting =
            server.and_then(|it| it.channel.as_ref()).is_some_and(|c| !c.relay.is_empty());
        if waiting {
            let detail = "it has received what it has not executed";
            return Err(self.error(ActionErrorKind::Unsafe, detail));
        }
        Ok(())
    }
}
