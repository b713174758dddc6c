//! One action under way: its session, its tag, its deadline.

use mysqlsvc_core::{GtidSet, NodeId, Replication, Tag, gtid::Coordinate};
use tokio::time::Instant;

use super::{
    answer::{Answer, Table},
    dialect::{Dialect, tagged},
    fault::Fault,
    pool::{Lease, Pool},
};

/// A leased session with what every statement of one action needs. It is kept open only by
/// [`Work::finish`].
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) lease: Lease,
    pub(super) tag: &'a Tag,
    pub(super) deadline: Instant,
}

impl<'a> Work<'a> {
    pub(super) async fn begin(
        pool: &Pool,
        node: &NodeId,
        tag: &'a Tag,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let lease = pool.lease(node, deadline).await?;
        Ok(Self { lease, tag, deadline })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.lease.dialect()
    }

    /// Sends a text as it stands.
    pub(super) async fn ask(&mut self, text: &str) -> Result<Answer, Fault> {
        self.lease.run(text, self.deadline).await
    }

    /// Sends statements as one text, each with the tag, which changes nothing any more when it
    /// reaches the server after the deadline.
    pub(super) async fn change<S: AsRef<str>>(&mut self, texts: &[S]) -> Result<Answer, Fault> {
        let fence = self.fence();
        let texts: Vec<&str> =
            std::iter::once(fence.as_str()).chain(texts.iter().map(AsRef::as_ref)).collect();
        self.ask(&tagged(self.tag, &texts)).await
    }

    /// To stand in a text behind what may take long, for the same end.
    pub(super) fn fence(&self) -> String {
        self.lease.fence(self.deadline)
    }

    /// Keeps the session for the next one who needs it.
    pub(super) fn finish(self) {
        self.lease.give_back();
    }

    /// The executed set and the state of replication, the latter also as the server wrote it.
    pub(super) async fn position(&mut self) -> Result<Position, Fault> {
        let dialect = self.dialect();
        let words = dialect.words();
        if dialect.by_position {
            let answer = self.ask(&dialect.stand_question()).await?;
            let seen = Dialect::stand(&answer, 0)?;
            let status = answer.table(1)?.clone();
            return Ok(Position {
                executed: GtidSet::Positions(seen.stand.executed),
                replication: dialect.replication(&status)?,
                place: Some(seen.stand.place),
                status,
            });
        }
        let answer = self.ask(&format!("{}; {}", words.executed, words.status)).await?;
        let status = answer.table(1)?.clone();
        Ok(Position {
            executed: dialect.executed(answer.row(0)?)?,
            replication: dialect.replication(&status)?,
            place: None,
            status,
        })
    }
}

/// Where a replica stands.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) executed: GtidSet,
    pub(super) replication: Option<Replication>,
    /// By position: where its own binary log ends.
    pub(super) place: Option<Coordinate>,
    pub(super) status: Table,
}
