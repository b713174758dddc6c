//! A TCP forwarder of tower services: it can hold new connections while their server is being
//! changed, tries servers until one greets, and loses no byte when a connection ends.
//!
//! A plain forwarder in ten lines:
//!
//! ```no_run
//! use std::time::Duration;
//! use mysqlsvc_proxy::{Forwarder, Targets};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let targets = Targets::fixed(["10.0.0.1:3306".parse()?, "10.0.0.2:3306".parse()?]);
//!     let mut forwarder = Forwarder::mysql().targets(targets).start("127.0.0.1:3306".parse()?)?;
//!     tokio::signal::ctrl_c().await?;
//!     forwarder.drain(Duration::from_secs(30)).await;
//!     Ok(())
//! }
//! ```
//!
//! Changing the server under running applications:
//!
//! ```
//! # use std::time::Duration;
//! # use mysqlsvc_proxy::{Forwarder, TargetSet};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut forwarder = Forwarder::mysql().start("127.0.0.1:0".parse()?)?;
//! let hold = forwarder.gate().shut(Duration::from_secs(5)); // new connections wait
//! let counts = hold.settled().await?; // no dial is in flight any more
//! println!("{} connections wait, {} stand", counts.held, counts.active);
//! forwarder.targets().replace(TargetSet::new(8, ["10.0.0.2:3306".parse()?])); // first this
//! forwarder.gate().open(); // then this: those who wait go to the new server
//! # forwarder.drain(Duration::ZERO).await;
//! # Ok(())
//! # }
//! ```
//!
//! # The stack
//! | part | as a tower service | does |
//! |---|---|---|
//! | [`TcpDial`] | `TargetAddr` → `TcpStream` | connects, within a limit |
//! | [`GreetLayer`] | `TargetAddr` → [`Greeted`] | waits until the server has greeted |
//! | [`FindLayer`] | [`ConnectionInfo`] → [`Connected`] | chooses targets until one serves |
//! | [`GateLayer`] | [`ConnectionInfo`] → [`Connected`] | lets callers wait while the [`Gate`] is shut |
//! | [`WaitLayer`] | [`ConnectionInfo`] → [`Connected`] | lets callers wait while there is no target |
//! | [`Relay`] | [`Link`] → [`RelayReport`] | carries bytes both ways |
//! | [`Forward`] | [`Accepted`] → [`Outcome`] | one connection: connect, relay, or refuse |
//! | [`Serve`] | — | accepts connections, owns their tasks, drains |
//!
//! Each can be used without the others; [`Forwarder`] puts them together. A relay that
//! understands the protocol takes [`Relay`]'s place by [`Forwarder::relay`], another balancer
//! [`RoundRobin`]'s by [`Forwarder::choice`], and discovery is whoever calls
//! [`Targets::replace`].
//!
//! # What it guarantees
//! - A connection that stands is never ended because targets or gate changed.
//! - While the gate is shut and settled, no dial is in flight and none begins.
//! - Every wait has a limit, every queue a bound; a client that leaves while it waits gives its
//!   place back.
//! - Only [`mysql_greeting`] knows MySQL.

mod accept;
mod addr;
mod choice;
mod connect;
mod drain;
mod forward;
mod gate;
mod io;
mod listen;
pub mod mysql_greeting;
mod refusal;
mod relay;
mod socket;
mod stack;
mod stats;
mod target;

pub use accept::{Serve, SessionService};
pub use addr::{ClientAddr, InvalidTarget, LocalAddr, TargetAddr};
pub use choice::{Choose, RoundRobin};
pub use connect::{
    Connected, DialError, Find, FindError, FindLayer, FindLimits, Greet, GreetLayer, Greeted,
    Greeting, Guards, TcpDial, Verdict, Wait, WaitError, WaitLayer, WaitingRoom,
};
pub use drain::{DrainReport, StopSignal};
pub use forward::{Forward, Outcome, TurnAway};
pub use gate::{
    ActiveSlot, DialSlot, Gate, GateCounts, GateError, GateLayer, GateLimits, Gated, HoldCounts,
    HoldEnded, LONGEST_HOLD, ShutHandle,
};
pub use io::{Accepted, ConnectionInfo, Stream};
pub use listen::{BindError, DEFAULT_BACKLOG, Listen, TcpListen};
pub use refusal::{BareClose, Refusal, RefusalMessage};
pub use relay::{CloseReason, Link, Relay, RelayReport, Side};
pub use socket::{Keepalive, SocketOptions};
pub use stack::{Forwarder, ForwarderHandle};
pub use stats::{Stats, StatsSnapshot};
pub use target::{TargetSet, Targets};
