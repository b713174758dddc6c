//! The accept loop with a listener that fails on command.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mysqlsvc_proxy::{Accepted, DrainReport, Listen, Outcome, Serve, Stats, StopSignal};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::common::{info, until};

/// What a scripted listener gives next.
enum Next {
    Connection,
    Error(i32),
}

struct Scripted {
    script: VecDeque<Next>,
    peers: Vec<DuplexStream>,
}

const EMFILE: i32 = 24;
const ECONNABORTED: i32 = 103;

impl Listen for Scripted {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<Accepted<DuplexStream>> {
        match self.script.pop_front() {
            None => std::future::pending().await,
            Some(Next::Error(code)) => Err(io::Error::from_raw_os_error(code)),
            Some(Next::Connection) => {
                let (io, peer) = duplex(64);
                self.peers.push(peer);
                Ok(Accepted { io, info: info() })
            }
        }
    }
}

struct Running {
    stop: watch::Sender<Option<Duration>>,
    cut: CancellationToken,
    stats: Stats,
    turned_away: Arc<AtomicUsize>,
    task: JoinHandle<DrainReport>,
}

/// Sessions end when `release` is cancelled, or the loop's cut is.
fn start(
    script: impl IntoIterator<Item = Next>,
    most: usize,
    release: &CancellationToken,
) -> Running {
    let (stop, requests) = watch::channel(None);
    let (cut, stats) = (CancellationToken::new(), Stats::default());
    let turned_away = Arc::new(AtomicUsize::new(0));
    let (ended, count) = (release.clone(), Arc::clone(&turned_away));
    let cut_seen = cut.clone();
    let serve = Serve {
        listener: Scripted { script: script.into_iter().collect(), peers: Vec::new() },
        session: service_fn(move |_: Accepted<DuplexStream>| {
            let (ended, cut) = (ended.clone(), cut_seen.clone());
            async move {
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = cut.cancelled() => {}
                }
                Ok::<_, Infallible>(Outcome::ClientLeft)
            }
        }),
        turn_away: service_fn(move |_: Accepted<DuplexStream>| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Outcome::ClientLeft) }
        }),
        max_connections: most,
        stats: stats.clone(),
        cut: cut.clone(),
    };
    let signal = StopSignal::new(requests, CancellationToken::new(), Duration::ZERO);
    Running { stop, cut, stats, turned_away, task: tokio::spawn(serve.run(signal)) }
}

#[tokio::test(start_paused = true)]
async fn it_survives_errors_and_rests_when_descriptors_run_out() {
    let script = [
        Next::Error(ECONNABORTED),
        Next::Error(EMFILE),
        Next::Error(EMFILE),
        Next::Connection,
        Next::Error(EMFILE),
        Next::Connection,
    ];
    let before = Instant::now();
    let running = start(script, 10, &CancellationToken::new());
    let stats = running.stats.clone();
    until("both connections are accepted", || stats.snapshot().accepted == 2).await;
    assert_eq!(stats.snapshot().accept_errors, 4);
    // 5 ms, 10 ms, and after a success 5 ms again; the rest is the granularity of looking.
    let rested = before.elapsed();
    assert!((20..40).contains(&rested.as_millis()), "{rested:?}");
    running.stop.send_replace(Some(Duration::ZERO));
    running.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_a_resting_listener() {
    let errors = (0..40).map(|_| Next::Error(EMFILE));
    let running = start(errors, 10, &CancellationToken::new());
    tokio::time::sleep(Duration::from_secs(20)).await;
    let before = Instant::now();
    running.stop.send_replace(Some(Duration::from_secs(30)));
    assert_eq!(running.task.await.unwrap(), DrainReport::default());
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn those_above_the_limit_are_turned_away() {
    let script = (0..5).map(|_| Next::Connection);
    let running = start(script, 2, &CancellationToken::new());
    until("three are turned away", || running.turned_away.load(Ordering::SeqCst) == 3).await;
    running.stop.send_replace(Some(Duration::ZERO));
    assert_eq!(running.task.await.unwrap(), DrainReport { ended: 0, cut: 2 });
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_sessions_and_ends_with_the_last() {
    let release = CancellationToken::new();
    let running = start((0..3).map(|_| Next::Connection), 10, &release);
    until("all are accepted", || running.stats.snapshot().accepted == 3).await;
    running.stop.send_replace(Some(Duration::from_secs(30)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!running.task.is_finished());
    let before = Instant::now();
    release.cancel();
    assert_eq!(running.task.await.unwrap(), DrainReport { ended: 3, cut: 0 });
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_drain_cuts_what_is_left_at_its_deadline_and_a_second_request_moves_it() {
    let running = start((0..2).map(|_| Next::Connection), 10, &CancellationToken::new());
    until("all are accepted", || running.stats.snapshot().accepted == 2).await;
    running.stop.send_replace(Some(Duration::from_hours(1)));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(!running.cut.is_cancelled());
    let before = Instant::now();
    running.stop.send_replace(Some(Duration::from_secs(1)));
    assert_eq!(running.task.await.unwrap(), DrainReport { ended: 0, cut: 2 });
    assert_eq!(before.elapsed(), Duration::from_secs(1));
}
