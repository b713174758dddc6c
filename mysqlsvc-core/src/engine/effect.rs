//! What the engine wants done.

use super::{Answer, CallId, PersistTicket, Refusal, RequestTicket};
use crate::{Action, Millis, NodeId, OperationId, Route, Tag, journal::Entry};

/// One thing for the driver to do. The driver has no policy: it does it and hands the result back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Append to the store; answered by [`super::Event::Persisted`].
    Persist {
        /// Comes back.
        ticket: PersistTicket,
        /// In order, all or nothing.
        entries: Vec<Entry>,
    },
    /// Look at a node now; answered by [`super::Event::Looked`].
    Look {
        /// Which.
        node: NodeId,
    },
    /// Inspect a node now; answered by [`super::Event::Inspected`].
    Inspect {
        /// Which.
        node: NodeId,
    },
    /// Do something to a server; answered by [`super::Event::ActionEnded`].
    Run {
        /// Comes back.
        call: CallId,
        /// What.
        action: Action,
        /// The mark of its statements.
        tag: Tag,
    },
    /// Wait until the proxies hold, after the route that says so was published; answered by
    /// [`super::Event::HoldEnded`].
    AwaitHold {
        /// Comes back.
        call: CallId,
        /// The operation whose hold it is.
        operation: OperationId,
        /// At most.
        limit: Millis,
    },
    /// End the copy to a node that is under way; its call is not waited for any more.
    EndCopy {
        /// Which.
        node: NodeId,
    },
    /// Tell the proxies.
    Publish(Route),
    /// Answer a request.
    Reply {
        /// Which.
        ticket: RequestTicket,
        /// With what.
        answer: Result<Answer, Refusal>,
    },
    /// Stop the process: what is durable is no longer known. The next start replays.
    Halt {
        /// Why, for the log.
        reason: String,
    },
}
