//! The wiring: forwarder, follower, steer, keeper, admin address, and how they end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mysqlsvc_daemon::{EndSignals, raise_open_files};
use mysqlsvc_http::client::{
    AckClient, Follower, FollowerConfig, FollowerLimits, ProxyIdentity, RouteFile, TransportError,
};
use mysqlsvc_http::wire::{ProxyMode, Route};
use mysqlsvc_proxy::{BindError, Forwarder, ForwarderHandle, TargetSet};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::admin::{View, pages};
use crate::admin_server;
use crate::args::Args;
use crate::capacity;
use crate::holding::{ACK_LIMIT, Acknowledger};
use crate::keeper;
use crate::port_file;
use crate::steer::{Share, Steer};

/// How long the last route gets to reach the disk at the end.
const KEEP_LIMIT: Duration = Duration::from_secs(2);

/// Why proxyd ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("{0}; is the port taken? see --port and --listen")]
    Bind(#[from] BindError),
    #[error("cannot listen on {address} for --admin: {source}")]
    Admin { address: SocketAddr, source: io::Error },
    #[error("cannot use --state {}: {source}", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("cannot write --port-file {}: {source}", path.display())]
    PortFile { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Http(#[from] TransportError),
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    #[error("{0} connections were cut, as asked by the second signal")]
    Cut(usize),
}

impl ServeError {
    /// As the contract has it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::State { .. } | Self::PortFile { .. } => 64,
            _ => 1,
        }
    }
}

/// The opened route of a proxy: written by the steer, read by keeper and admin pages.
type Opened = watch::Receiver<Option<Arc<Route>>>;

/// Serves until told to end.
pub(crate) async fn serve(args: Args) -> Result<(), ServeError> {
    let mut signals = EndSignals::listen().map_err(ServeError::Signals)?;
    let mode = ProxyMode::from(args.mode);
    let file = route_file(&args, mode)?;
    let mut forwarder = Forwarder::mysql()
        .max_connections(capacity::most_connections(args.max_connections, raise_open_files()))
        .start(SocketAddr::new(args.listen, args.port))?;
    let local = forwarder.local_addr();
    let proxy_id = match &args.proxy_id {
        Some(id) => id.clone(),
        None => format!("{}-{mode}-{local}", host_name()),
    };

    let following = follow(&args, mode, &proxy_id, file, &forwarder)?;
    let draining = Arc::new(AtomicBool::new(false));
    let view = View {
        proxy_id: proxy_id.into(),
        mode,
        gate: forwarder.gate().clone(),
        targets: forwarder.targets().clone(),
        room: forwarder.waiting_room().clone(),
        stats: forwarder.stats().clone(),
        opened: following.opened.clone(),
        following: following.follower.as_ref().map(Follower::status),
        draining: Arc::clone(&draining),
    };
    // Held to the end: dropping it ends the pages.
    let _admin = match args.admin {
        Some(address) => serve_admin(address, view).await?,
        None => JoinSet::new(),
    };
    if let Some(path) = &args.port_file {
        port_file::write(path, local.0.port())
            .map_err(|source| ServeError::PortFile { path: path.clone(), source })?;
    }
    tracing::info!("proxyd listening on {local} mode={mode}");

    signals.next().await;
    draining.store(true, Ordering::Relaxed);
    let ended = end(&mut forwarder, &mut signals, args.drain).await;
    following.end().await;
    ended
}

fn route_file(args: &Args, mode: ProxyMode) -> Result<Option<RouteFile>, ServeError> {
    let Some(directory) = &args.state else {
        return Ok(None);
    };
    let owner = match &args.proxy_id {
        Some(id) => keeper::Owner::Named(id),
        None => keeper::Owner::Listening(SocketAddr::new(args.listen, args.port)),
    };
    keeper::route_file(directory, mode, &owner)
        .map(Some)
        .map_err(|source| ServeError::State { path: directory.clone(), source })
}

/// The tasks that follow a monitor; none with fixed targets.
struct Following {
    opened: Opened,
    follower: Option<Follower>,
    steering: Option<JoinHandle<()>>,
    keeping: Option<JoinHandle<()>>,
}

fn follow(
    args: &Args,
    mode: ProxyMode,
    proxy_id: &str,
    file: Option<RouteFile>,
    forwarder: &ForwarderHandle,
) -> Result<Following, ServeError> {
    let (opened_sender, opened) = watch::channel(None);
    if !args.targets.is_empty() {
        forwarder.targets().replace(TargetSet::new(0, args.targets.clone()));
        return Ok(Following { opened, follower: None, steering: None, keeping: None });
    }
    let kept = file.as_ref().and_then(|file| keeper::load(file, args.cluster.as_deref()));
    let follower = Follower::start(FollowerConfig {
        monitors: args.monitors.clone(),
        cluster: args.cluster.clone(),
        identity: Some(ProxyIdentity { id: proxy_id.to_owned(), mode }),
        known: kept.clone(),
        limits: FollowerLimits::default(),
    })?;
    let steer = Steer {
        share: Share { mode, fall_back_to_master: args.fall_back_to_master },
        gate: forwarder.gate().clone(),
        targets: forwarder.targets().clone(),
        acknowledger: Acknowledger {
            client: AckClient::new(ACK_LIMIT)?,
            proxy_id: proxy_id.to_owned(),
        },
        opened: opened_sender,
    };
    Ok(Following {
        steering: Some(tokio::spawn(steer.run(follower.routes(), kept))),
        keeping: file.map(|file| tokio::spawn(keeper::keep(file, opened.clone()))),
        follower: Some(follower),
        opened,
    })
}

impl Following {
    /// Ends the tasks one after the other, each by the end of what it reads.
    async fn end(self) {
        drop(self.follower);
        if let Some(steering) = self.steering {
            steering.abort();
            let _ = steering.await;
        }
        if let Some(keeping) = self.keeping
            && timeout(KEEP_LIMIT, keeping).await.is_err()
        {
            tracing::warn!("the last route did not reach the disk within {KEEP_LIMIT:?}");
        }
    }
}

async fn serve_admin(address: SocketAddr, view: View) -> Result<JoinSet<()>, ServeError> {
    let wrong = |source| ServeError::Admin { address, source };
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let local = listener.local_addr().map_err(wrong)?;
    tracing::info!("admin pages on http://{local}");
    let mut tasks = JoinSet::new();
    tasks.spawn(admin_server::serve(listener, pages(view)));
    Ok(tasks)
}

/// Lets connections end for `limit`, or cuts them at the next signal.
async fn end(
    forwarder: &mut ForwarderHandle,
    signals: &mut EndSignals,
    limit: Duration,
) -> Result<(), ServeError> {
    tracing::info!("ending; connections get {limit:?}, a second signal cuts them");
    let report = tokio::select! {
        report = forwarder.drain(limit) => report,
        () = signals.next() => {
            let report = forwarder.drain(Duration::ZERO).await;
            return match report.cut {
                0 => Ok(()),
                cut => Err(ServeError::Cut(cut)),
            };
        }
    };
    tracing::info!(ended = report.ended, cut = report.cut, "ended");
    Ok(())
}

/// The kernel's name of this host; containers have their own.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("pid{}", std::process::id()))
}
