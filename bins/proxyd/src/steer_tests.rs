//! Routes in, targets and gate out.

use mysqlsvc_http::client::{AckClient, MonitorUrl};

use super::*;
use crate::holding::ACK_LIMIT;

#[path = "../../../mysqlsvc-http/tests/support/mod.rs"]
mod support;

use support::{Answer, FakeMonitor, hold, parsed, route};

const LIMIT: Duration = Duration::from_secs(20);

fn steer(mode: ProxyMode) -> (Steer, watch::Receiver<Option<Arc<Route>>>) {
    let (opened, seen) = watch::channel(None);
    let steer = Steer {
        share: Share { mode, fall_back_to_master: false },
        gate: Gate::default(),
        targets: Targets::default(),
        acknowledger: Acknowledger {
            client: AckClient::new(ACK_LIMIT).unwrap(),
            proxy_id: "p-1".to_owned(),
        },
        opened,
    };
    (steer, seen)
}

fn nobody() -> MonitorUrl {
    "http://127.0.0.1:1".parse().unwrap()
}

fn update(route: &serde_json::Value) -> RouteUpdate {
    RouteUpdate { route: Arc::new(parsed(route)), monitor: nobody(), received_at: Instant::now() }
}

fn targets(steer: &Steer) -> Vec<String> {
    let set = steer.targets.current();
    set.targets().iter().map(ToString::to_string).collect()
}

fn slaves(list: &[(&str, u16)]) -> serde_json::Value {
    let mut value = route(1, 1, "db-1:3306");
    value["slave"]["containers"] = list
        .iter()
        .map(|(host, port)| serde_json::json!({"container_ip": host, "container_port": port}))
        .collect();
    value
}

#[tokio::test]
async fn an_open_route_sets_the_targets_and_is_passed_on() {
    let (steer, seen) = steer(ProxyMode::Master);
    drop(steer.apply(update(&route(7, 1, "db-1:3306"))));
    assert_eq!(targets(&steer), ["db-1:3306"]);
    assert_eq!(steer.targets.current().epoch(), 7);
    assert_eq!(seen.borrow().as_ref().unwrap().stamp.position.epoch, 7);
}

