//! Putting the parts together.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};

use super::ForwarderHandle;
use super::handle::Parts;
use crate::accept::{Serve, most_turned_away};
use crate::choice::{Choose, RoundRobin};
use crate::connect::{
    FindLayer, FindLimits, GreetLayer, Greeting, TcpDial, WaitLayer, WaitingRoom,
};
use crate::drain::StopSignal;
use crate::forward::{Forward, TurnAway};
use crate::gate::{Gate, GateLayer, GateLimits};
use crate::listen::{BindError, DEFAULT_BACKLOG, TcpListen};
use crate::mysql_greeting::{MySqlGreeting, MySqlRefusals};
use crate::refusal::{BareClose, RefusalMessage};
use crate::relay::{Link, Relay, RelayReport};
use crate::socket::SocketOptions;
use crate::stats::Stats;
use crate::target::Targets;

/// A forwarder not yet started. Everything has a default; without targets, connections wait for
/// some.
pub struct Forwarder<R = Relay> {
    targets: Targets,
    choice: Arc<dyn Choose>,
    gate: GateLimits,
    find: FindLimits,
    dial_limit: Duration,
    greeting: GreetLayer,
    refusals: Arc<dyn RefusalMessage>,
    relay: R,
    listening: Listening,
}

struct Listening {
    sockets: SocketOptions,
    backlog: u32,
    max_connections: usize,
    drain_limit: Duration,
    shutdown: CancellationToken,
}

impl Default for Forwarder {
    fn default() -> Self {
        Self::new()
    }
}

impl Forwarder {
    /// Forwards bytes of any protocol: waits for no greeting, closes without a word.
    pub fn new() -> Self {
        Self {
            targets: Targets::default(),
            choice: Arc::new(RoundRobin::default()),
            gate: GateLimits::default(),
            find: FindLimits::default(),
            dial_limit: Duration::from_secs(2),
            greeting: GreetLayer::off(),
            refusals: Arc::new(BareClose),
            relay: Relay::default(),
            listening: Listening {
                sockets: SocketOptions::default(),
                backlog: DEFAULT_BACKLOG,
                max_connections: 10_000,
                drain_limit: Duration::from_secs(30),
                shutdown: CancellationToken::new(),
            },
        }
    }

    /// Forwards MySQL: waits up to 5 s for a server's greeting, and says an error packet where a
    /// client cannot be served.
    pub fn mysql() -> Self {
        Self::new().greeting(MySqlGreeting, Duration::from_secs(5)).refusals(MySqlRefusals)
    }
}

impl Forwarder {
    /// The most connections that `files` file descriptors are enough for: two for each, and one
    /// for each client that is being turned away meanwhile.
    pub fn connections_for(files: u64) -> usize {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let most = files / 3 + 1;
        (files - most_turned_away(most).min(files)) / 2
    }
}

impl<R> Forwarder<R> {
    /// The servers to forward to. Keep a clone to change them.
    #[must_use]
    pub fn targets(mut self, targets: impl Into<Targets>) -> Self {
        self.targets = targets.into();
        self
    }

    /// How one of the targets is chosen; round robin by default.
    #[must_use]
    pub fn choice(mut self, choice: impl Choose) -> Self {
        self.choice = Arc::new(choice);
        self
    }

    /// The bounds of a hold.
    #[must_use]
    pub fn gate_limits(mut self, limits: GateLimits) -> Self {
        self.gate = limits;
        self
    }

    /// The bounds of the search for a server.
    #[must_use]
    pub fn find_limits(mut self, limits: FindLimits) -> Self {
        self.find = limits;
        self
    }

    /// How long one TCP connection may take to be made; 2 s by default.
    #[must_use]
    pub fn dial_limit(mut self, limit: Duration) -> Self {
        self.dial_limit = limit;
        self
    }

    /// Asks each server for a greeting, for `limit` at most, before a client is joined to it.
    #[must_use]
    pub fn greeting(mut self, greeting: impl Greeting, limit: Duration) -> Self {
        self.greeting = GreetLayer::new(Arc::new(greeting), limit);
        self
    }

