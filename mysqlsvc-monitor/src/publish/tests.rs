use std::time::Duration;

use mysqlsvc_core::{Epoch, Hold, RouteVersion};

use super::*;

const LIMIT: Millis = Millis(60_000);

fn publisher() -> Publisher {
    Publisher::new("main".parse().unwrap(), Incarnation(Uuid::new_v4()))
}

fn route(version: u64, phase: Phase) -> Route {
    let version = RouteVersion(version);
    Route { epoch: Epoch(1), version, phase, master: None, slaves: Vec::new() }
}

fn hold(operation: u64) -> Phase {
    Phase::Hold(Hold { operation: OperationId(operation), limit: Millis(10_000) })
}

fn word(publisher: &Publisher, proxy: &str) -> Acknowledgement {
    let hold = publisher.latest().unwrap().hold().unwrap();
    Acknowledgement {
        proxy: proxy.to_owned(),
        operation: hold.operation,
        ack_token: hold.ack_token,
        held: 0,
        active: 0,
    }
}

async fn awaited(publisher: &Publisher, limit: Millis) -> HoldReport {
    // Far beyond any limit asked for with a reason to end early: hanging is a failure.
    tokio::time::timeout(Duration::from_secs(20), publisher.await_hold(OperationId(1), limit))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_hold_waits_for_every_master_proxy_that_was_live_and_for_no_other() {
    let publisher = publisher();
    let _a = publisher.register("a", ProxyMode::Master);
    let _b = publisher.register("b", ProxyMode::Master);
    let _s = publisher.register("s", ProxyMode::Slave);
    drop(publisher.register("gone", ProxyMode::Master));
    publisher.publish(route(1, hold(1)));
    let _late = publisher.register("late", ProxyMode::Master);
    let waiting = tokio::spawn({
        let publisher = publisher.clone();
        async move { awaited(&publisher, LIMIT).await }
    });
    publisher.acknowledge(&word(&publisher, "a")).unwrap();
    publisher.acknowledge(&word(&publisher, "a")).unwrap();
    assert!(!publisher.shared.holding.borrow().as_ref().unwrap().is_complete());
    publisher.acknowledge(&word(&publisher, "b")).unwrap();
    let report = waiting.await.unwrap();
    assert_eq!(report.acknowledged, ["a", "b"]);
    assert!(report.missing.is_empty());
}

#[tokio::test]
async fn nobody_is_waited_for_where_nobody_listens() {
    let publisher = publisher();
    publisher.publish(route(1, hold(1)));
    assert_eq!(awaited(&publisher, LIMIT).await, HoldReport::default());
}

#[tokio::test]
async fn who_does_not_say_so_in_time_is_named() {
    let publisher = publisher();
    let _a = publisher.register("a", ProxyMode::Master);
    let b = publisher.register("b", ProxyMode::Master);
    publisher.publish(route(1, hold(1)));
    drop(b);
    publisher.acknowledge(&word(&publisher, "a")).unwrap();
    let report = awaited(&publisher, Millis(20)).await;
    assert_eq!((report.acknowledged, report.missing), (vec!["a".into()], vec!["b".into()]));
}

#[tokio::test]
async fn an_open_route_ends_the_waiting() {
    let publisher = publisher();
    let _a = publisher.register("a", ProxyMode::Master);
    publisher.publish(route(1, hold(1)));
    let word = word(&publisher, "a");
    let waiting = tokio::spawn({
        let publisher = publisher.clone();
        async move { awaited(&publisher, LIMIT).await }
    });
    publisher.publish(route(2, Phase::Open));
    assert_eq!(waiting.await.unwrap(), HoldReport::default());
    assert_eq!(publisher.acknowledge(&word), Err(AckError::NoHold));
}

#[test]
fn an_acknowledgement_counts_only_for_the_hold_it_was_asked_for() {
    let publisher = publisher();
    let _a = publisher.register("a", ProxyMode::Master);
    let _s = publisher.register("s", ProxyMode::Slave);
    publisher.publish(route(1, hold(1)));
    let first = word(&publisher, "a");
    let forged = Acknowledgement { ack_token: new_token(), ..first.clone() };
    assert_eq!(publisher.acknowledge(&forged), Err(AckError::WrongToken));
    for stranger in ["nobody", "s"] {
        let stranger = Acknowledgement { proxy: stranger.to_owned(), ..first.clone() };
        assert_eq!(publisher.acknowledge(&stranger), Err(AckError::UnknownProxy));
    }
    publisher.publish(route(2, Phase::Open));
    publisher.publish(route(3, hold(2)));
    let current = OperationId(2);
    assert_eq!(publisher.acknowledge(&first), Err(AckError::OtherOperation { current }));
}

#[test]
fn a_route_told_again_within_a_hold_keeps_token_clock_and_words() {
    let publisher = publisher();
    let _a = publisher.register("a", ProxyMode::Master);
    publisher.publish(route(1, hold(1)));
    let first = publisher.latest().unwrap().hold().unwrap();
    publisher.acknowledge(&word(&publisher, "a")).unwrap();
    publisher.publish(route(2, hold(1)));
    assert_eq!(publisher.latest().unwrap().hold(), Some(first));
    assert!(publisher.shared.holding.borrow().as_ref().unwrap().is_complete());
}

#[test]
fn what_remains_of_a_hold_counts_down_to_nothing() {
    let began = Instant::now();
    let hold = Hold { operation: OperationId(1), limit: Millis(500) };
    let hold = PublishedHold::begin(hold, began);
    let after = |ms| hold.remaining_at(began + Duration::from_millis(ms));
    assert_eq!((after(0), after(200), after(900)), (Millis(500), Millis(300), Millis(0)));
}

#[test]
fn the_token_does_not_show_itself() {
    let token = new_token();
    assert!(!format!("{token:?}").contains(&token.0.to_string()));
}

#[tokio::test]
async fn followers_are_told_of_each_route() {
    let publisher = publisher();
    assert!(publisher.latest().is_none());
    let mut routes = publisher.subscribe();
    publisher.publish(route(1, Phase::Open));
    routes.changed().await.unwrap();
    let first = routes.borrow_and_update().clone().unwrap();
    assert_eq!(first.route().version, RouteVersion(1));
    assert_eq!(first.incarnation(), publisher.incarnation());
    assert!(first.hold().is_none());
}

#[test]
fn a_stream_counts_as_long_as_its_guard() {
    let publisher = publisher();
    let first = publisher.register("a", ProxyMode::Master);
    let second = publisher.register("a", ProxyMode::Master);
    drop(first);
    assert_eq!(publisher.live(), [LiveProxy { id: "a".to_owned(), mode: ProxyMode::Master }]);
    drop(second);
    assert!(publisher.live().is_empty());
}