#[tokio::test]
async fn a_hold_shuts_the_gate_and_is_acknowledged_and_the_next_route_opens_it() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let (steer, seen) = steer(ProxyMode::Master);
    drop(steer.apply(update(&route(7, 1, "db-1:3306"))));
    let mut held = update(&hold(route(7, 2, "db-1:3306"), 60_000));
    held.monitor = monitor.url().parse().unwrap();
    let holding = tokio::spawn(steer.apply(held));
    let ack = monitor.ack().await;
    assert!(steer.gate.is_shut());
    assert_eq!(ack.proxy, "p-1");
    let body = serde_json::to_value(&ack.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"cluster": "main", "epoch": 7, "operation": "op", "ack_token": "tok",
            "held": 0, "active": 0})
    );
    assert_eq!(targets(&steer), ["db-1:3306"]);
    assert_eq!(seen.borrow().as_ref().unwrap().stamp.position.version, 1);

    drop(steer.apply(update(&route(8, 3, "db-2:3306"))));
    assert!(!steer.gate.is_shut());
    assert_eq!(targets(&steer), ["db-2:3306"]);
    timeout(LIMIT, holding).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slave_proxy_follows_a_hold_without_holding() {
    let (steer, _seen) = steer(ProxyMode::Slave);
    drop(steer.apply(update(&hold(slaves(&[("db-2", 1), ("db-3", 1)]), 60_000))));
    assert!(!steer.gate.is_shut());
    assert_eq!(targets(&steer), ["db-2:1", "db-3:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_runs_out_opens_the_gate_on_the_last_open_route() {
    let (steer, _seen) = steer(ProxyMode::Master);
    drop(steer.apply(update(&route(7, 1, "db-1:3306"))));
    let holding = steer.apply(update(&hold(route(7, 2, "db-9:3306"), 5_000)));
    assert!(steer.gate.is_shut());
    holding.await;
    assert!(!steer.gate.is_shut());
    assert_eq!(targets(&steer), ["db-1:3306"]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_hold_of_a_monitor_is_not_cut_and_a_longer_one_is() {
    let longest = Duration::from_mins(5);
    for asked_ms in [300_000, 3_600_000] {
        let (steer, _seen) = steer(ProxyMode::Master);
        drop(steer.apply(update(&hold(route(7, 2, "db-1:3306"), asked_ms))));
        assert_eq!(steer.gate.remaining(), Some(longest));
        assert_eq!(steer.gate.limits().wait, longest, "a client waits as long");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_a_hold_spent_unread_counts() {
    let (steer, _seen) = steer(ProxyMode::Master);
    let late = update(&hold(route(7, 2, "db-1:3306"), 5_000));
    tokio::time::advance(Duration::from_secs(6)).await;
    drop(steer.apply(late));
    assert!(!steer.gate.is_shut());
}

#[tokio::test]
async fn a_proxy_whose_first_route_is_a_hold_has_a_target_when_it_runs_out() {
    let (steer, seen) = steer(ProxyMode::Master);
    drop(steer.apply(update(&hold(route(7, 2, "db-1:3306"), 60_000))));
    assert!(steer.gate.is_shut());
    assert_eq!(targets(&steer), ["db-1:3306"]);
    assert!(seen.borrow().is_none(), "a hold is not kept");
}

#[tokio::test]
async fn a_route_without_servers_empties_the_targets_and_one_with_unusable_ones_does_not() {
    let (steer, _seen) = steer(ProxyMode::Slave);
    drop(steer.apply(update(&slaves(&[("db-2", 1), ("not a host", 1)]))));
    assert_eq!(targets(&steer), ["db-2:1"]);
    drop(steer.apply(update(&slaves(&[("not a host", 1)]))));
    assert_eq!(targets(&steer), ["db-2:1"]);
    drop(steer.apply(update(&slaves(&[]))));
    assert!(targets(&steer).is_empty());
}

#[tokio::test]
async fn a_slave_proxy_falls_back_to_the_master_only_when_asked_to() {
    let (mut steer, _seen) = steer(ProxyMode::Slave);
    steer.share.fall_back_to_master = true;
    drop(steer.apply(update(&slaves(&[("db-2", 1)]))));
    assert_eq!(targets(&steer), ["db-2:1"]);
    drop(steer.apply(update(&slaves(&[]))));
    assert_eq!(targets(&steer), ["db-1:3306"]);
}

#[tokio::test(start_paused = true)]
async fn the_kept_route_is_served_when_no_monitor_answers_in_time() {
    let (steer, mut seen) = steer(ProxyMode::Master);
    let served = steer.targets.clone();
    let (_updates, receiver) = watch::channel(None);
    let started = Instant::now();
    let running = tokio::spawn(steer.run(receiver, Some(parsed(&route(7, 1, "db-1:3306")))));
    timeout(LIMIT, seen.changed()).await.unwrap().unwrap();
    assert_eq!(served.current().targets()[0].to_string(), "db-1:3306");
    assert_eq!(started.elapsed(), INIT_WAIT);
    running.abort();
}

#[tokio::test]
async fn a_monitor_that_answers_makes_the_kept_route_needless() {
    let (steer, mut seen) = steer(ProxyMode::Master);
    let served = steer.targets.clone();
    let (updates, receiver) = watch::channel(Some(update(&route(8, 1, "db-2:3306"))));
    let running = tokio::spawn(steer.run(receiver, Some(parsed(&route(7, 1, "db-1:3306")))));
    timeout(LIMIT, seen.changed()).await.unwrap().unwrap();
    assert_eq!(served.current().targets()[0].to_string(), "db-2:3306");
    drop(updates);
    timeout(LIMIT, running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_hold_said_again_after_a_reconnect_is_acknowledged_to_the_monitor_that_said_it() {
    let mut first = FakeMonitor::start(Answer::Well).await;
    let mut second = FakeMonitor::start(Answer::Well).await;
    let (steer, _seen) = steer(ProxyMode::Master);
    for monitor in [&mut first, &mut second] {
        let mut held = update(&hold(route(7, 2, "db-1:3306"), 60_000));
        held.monitor = monitor.url().parse().unwrap();
        let holding = tokio::spawn(steer.apply(held));
        monitor.ack().await;
        holding.abort();
    }
    assert!(steer.gate.is_shut());
}
