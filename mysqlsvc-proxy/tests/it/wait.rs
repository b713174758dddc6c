//! The wait for a target, in front of a gated search; time is tokio's, paused.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{info, target};
use mysqlsvc_proxy::{
    Connected, DialError, Find, FindLayer, FindLimits, Gate, GateLayer, Gated, Greeted, RoundRobin,
    TargetAddr, TargetSet, Targets, Wait, WaitError, WaitLayer, WaitingRoom,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

const LIMIT: Duration = Duration::from_secs(10);
const HOLD: Duration = Duration::from_secs(30);

type Dial = BoxCloneService<TargetAddr, Greeted<()>, DialError>;

struct Ground {
    targets: Targets,
    gate: Gate,
    room: WaitingRoom,
    connect: Wait<Gated<Find<Dial>>>,
}

/// No target yet; those that come serve.
fn ground(places: usize) -> Ground {
    let (targets, gate) = (Targets::default(), Gate::default());
    let room = WaitingRoom::new(places);
    let dial = service_fn(async |_: TargetAddr| Ok(Greeted { io: (), first_bytes: Vec::new() }));
    let choice = Arc::new(RoundRobin::default());
    let find = FindLayer::new(targets.clone(), choice, FindLimits::default())
        .layer(BoxCloneService::new(dial));
    let wait = WaitLayer::new(targets.clone(), gate.clone(), room.clone(), LIMIT);
    let connect = wait.layer(GateLayer::new(gate.clone()).layer(find));
    Ground { targets, gate, room, connect }
}

impl Ground {
    async fn connect(&self) -> Result<Connected<()>, WaitError> {
        self.connect.clone().oneshot(info()).await
    }

    async fn waiting(&self) -> JoinHandle<Result<Connected<()>, WaitError>> {
        let waiting = tokio::spawn(self.connect.clone().oneshot(info()));
        tokio::task::yield_now().await;
        waiting
    }

    fn appear(&self) {
        self.targets.replace(TargetSet::new(4, [target(1)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_appears_is_taken_at_once() {
    let ground = ground(1);
    let waiting = ground.waiting().await;
    assert_eq!(ground.room.waiting(), 1);
    tokio::time::sleep(LIMIT / 2).await;
    let before = Instant::now();
    ground.appear();
    let found = waiting.await.unwrap().unwrap();
    assert_eq!((found.target.clone(), found.epoch), (target(1), 4));
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(ground.room.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_in_vain_is_told_when_its_time_is_up() {
    let ground = ground(1);
    let before = Instant::now();
    let error = ground.connect().await.unwrap_err();
    assert!(matches!(error, WaitError::NoTarget { limit: LIMIT }), "{error}");
    assert_eq!((before.elapsed(), ground.room.waiting()), (LIMIT, 0));
}

#[tokio::test(start_paused = true)]
async fn one_more_than_there_is_room_for_is_refused_at_once() {
    let ground = ground(2);
    let waiting = [ground.waiting().await, ground.waiting().await];
    let before = Instant::now();
    let error = ground.connect().await.unwrap_err();
    assert!(matches!(error, WaitError::RoomFull { limit: 2 }), "{error}");
    assert_eq!(before.elapsed(), Duration::ZERO);
    let [first, second] = waiting;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(ground.room.waiting(), 1, "its place was not given back");
    ground.appear();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_do_not_dial_and_a_hold_is_settled_without_them() {
    let ground = ground(1);
    let waiting = ground.waiting().await;
    assert_eq!(ground.gate.counts().dialling, 0);
    let before = Instant::now();
    ground.gate.shut(HOLD).settled().await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO, "one that does not dial was given up first");

    // The hold is waited for at the gate, and no target that appears is dialled through it.
    tokio::time::sleep(LIMIT * 2).await;
    ground.appear();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let counts = ground.gate.counts();
    assert_eq!((counts.held, counts.dialling, ground.room.waiting()), (1, 0, 0));
    ground.gate.open();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_time_at_the_gate_is_not_taken_from_the_wait_for_a_target() {
    let ground = ground(1);
    let before = Instant::now();
    let waiting = ground.waiting().await;
    tokio::time::sleep(LIMIT / 2).await;
    ground.gate.shut(HOLD);
    assert!(matches!(waiting.await.unwrap(), Err(WaitError::NoTarget { .. })));
    assert_eq!(before.elapsed(), LIMIT + HOLD);
}
