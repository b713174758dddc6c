//! Making a server a copy of another: MySQL by its clone plugin, MariaDB by commands of the
//! operator's.
//!
//! A copy may take hours. It has no limit of its own, but ends when nothing moves for a while; it
//! can be ended at any time, and tells how far it is.

mod back;
mod clone;
mod command;
mod progress;
mod settings;
mod status;
mod streamed;

use std::{sync::OnceLock, time::Duration};

use mysqlsvc_core::{ActionErrorKind, Flavor, GtidSet, NodeId, Tag};
use tokio::time::{Instant, sleep};

use self::progress::Copying;
pub use self::{
    progress::{Copies, CopyPhase, CopyProgress},
    settings::{CopyCommand, CopySettings},
};
use super::{MySqlBackend, failure::Failure, work::Work};

/// How long an earlier copy may take to end, or its server to come back with it.
const EARLIER: Duration = Duration::from_mins(1);

/// Between two attempts to end it.
const AGAIN: Duration = Duration::from_millis(200);

impl MySqlBackend {
    /// Where copies say how far they are.
    pub fn copies(&self) -> Copies {
        self.copies.clone()
    }

    pub(super) async fn copy_now(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
    ) -> Result<GtidSet, Failure> {
        let copying = self.copies.begin(node).await?;
        let (ended, before) = (copying.ended(), OnceLock::new());
        tokio::select! {
            // What is asked to end is not begun.
            biased;
            () = ended.cancelled() => {
                self.take_back(node, tag, before.get()).await;
                Err(Failure::unknown("it was ended on demand"))
            }
            copied = self.copy(node, donor, tag, &copying, &before) => copied,
        }
    }

    async fn copy(
        &self,
        node: &NodeId,
        donor: &NodeId,
        tag: &Tag,
        copying: &Copying,
        before: &OnceLock<clone::Before>,
    ) -> Result<GtidSet, Failure> {
        let work = self.cleared(node, tag).await?;
        match work.dialect().flavor {
            Flavor::MySql => self.clone_instance(work, donor, copying, before).await,
            Flavor::MariaDb => self.streamed(work, donor, copying).await,
        }
    }

    /// A session with a server on which no earlier copy is under way any more: on MySQL it outlives
    /// whoever began it. A clone that is killed while data come over may take seconds to end, and
    /// so does the statement that kills it; or it is whole meanwhile, and the server restarts under
    /// us. So this is tried for a while.
    async fn cleared<'a>(&self, node: &NodeId, tag: &'a Tag) -> Result<Work<'a>, Failure> {
        let until = Instant::now() + EARLIER;
        loop {
            let failure = match self.cleared_once(node, tag).await {
                Ok(work) => return Ok(work),
                Err(failure) => failure,
            };
            let may_pass =
                matches!(failure.kind, ActionErrorKind::Unreachable | ActionErrorKind::Unknown);
            if !may_pass || Instant::now() + AGAIN >= until {
                return Err(failure);
            }
            sleep(AGAIN).await;
            self.pool.clear(node);
        }
    }

    async fn cleared_once<'a>(&self, node: &NodeId, tag: &'a Tag) -> Result<Work<'a>, Failure> {
        let deadline = Instant::now() + self.limits.action;
        let mut work =
            Work::begin(&self.pool, node, tag, deadline).await.map_err(Failure::of_question)?;
        work.clear_tagged(2).await?;
        if work.dialect().flavor == Flavor::MySql {
            clone::end(&mut work).await?;
        }
        // What comes next has the whole time again.
        work.deadline = Instant::now() + self.limits.action;
        Ok(work)
    }

    /// Ends what a copy has left on its server, and sets back what it has set there, if anything.
    async fn take_back(&self, node: &NodeId, tag: &Tag, before: Option<&clone::Before>) {
        self.end_on_server(node, tag).await;
        if let Some(before) = before {
            self.restore_settings(node, tag, before).await;
        }
    }

    /// Ends what a copy has left on its server; what cannot be ended there is ended by the next.
    async fn end_on_server(&self, node: &NodeId, tag: &Tag) {
        let deadline = Instant::now() + self.limits.action;
        if let Ok(mut work) = Work::begin(&self.pool, node, tag, deadline).await
            && work.dialect().flavor == Flavor::MySql
            // Its text may be on its way to the clone still.
            && work.clear_tagged(2).await.is_ok()
            && clone::end(&mut work).await.is_ok()
        {
            work.finish();
        }
    }
}
