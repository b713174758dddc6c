//! Finding a server that serves: dial, greeting, choice with retries, the wait for a target; each a
//! service of its own.

mod dial;
mod error;
mod find;
mod greet;
mod wait;

use std::any::Any;
use std::fmt;

pub use dial::TcpDial;
pub use error::DialError;
pub use find::{Find, FindError, FindLayer, FindLimits};
pub use greet::{Greet, GreetLayer, Greeted, Greeting, Verdict};
pub use wait::{Wait, WaitError, WaitLayer, WaitingRoom};

use crate::addr::TargetAddr;

/// A connection to a server, with what the server has said already.
pub struct Connected<Io> {
    /// The stream to the server.
    pub io: Io,
    /// Bytes read from it while judging its greeting; the client gets them first.
    pub first_bytes: Vec<u8>,
    /// The server.
    pub target: TargetAddr,
    /// The label of the set it was chosen from.
    pub epoch: u64,
    guards: Guards,
}

/// Things to drop when a connection ends: places in counts, permits and the like.
#[derive(Default)]
pub struct Guards(Vec<Box<dyn Any + Send>>);

impl<Io> Connected<Io> {
    /// A connection that nothing is kept with.
    pub fn new(greeted: Greeted<Io>, target: TargetAddr, epoch: u64) -> Self {
        Self {
            io: greeted.io,
            first_bytes: greeted.first_bytes,
            target,
            epoch,
            guards: Guards::default(),
        }
    }

    /// Keeps `guard` until the connection has ended.
    pub fn keep(&mut self, guard: impl Any + Send) {
        self.guards.0.push(Box::new(guard));
    }

    /// Takes the guards out; whoever relays holds them to its end.
    pub fn take_guards(&mut self) -> Guards {
        std::mem::take(&mut self.guards)
    }
}

impl<Io> fmt::Debug for Connected<Io> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("target", &self.target)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guards({})", self.0.len())
    }
}
