//! The gate in front of a fake connecting service; time is tokio's, paused, so it runs at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{info, target};
use mysqlsvc_proxy::{
    Connected, ConnectionInfo, DialSlot, Gate, GateError, GateLayer, GateLimits, Gated, Greeted,
    HoldCounts, HoldEnded, LONGEST_HOLD,
};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

const HOLD: Duration = Duration::from_secs(5);
type Connect = Gated<BoxCloneService<ConnectionInfo, Connected<()>, Infallible>>;

fn enter(gate: &Gate) -> impl Future<Output = Result<DialSlot, GateError<Infallible>>> + use<> {
    let gate = gate.clone();
    async move { gate.enter().await }
}

fn limits() -> GateLimits {
    GateLimits::default()
}

/// A service behind `gate` that takes a permit to succeed, and says when it begins.
fn connect(gate: &Gate, permits: &Arc<Semaphore>, begun: &Arc<Notify>) -> Connect {
    let (permits, begun) = (Arc::clone(permits), Arc::clone(begun));
    let inner = service_fn(move |_: ConnectionInfo| {
        let (permits, begun) = (Arc::clone(&permits), Arc::clone(&begun));
        async move {
            begun.notify_one();
            permits.acquire().await.unwrap().forget();
            let greeted = Greeted { io: (), first_bytes: Vec::new() };
            Ok(Connected::new(greeted, target(1), 0))
        }
    });
    GateLayer::new(gate.clone()).layer(BoxCloneService::new(inner))
}

