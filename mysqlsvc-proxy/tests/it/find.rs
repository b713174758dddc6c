//! The search for a server, with dials made up in memory and tokio's time paused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{greeting, info, target};
use mysqlsvc_proxy::mysql_greeting::MySqlGreeting;
use mysqlsvc_proxy::{
    DialError, Find, FindError, FindLayer, FindLimits, GreetLayer, Greeted, RoundRobin, Stats,
    TargetAddr, TargetSet, Targets,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

/// Ports say how a fake target behaves.
const SERVES: u16 = 1;
const SERVES_TOO: u16 = 2;
const REFUSES: u16 = 10;
const REFUSES_TOO: u16 = 11;
const HANGS: u16 = 20;
const NO_FILES: u16 = 30;

#[derive(Clone, Default)]
struct Network {
    dialled: Arc<Mutex<Vec<u16>>>,
}

type Dial = BoxCloneService<TargetAddr, Greeted<u16>, DialError>;

impl Network {
    fn find(&self, targets: &Targets) -> Find<Dial> {
        let network = self.clone();
        let dial = service_fn(move |target: TargetAddr| network.clone().dial(target.port()));
        FindLayer::new(targets.clone(), Arc::new(RoundRobin::default()), FindLimits::default())
            .layer(BoxCloneService::new(dial))
    }

    async fn dial(self, port: u16) -> Result<Greeted<u16>, DialError> {
        self.dialled.lock().unwrap().push(port);
        match port {
            REFUSES | REFUSES_TOO => Err(DialError::Closed),
            NO_FILES => Err(DialError::OutOfFiles(std::io::Error::from_raw_os_error(24))),
            HANGS => std::future::pending().await,
            io => Ok(Greeted { io, first_bytes: Vec::new() }),
        }
    }

    fn dialled(&self) -> Vec<u16> {
        self.dialled.lock().unwrap().clone()
    }
}

fn fixed(ports: &[u16]) -> Targets {
    Targets::fixed(ports.iter().map(|&port| target(port)))
}

fn set(epoch: u64, ports: &[u16]) -> TargetSet {
    TargetSet::new(epoch, ports.iter().map(|&port| target(port)))
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_is_passed_over_at_once() {
    let network = Network::default();
    let before = Instant::now();
    let found =
        network.find(&fixed(&[REFUSES, REFUSES_TOO, SERVES])).oneshot(info()).await.unwrap();
    assert_eq!(found.target, target(SERVES));
    assert_eq!(network.dialled(), [REFUSES, REFUSES_TOO, SERVES]);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn descriptors_that_have_run_out_are_said_at_once_and_no_target_is_blamed() {
    let (network, stats) = (Network::default(), Stats::default());
    let dial = {
        let network = network.clone();
        service_fn(move |target: TargetAddr| network.clone().dial(target.port()))
    };
    let targets = fixed(&[NO_FILES, SERVES]);
    let find = FindLayer::new(targets, Arc::new(RoundRobin::default()), FindLimits::default())
        .with_stats(stats.clone())
        .layer(BoxCloneService::new(dial));
    let before = Instant::now();
    let error = find.oneshot(info()).await.unwrap_err();
    assert!(matches!(error, FindError::OutOfFiles(_)), "{error}");
    assert_eq!((before.elapsed(), stats.snapshot().dial_failures), (Duration::ZERO, 0));
    assert_eq!(network.dialled(), [NO_FILES]);
}

#[tokio::test(start_paused = true)]
async fn rounds_are_repeated_until_time_is_up() {
    let (network, stats) = (Network::default(), Stats::default());
    let targets = fixed(&[REFUSES]);
    let dial = {
        let network = network.clone();
        service_fn(move |target: TargetAddr| network.clone().dial(target.port()))
    };
    let find = FindLayer::new(targets, Arc::new(RoundRobin::default()), FindLimits::default())
        .with_stats(stats.clone())
        .layer(BoxCloneService::new(dial));
    let before = Instant::now();
    let error = find.oneshot(info()).await.unwrap_err();
    assert_eq!(before.elapsed(), FindLimits::default().total);
    let FindError::Unreachable { attempts, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(attempts as usize, network.dialled().len());
    assert_eq!(u64::from(attempts), stats.snapshot().dial_failures);
    assert!((10..=30).contains(&attempts), "{attempts} attempts in 10 s");
}

#[tokio::test(start_paused = true)]
async fn without_a_target_it_says_so_at_once() {
    let before = Instant::now();
    let error = Network::default().find(&fixed(&[])).oneshot(info()).await.unwrap_err();
    assert!(matches!(error, FindError::NoTarget), "{error}");
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pause_between_rounds_ends_when_the_targets_change() {
    let (network, targets) = (Network::default(), fixed(&[REFUSES]));
    let search = tokio::spawn(network.find(&targets).oneshot(info()));
    // Past the short pauses, into one of half a second.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = Instant::now();
    targets.replace(set(2, &[SERVES]));
    search.await.unwrap().unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dial_to_a_target_that_was_removed_is_given_up() {
    let (network, targets) = (Network::default(), fixed(&[HANGS]));
    let search = tokio::spawn(network.find(&targets).oneshot(info()));
    tokio::task::yield_now().await;
    let before = Instant::now();
    targets.replace(set(2, &[SERVES]));
    assert_eq!(search.await.unwrap().unwrap().target, target(SERVES));
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dial_to_a_target_that_stays_goes_on_through_a_change() {
    let (network, targets) = (Network::default(), fixed(&[HANGS]));
    let search = tokio::spawn(network.find(&targets).oneshot(info()));
    tokio::task::yield_now().await;
    targets.replace(set(2, &[HANGS, SERVES]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!search.is_finished());
    assert_eq!(network.dialled(), [HANGS]);
}

#[tokio::test(start_paused = true)]
async fn round_robin_over_searches_is_even() {
    let network = Network::default();
    let find = network.find(&fixed(&[SERVES, SERVES_TOO]));
    for _ in 0..10 {
        find.clone().oneshot(info()).await.unwrap();
    }
    let dialled = network.dialled();
    assert_eq!(dialled.iter().filter(|&&port| port == SERVES).count(), 5);
}

/// A dial that hands out one end of a pipe and lets `act` play the server on the other.
async fn greet<F>(act: impl FnOnce(DuplexStream) -> F) -> Result<Greeted<DuplexStream>, DialError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (ours, theirs) = duplex(64);
    let playing = tokio::spawn(act(theirs));
    let ours = Arc::new(Mutex::new(Some(ours)));
    let dial = service_fn(move |_: TargetAddr| {
        let ours = ours.lock().unwrap().take().unwrap();
        async move { Ok(ours) }
    });
    let layer = GreetLayer::new(Arc::new(MySqlGreeting), Duration::from_secs(5));
    let result = layer.layer(dial).oneshot(target(1)).await;
    playing.abort();
    result
}

#[tokio::test(start_paused = true)]
async fn a_greeting_in_pieces_is_kept_for_the_client() {
    let greeted = greet(async |mut server| {
        let bytes = greeting("one");
        server.write_all(&bytes[..3]).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.write_all(&bytes[3..]).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await
    .unwrap();
    assert_eq!(greeted.first_bytes, greeting("one"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_fails_when_its_time_is_up() {
    let before = Instant::now();
    let result = greet(async |mut server| drop(server.read(&mut [0]).await)).await;
    assert!(matches!(result, Err(DialError::Silent { .. })), "{result:?}");
    assert_eq!(before.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_fails() {
    let result = greet(async |server| drop(server)).await;
    assert!(matches!(result, Err(DialError::Closed)), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn endless_noise_in_the_place_of_a_greeting_fails() {
    let result = greet(async |mut server| {
        // The header of an error of 4 MiB that never ends.
        let _ = server.write_all(b"\0\0\x40\0\xff").await;
        while server.write_all(&[b'x'; 64]).await.is_ok() {}
    })
    .await;
    assert!(matches!(result, Err(DialError::Refused { .. })), "{result:?}");
}
