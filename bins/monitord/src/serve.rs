//! From a configuration to a running monitor, and to its end.

use mysqlsvc_daemon::EndSignals;
use mysqlsvc_http::server::{ServerState, api_router, serve, sse_router};
use mysqlsvc_monitor::{
    Monitor, Running,
    config::{Config, DiscoveryConfig, Environment},
    mysql::Credentials,
    secrets::Secrets,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{args::Args, error::Failure, listeners::Listeners};

/// Reads the configuration and its secrets.
fn load(args: &Args) -> Result<(Config, Credentials), Failure> {
    let config = Config::load(&args.config, &Environment::of_process())?;
    let monitor = &config.monitor;
    let secrets = Secrets::load(&monitor.secrets, monitor.secrets_readers)?;
    Ok((config, secrets.credentials()))
}

/// Only says whether the configuration is right.
pub(crate) fn check(args: &Args) -> Result<String, Failure> {
    let (config, _) = load(args)?;
    let clusters = config.clusters.iter().map(|cluster| match &cluster.discovery {
        DiscoveryConfig::Static { nodes } => format!("{} ({} servers)", cluster.name, nodes.len()),
        _ => cluster.name.to_string(),
    });
    let clusters: Vec<String> = clusters.collect();
    Ok(format!("{}: right; clusters: {}", args.config.display(), clusters.join(", ")))
}

/// Serves until asked to end, or until going on would not be safe.
pub(crate) async fn run(args: &Args) -> Result<(), Failure> {
    let mut signals = EndSignals::listen().map_err(Failure::Signals)?;
    let (config, credentials) = load(args)?;
    let listeners = Listeners::bind(&config.monitor).await?;
    let (monitor, running) = Monitor::start(&config, &credentials).await?;
    listeners.announce(args.address_file.as_deref())?;
    let mut services = Services::start(&monitor, listeners);
    drop(monitor);
    let ended = keep(running, &mut services, &mut signals).await;
    // Proxies are told of everything that ended just now before their streams end.
    let closed = tokio::select! {
        closed = services.stop() => closed,
        () = signals.next() => Err(Failure::Impatient),
    };
    ended.and(closed)
}

/// Waits for a reason to end, and lets the clusters end in their own time.
async fn keep(
    mut running: Running,
    services: &mut Services,
    signals: &mut EndSignals,
) -> Result<(), Failure> {
    let reason = tokio::select! {
        () = signals.next() => Ok(()),
        error = running.failed() => Err(error.into()),
        error = services.failed() => Err(error),
    };
    match &reason {
        Ok(()) => tracing::info!("asked to end"),
        Err(error) => tracing::error!(%error, "ending"),
    }
    tokio::select! {
        ended = running.shutdown() => reason.and(ended.map_err(Failure::from)),
        () = signals.next() => Err(Failure::Impatient),
    }
}

/// Both HTTP services.
#[derive(Debug)]
struct Services {
    tasks: JoinSet<std::io::Result<()>>,
    stop: CancellationToken,
}

impl Services {
    fn start(monitor: &Monitor, listeners: Listeners) -> Self {
        let state = ServerState::new(monitor.clusters().cloned());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listeners.http, api_router(state.clone()), stop.clone()));
        tasks.spawn(serve(listeners.sse, sse_router(state), stop.clone()));
        Self { tasks, stop }
    }

    /// Comes when a service has ended, which nobody asked for. Cancellation safe.
    async fn failed(&mut self) -> Failure {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => Failure::Listener(error),
            Some(Err(error)) => error.into(),
            Some(Ok(Ok(()))) | None => std::future::pending().await,
        }
    }

    async fn stop(&mut self) -> Result<(), Failure> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended?.map_err(Failure::Listener)?;
        }
        Ok(())
    }
}