#[tokio::test(start_paused = true)]
async fn a_shut_gate_parks_and_an_open_one_releases() {
    let gate = Gate::default();
    let hold = gate.shut(HOLD);
    let parked = tokio::spawn(enter(&gate));
    tokio::task::yield_now().await;
    assert!(!parked.is_finished());
    assert_eq!(hold.settled().await, Ok(HoldCounts { held: 1, active: 0 }));

    let before = Instant::now();
    gate.open();
    let _slot = parked.await.unwrap().unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
    let counts = gate.counts();
    assert_eq!((counts.held, counts.dialling), (0, 1));
    assert_eq!(hold.settled().await, Err(HoldEnded::Reopened));
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_by_itself_when_its_time_is_up() {
    let gate = Gate::default();
    let hold = gate.shut(HOLD);
    let before = Instant::now();
    let _slot = enter(&gate).await.unwrap();
    assert_eq!(before.elapsed(), HOLD);
    assert!(!gate.is_shut());
    assert_eq!(hold.ended().await, HoldEnded::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_hold_nobody_waits_in_ends_too() {
    let gate = Gate::default();
    let hold = gate.shut(HOLD);
    let before = Instant::now();
    assert_eq!(hold.ended().await, HoldEnded::Expired);
    assert_eq!(before.elapsed(), HOLD);
    let _slot = enter(&gate).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_hold_is_longer_than_the_limit() {
    let gate = Gate::default();
    gate.shut(Duration::MAX);
    assert_eq!(gate.remaining(), Some(limits().hold));
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_a_dial_in_flight_and_counts_it_as_active() {
    let (gate, permits, begun) = (Gate::default(), Arc::new(Semaphore::new(0)), Arc::default());
    let dialling = tokio::spawn(connect(&gate, &permits, &begun).oneshot(info()));
    begun.notified().await;
    let hold = gate.shut(HOLD);
    let settled = tokio::spawn(async move { hold.settled().await });
    tokio::task::yield_now().await;
    assert!(!settled.is_finished());

    permits.add_permits(1);
    let connected = dialling.await.unwrap().unwrap();
    assert_eq!(settled.await.unwrap(), Ok(HoldCounts { held: 0, active: 1 }));
    drop(connected);
    assert_eq!(gate.counts().active, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_outstays_the_grace_is_given_up_and_begun_anew_when_the_gate_opens() {
    let (gate, permits, begun) = (Gate::default(), Arc::new(Semaphore::new(0)), Arc::default());
    let dialling = tokio::spawn(connect(&gate, &permits, &begun).oneshot(info()));
    begun.notified().await;
    let before = Instant::now();
    let hold = gate.shut(HOLD);
    assert_eq!(hold.settled().await, Ok(HoldCounts { held: 1, active: 0 }));
    assert_eq!(before.elapsed(), limits().dial_grace);

    permits.add_permits(1);
    tokio::task::yield_now().await;
    assert!(!dialling.is_finished(), "it dialled through a shut gate");
    gate.open();
    begun.notified().await;
    assert!(dialling.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_dial_goes_on_when_the_gate_opens_again_within_the_grace() {
    let (gate, permits, begun) = (Gate::default(), Arc::new(Semaphore::new(0)), Arc::default());
    let dialling = tokio::spawn(connect(&gate, &permits, &begun).oneshot(info()));
    begun.notified().await;
    gate.shut(HOLD);
    tokio::time::sleep(limits().dial_grace / 2).await;
    gate.open();
    tokio::time::sleep(limits().dial_grace * 2).await;
    assert_eq!(gate.counts().dialling, 1);
    permits.add_permits(1);
    assert!(dialling.await.unwrap().is_ok());
    let again = tokio::time::timeout(Duration::from_secs(1), begun.notified()).await;
    assert!(again.is_err(), "it dialled twice");
}

#[tokio::test(start_paused = true)]
async fn one_more_than_the_queue_holds_is_refused() {
    let mut bounds = limits();
    bounds.queue = 2;
    let gate = Gate::new(bounds);
    gate.shut(HOLD);
    let parked = [tokio::spawn(enter(&gate)), tokio::spawn(enter(&gate))];
    tokio::task::yield_now().await;
    assert!(matches!(enter(&gate).await, Err(GateError::QueueFull { limit: 2 })));
    gate.open();
    for parked in parked {
        assert!(parked.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_longer_than_it_may_is_refused_and_its_place_given_back() {
    let mut bounds = limits();
    bounds.wait = HOLD / 2;
    let gate = Gate::new(bounds);
    gate.shut(HOLD);
    let before = Instant::now();
    assert!(matches!(enter(&gate).await, Err(GateError::HeldTooLong { .. })));
    assert_eq!(before.elapsed(), HOLD / 2);
    assert_eq!(gate.counts().held, 0);
}

#[tokio::test(start_paused = true)]
async fn one_waits_for_as_long_as_the_hold_lasts() {
    let gate = Gate::default();
    gate.shut(LONGEST_HOLD);
    let before = Instant::now();
    let parked = tokio::spawn(enter(&gate));
    tokio::time::sleep(LONGEST_HOLD / 2).await;
    assert!(gate.is_shut() && !parked.is_finished());
    let _slot = parked.await.unwrap().unwrap();
    assert_eq!(before.elapsed(), LONGEST_HOLD);
}

#[tokio::test(start_paused = true)]
async fn one_that_leaves_gives_its_place_back() {
    let gate = Gate::default();
    gate.shut(HOLD);
    let parked = tokio::spawn(enter(&gate));
    tokio::task::yield_now().await;
    assert_eq!(gate.counts().held, 1);
    parked.abort();
    assert!(parked.await.unwrap_err().is_cancelled());
    assert_eq!(gate.counts().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a_newer_hold_ends_the_older_and_keeps_those_who_wait() {
    let gate = Gate::default();
    let first = gate.shut(HOLD);
    let parked = tokio::spawn(enter(&gate));
    tokio::task::yield_now().await;
    let second = gate.shut(HOLD);
    assert_eq!(first.settled().await, Err(HoldEnded::Superseded));
    assert_eq!(second.settled().await, Ok(HoldCounts { held: 1, active: 0 }));
    assert!(!parked.is_finished());
}
