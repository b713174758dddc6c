//! What goes wrong, and when: single faults at chosen calls of the backend.

use super::world::Disturbance;
use crate::{NodeId, backend::ActionErrorKind};

/// Which method of the backend is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum CallKind {
    Look,
    Inspect,
    Freeze,
    Thaw,
    Close,
    AwaitExecuted,
    Open,
    Follow,
    ForgetSource,
    KillClients,
    AwaitQuiet,
    OpenBeside,
    StopReplication,
    StartReplication,
    SetSemiSync,
    EnableEvents,
    DisableEvents,
    CopyFrom,
}

/// One thing that goes wrong, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// At which call.
    pub when: When,
    /// What happens there.
    pub what: FaultKind,
}

/// At which call a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// At the call of that number; the first one after the world was made has number 1.
    Call(u64),
    /// At a call of that kind to that server.
    Action {
        /// Of that kind.
        kind: CallKind,
        /// To that server.
        node: NodeId,
        /// How many such calls go well before; 0 strikes at the first.
        after: u32,
    },
}

/// What happens at a call. Statements of a call are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is done, and that is what the answer says.
    Fail(ActionErrorKind),
    /// So many statements are done, then the connection is lost: the answer is `Unknown`. None: the
    /// call has no effect; more than the call has: it is done, and only its answer is lost.
    Cut {
        /// How many are done.
        after: usize,
    },
    /// The connection is lost while this statement waits on the server. It is carried out at the
    /// beginning of a later call, unless it is killed or the server dies before.
    Late {
        /// Which one.
        statement: usize,
        /// How many calls later; 1 is the next call.
        calls: u64,
    },
    /// The server dies (kill -9) after so many statements of the call.
    Crash {
        /// How many are done.
        after: usize,
        /// Whether it has booted again when the call ends, or stays down until it is started.
        restarts: bool,
    },
    /// The server hangs after so many statements, until it is resumed; the next one waits there.
    Hang {
        /// How many are done.
        after: usize,
    },
    /// Something else happens in the world just before the call, which itself is left alone.
    Disturb(Disturbance),
}

impl FaultKind {
    /// Everything is done, but the answer is lost.
    pub const fn lost_answer() -> Self {
        Self::Cut { after: usize::MAX }
    }

    /// Every fault that a call of so many statements can have on its own server: refusals, a cut,
    /// both kinds of crash and a hang before each statement and after the last, each statement late.
    pub fn every(statements: usize) -> Vec<Self> {
        let mut all =
            vec![Self::Fail(ActionErrorKind::Unreachable), Self::Fail(ActionErrorKind::Refused)];
        for after in 0..=statements {
            all.push(Self::Cut { after });
            all.push(Self::Crash { after, restarts: false });
            all.push(Self::Hang { after });
            all.push(Self::Crash { after, restarts: true });
        }
        for statement in 0..statements {
            all.push(Self::Late { statement, calls: 1 });
            all.push(Self::Late { statement, calls: 4 });
        }
        all
    }
}

/// The faults that have yet to strike.
#[derive(Debug, Default, Clone)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Takes what strikes at this call out of the plan.
    pub(super) fn strike(&mut self, number: u64, kind: CallKind, node: &NodeId) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        self.0.retain_mut(|fault| {
            let now = match &mut fault.when {
                When::Call(at) => *at == number,
                When::Action { kind: of, node: to, after } if *of == kind && to == node => {
                    let now = *after == 0;
                    *after = after.saturating_sub(1);
                    now
                }
                When::Action { .. } => false,
            };
            if now {
                struck.push(fault.what.clone());
            }
            !now
        });
        struck
    }
}