    /// What clients that cannot be served are told.
    #[must_use]
    pub fn refusals(mut self, refusals: impl RefusalMessage) -> Self {
        self.refusals = Arc::new(refusals);
        self
    }

    /// TCP options of both sides.
    #[must_use]
    pub fn sockets(mut self, options: SocketOptions) -> Self {
        self.listening.sockets = options;
        self
    }

    /// The most connections at once, waiting ones included; 10,000 by default. See
    /// [`Forwarder::connections_for`].
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.listening.max_connections = most;
        self
    }

    /// Connections the kernel holds for us until they are accepted; 4096 by default.
    #[must_use]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.listening.backlog = backlog;
        self
    }

    /// Drains, for `limit` at most, when `token` is cancelled. The other way to end is
    /// [`ForwarderHandle::drain`].
    #[must_use]
    pub fn shutdown(mut self, token: CancellationToken, limit: Duration) -> Self {
        self.listening.shutdown = token;
        self.listening.drain_limit = limit;
        self
    }

    /// Replaces the relay, by one that understands the protocol for instance.
    #[must_use]
    pub fn relay<R2>(self, relay: R2) -> Forwarder<R2> {
        Forwarder {
            targets: self.targets,
            choice: self.choice,
            gate: self.gate,
            find: self.find,
            dial_limit: self.dial_limit,
            greeting: self.greeting,
            refusals: self.refusals,
            relay,
            listening: self.listening,
        }
    }

    /// Listens on `address` and forwards from then on, in tasks of the present tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start(self, address: SocketAddr) -> Result<ForwarderHandle, BindError>
    where
        R: Service<Link<TcpStream, TcpStream>, Response = RelayReport, Error = Infallible>
            + Clone
            + Send
            + 'static,
        R::Future: Send,
    {
        let listener = TcpListen::bind(address, self.listening.backlog, self.listening.sockets)?;
        Ok(self.start_on(listener))
    }

    /// As [`Forwarder::start`], with a listener made elsewhere.
    pub fn start_on(self, listener: TcpListen) -> ForwarderHandle
    where
        R: Service<Link<TcpStream, TcpStream>, Response = RelayReport, Error = Infallible>
            + Clone
            + Send
            + 'static,
        R::Future: Send,
    {
        let local_addr = listener.local_addr();
        let gate = Gate::new(self.gate);
        let stats = Stats::default();
        let cut = CancellationToken::new();
        let (stop, requests) = watch::channel(None);
        let listening = self.listening;

        let dial = TcpDial::new(self.dial_limit, listening.sockets);
        let find = FindLayer::new(self.targets.clone(), self.choice, self.find)
            .with_stats(stats.clone())
            .layer(self.greeting.layer(dial));
        let room = WaitingRoom::new(self.find.queue);
        let wait = WaitLayer::new(self.targets.clone(), gate.clone(), room.clone(), self.find.wait);
        let connect = wait.layer(GateLayer::new(gate.clone()).layer(find));
        let serve = Serve {
            listener,
            session: Forward::new(
                connect,
                self.relay,
                Arc::clone(&self.refusals),
                stats.clone(),
                cut.clone(),
            ),
            turn_away: TurnAway::new(self.refusals, stats.clone(), listening.max_connections),
            max_connections: listening.max_connections,
            stats: stats.clone(),
            cut,
        };
        let signal = StopSignal::new(requests, listening.shutdown, listening.drain_limit);
        ForwarderHandle::new(Parts {
            local_addr,
            gate,
            targets: self.targets,
            room,
            stats,
            stop,
            task: tokio::spawn(serve.run(signal)),
        })
    }
}

impl<R: fmt::Debug> fmt::Debug for Forwarder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("targets", &self.targets)
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_that_fit_need_no_more_files_than_there_are() {
        assert_eq!(Forwarder::connections_for(0), 0);
        assert!(Forwarder::connections_for(20_256) >= 10_000);
        for files in (24..3_000).chain([1 << 40]) {
            let connections = Forwarder::connections_for(files);
            let needed = 2 * connections + most_turned_away(connections);
            assert!(needed as u64 <= files, "{connections} in {files}");
        }
    }
}
