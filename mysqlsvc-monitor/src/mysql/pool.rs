//! Sessions kept open per node, so that a switch pays no handshake while nobody can write.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mysql_async::{OptsBuilder, SslOpts};
use mysqlsvc_core::NodeId;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use super::{Limits, credentials::Login, dialect::ASK_CLOCK, fault::Fault, session::Session};

/// How many idle sessions are kept: one for a look, one for an action at the same moment.
const KEPT: usize = 2;

/// An idle session that answered less than this ago is taken to be alive; others are asked first.
const TRUSTED: Duration = Duration::from_secs(5);

/// Asking an idle session whether it lives may take this long before a new one is made.
const PING_LIMIT: Duration = Duration::from_millis(300);

type Idle = Arc<Mutex<VecDeque<Session>>>;

/// The sessions with all nodes.
#[derive(Debug)]
pub(super) struct Pool {
    login: Login,
    limits: Limits,
    nodes: Mutex<BTreeMap<NodeId, Idle>>,
}

/// A session on loan; only [`Lease::give_back`] keeps it open.
#[derive(Debug)]
pub(super) struct Lease {
    session: Session,
    home: Idle,
    /// It was idle before, so it may be stale.
    pub(super) reused: bool,
}

impl Pool {
    pub(super) fn new(login: Login, limits: Limits) -> Self {
        Self { login, limits, nodes: Mutex::default() }
    }

    /// A session that answered a moment ago, else a new one.
    pub(super) async fn lease(&self, node: &NodeId, deadline: Instant) -> Result<Lease, Fault> {
        let home = self.home(node);
        while let Some(mut session) = take_idle(&home) {
            let trusted = session.last_used().elapsed() < TRUSTED;
            let ping = deadline.min(Instant::now() + PING_LIMIT);
            if trusted || session.run(ASK_CLOCK, ping).await.is_ok() {
                return Ok(Lease { session, home, reused: true });
            }
        }
        self.lease_new(node, deadline).await
    }

    /// A new session, whatever is idle.
    pub(super) async fn lease_new(&self, node: &NodeId, deadline: Instant) -> Result<Lease, Fault> {
        let session = self.connect(node, deadline).await?;
        Ok(Lease { session, home: self.home(node), reused: false })
    }

    /// Forgets what is idle at a node: the server behind it was seen to have ended sessions.
    pub(super) fn clear(&self, node: &NodeId) {
        lock(&self.home(node)).clear();
    }

    /// Opens sessions until as many are idle as an operation wants to find. What fails is left
    /// for the next look to report.
    pub(super) async fn warm(&self, node: &NodeId, deadline: Instant) {
        let home = self.home(node);
        while lock(&home).len() < KEPT {
            match self.connect(node, deadline).await {
                Ok(session) => put_back(&home, session),
                Err(_) => return,
            }
        }
    }

    fn home(&self, node: &NodeId) -> Idle {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(nodes.entry(node.clone()).or_default())
    }

    async fn connect(&self, node: &NodeId, deadline: Instant) -> Result<Session, Fault> {
        let opts = OptsBuilder::default()
            .ip_or_hostname(node.host())
            .tcp_port(node.port())
            .user(Some(&self.login.user))
            .pass(Some(self.login.password.expose_secret()))
            .ssl_opts(None::<SslOpts>)
            .prefer_socket(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(Duration::from_secs(10)))
            // Given here, they need not be asked for: one round trip less for a new session.
            .max_allowed_packet(Some(64 << 20))
            .wait_timeout(Some(28_800))
            .stmt_cache_size(0);
        Session::open(opts.into(), deadline.min(Instant::now() + self.limits.connect)).await
    }
}

impl Lease {
    /// Forgets what is idle beside it: it may have been killed.
    pub(super) fn forget_idle(&self) {
        lock(&self.home).clear();
    }

    /// Puts the session back for the next one who needs it.
    pub(super) fn give_back(self) {
        put_back(&self.home, self.session);
    }
}

impl std::ops::Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl std::ops::DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

fn take_idle(home: &Idle) -> Option<Session> {
    // The one that rested longest: all of them keep being used, and so known to be alive.
    lock(home).pop_front()
}

fn put_back(home: &Idle, session: Session) {
    let mut idle = lock(home);
    if session.is_usable() && idle.len() < KEPT {
        idle.push_back(session);
    }
}

fn lock(home: &Idle) -> std::sync::MutexGuard<'_, VecDeque<Session>> {
    home.lock().unwrap_or_else(PoisonError::into_inner)
}
