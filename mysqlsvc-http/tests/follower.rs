//! The follower against a real HTTP server.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use mysqlsvc_http::client::{
    Follower, FollowerConfig, FollowerLimits, FollowerStatus, ProxyIdentity, RouteUpdate,
};
use mysqlsvc_http::wire::{ProxyMode, Route};
use support::{Answer, FakeMonitor, hold, parsed, route};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

fn config(monitors: &[&FakeMonitor]) -> FollowerConfig {
    FollowerConfig {
        monitors: monitors.iter().map(|monitor| monitor.url().parse().unwrap()).collect(),
        cluster: None,
        identity: None,
        known: None,
        limits: FollowerLimits {
            first_wait: Duration::from_millis(10),
            longest_wait: Duration::from_millis(100),
            ..FollowerLimits::default()
        },
    }
}

struct Watched {
    _follower: Follower,
    routes: watch::Receiver<Option<RouteUpdate>>,
    status: watch::Receiver<FollowerStatus>,
}

fn follow(config: FollowerConfig) -> Watched {
    let follower = Follower::start(config).unwrap();
    Watched { routes: follower.routes(), status: follower.status(), _follower: follower }
}

impl Watched {
    async fn next(&mut self) -> RouteUpdate {
        timeout(LIMIT, self.routes.changed()).await.expect("no route came").unwrap();
        self.routes.borrow_and_update().clone().unwrap()
    }

    async fn status(&mut self, what: &str, is_so: impl FnMut(&FollowerStatus) -> bool) {
        let seen = timeout(LIMIT, self.status.wait_for(is_so)).await;
        seen.unwrap_or_else(|_| panic!("never seen: {what}")).unwrap();
    }

    async fn error(&mut self, needle: &str) {
        self.status(needle, |status| {
            status.last_error.as_ref().is_some_and(|error| error.contains(needle))
        })
        .await;
    }
}

#[tokio::test]
async fn routes_arrive_with_the_monitor_that_said_them() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut watched = follow(config(&[&monitor]));
    let stream = monitor.stream().await;
    stream.init(&route(1, 1, "db-1:3306"));
    let update = watched.next().await;
    assert_eq!(*update.route, parsed(&route(1, 1, "db-1:3306")));
    assert_eq!(update.monitor.to_string(), monitor.url());
    stream.update(&hold(route(1, 2, "db-1:3306"), 5000));
    assert_eq!(watched.next().await.route.hold().unwrap().remaining_ms, 5000);
}

#[tokio::test]
async fn it_says_who_it_is_and_what_it_knows_and_again_after_a_reconnect() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut asked = config(&[&monitor]);
    asked.cluster = Some("main".into());
    asked.identity = Some(ProxyIdentity { id: "p 1&x".into(), mode: ProxyMode::Master });
    asked.known = Some(parsed(&route(3, 4, "db-1:3306")));
    let mut watched = follow(asked);
    let stream = monitor.stream().await;
    assert_eq!(stream.query.cluster.as_deref(), Some("main"));
    assert_eq!(stream.query.proxy.as_deref(), Some("p 1&x"));
    assert_eq!(stream.query.mode, Some(ProxyMode::Master));
    assert_eq!(stream.query.stamp(), Some(parsed(&route(3, 4, "x:1")).stamp));
    assert!(!stream.query.wants_flat());
    stream.init(&route(5, 6, "db-1:3306"));
    watched.next().await;
    drop(stream);
    let stream = monitor.stream().await;
    assert_eq!(stream.query.stamp(), Some(parsed(&route(5, 6, "x:1")).stamp));
}

#[tokio::test]
async fn the_known_route_is_confirmed_when_said_again_and_older_ones_are_refused() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut asked = config(&[&monitor]);
    asked.known = Some(parsed(&route(3, 4, "db-1:3306")));
    let mut watched = follow(asked);
    let stream = monitor.stream().await;
    stream.init(&route(3, 3, "db-0:3306"));
    watched.error("route 3-3 is older than 3-4").await;
    assert!(watched.routes.borrow().is_none());
    stream.update(&route(3, 4, "db-1:3306"));
    assert_eq!(watched.next().await.route.stamp.position.version, 4);
}

#[tokio::test]
async fn another_incarnation_is_taken_only_with_a_higher_epoch() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut watched = follow(config(&[&monitor]));
    let stream = monitor.stream().await;
    stream.init(&route(3, 4, "db-1:3306"));
    let good = watched.next().await.route;
    let mut foreign = route(3, 99, "db-2:3306");
    foreign["incarnation"] = "b".into();
    stream.update(&foreign);
    watched.error("`mysqlsvc adopt` take the cluster up above that epoch").await;
    assert_eq!(watched.routes.borrow().as_ref().unwrap().route, good);
    foreign["epoch"] = 4.into();
    monitor.stream().await.init(&foreign);
    assert_eq!(watched.next().await.route.stamp.position.epoch, 4);
}

#[tokio::test]
async fn what_is_no_route_is_named_and_the_last_route_stays() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut watched = follow(config(&[&monitor]));
    let mut stream = monitor.stream().await;
    stream.init(&route(1, 1, "db-1:3306"));
    let good: Route = watched.next().await.route.as_ref().clone();
    for (bad, needle) in [
        ("{\"master\":", "not a route"),
        ("authorize failed", "not a route"),
        (r#"{"master":[],"slave":[],"phase":"shut"}"#, "unknown variant `shut`"),
    ] {
        stream.event("update", bad);
        watched.error(needle).await;
        stream = monitor.stream().await;
    }
    watched.status("three refused", |status| status.refused == 3).await;
    assert_eq!(*watched.routes.borrow().as_ref().unwrap().route, good);
    stream.event("heartbeat", "not for us");
    stream.update(&route(1, 2, "db-2:3306"));
    assert_eq!(watched.next().await.route.stamp.position.version, 2);
}

#[tokio::test]
async fn a_monitor_whose_word_is_refused_is_left_for_the_next_one() {
    let mut foreign = route(3, 99, "db-9:3306");
    foreign["incarnation"] = "b".into();
    let mut other = route(9, 1, "db-9:3306");
    other["cluster"] = "other".into();
    let unreadable = serde_json::json!("authorize failed");
    for refused in [foreign, other, unreadable] {
        let mut first = FakeMonitor::start(Answer::Well).await;
        let mut second = FakeMonitor::start(Answer::Well).await;
        let mut asked = config(&[&first, &second]);
        asked.cluster = Some("main".into());
        asked.known = Some(parsed(&route(3, 4, "db-1:3306")));
        let mut watched = follow(asked);
        // Held open to the end: it is the follower that leaves.
        let wrong = first.stream().await;
        wrong.init(&refused);
        second.stream().await.init(&route(3, 5, "db-1:3306"));
        let taken = watched.next().await;
        assert_eq!(taken.monitor.to_string(), second.url(), "after {refused}");
    }
}

#[tokio::test]
async fn a_known_route_of_another_cluster_binds_nobody_unless_its_cluster_was_named() {
    let mut other = route(1, 1, "db-9:3306");
    other["cluster"] = "other".into();
    other["incarnation"] = "b".into();
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut asked = config(&[&monitor]);
    asked.known = Some(parsed(&route(3, 4, "db-1:3306")));
    let mut unnamed = follow(asked.clone());
    let stream = monitor.stream().await;
    stream.init(&other);
    assert_eq!(unnamed.next().await.route.cluster, "other");
    stream.update(&route(9, 9, "db-1:3306"));
    unnamed.error("`other` is followed since its route came first after the start").await;
    drop(unnamed);

    asked.cluster = Some("main".into());
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    asked.monitors = vec![monitor.url().parse().unwrap()];
    let mut named = follow(asked);
    monitor.stream().await.init(&other);
    named.error("is of cluster `other`, but `main` is the one asked for").await;
}

#[tokio::test]
async fn a_monitor_that_was_killed_is_found_again_at_the_same_place() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let address = monitor.address;
    let mut watched = follow(config(&[&monitor]));
    monitor.stream().await.init(&route(1, 1, "db-1:3306"));
    watched.next().await;
    monitor.kill().await;
    watched.error("onnect").await;
    assert!(watched.routes.borrow().is_some());
    let listener = TcpListener::bind(address).await.unwrap();
    let mut monitor = FakeMonitor::on(listener, Answer::Well);
    monitor.stream().await.init(&route(1, 2, "db-2:3306"));
    assert_eq!(watched.next().await.route.stamp.position.version, 2);
}

#[tokio::test]
async fn a_second_monitor_takes_over_and_the_first_one_is_tried_again() {
    let mut first = FakeMonitor::start(Answer::Well).await;
    let mut second = FakeMonitor::start(Answer::Well).await;
    let mut watched = follow(config(&[&first, &second]));
    let stream = first.stream().await;
    stream.init(&route(1, 1, "db-1:3306"));
    watched.next().await;
    drop(stream);
    let stream = second.stream().await;
    stream.init(&route(1, 2, "db-1:3306"));
    assert_eq!(watched.next().await.monitor.to_string(), second.url());
    drop(stream);
    assert_eq!(first.stream().await.query.version, Some(2));
}

#[tokio::test]
async fn monitors_that_do_not_serve_routes_are_passed_over_and_named() {
    for (answer, needle) in [
        (Answer::UnknownCluster, "no cluster is named `mian`; known: main"),
        (Answer::Html, "is this a monitor's SSE address?"),
        (Answer::Never, "no answer within"),
    ] {
        let wrong = FakeMonitor::start(answer).await;
        let mut asked = config(&[&wrong]);
        // The right one has to keep it, too.
        asked.limits.answer = Duration::from_secs(2);
        follow(asked.clone()).error(needle).await;

        let mut right = FakeMonitor::start(Answer::Well).await;
        asked.monitors.push(right.url().parse().unwrap());
        let mut watched = follow(asked);
        right.stream().await.init(&route(1, 1, "db-1:3306"));
        watched.next().await;
    }
}

#[tokio::test]
async fn a_silent_stream_is_given_up() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut asked = config(&[&monitor]);
    // Long enough for the route to come before.
    asked.limits.silence = Duration::from_secs(2);
    let mut watched = follow(asked);
    let silent = monitor.stream().await;
    silent.init(&route(1, 1, "db-1:3306"));
    watched.next().await;
    let second = monitor.stream().await;
    assert_eq!(second.query.version, Some(1));
    assert!(watched.routes.borrow().is_some());
    watched.status("two streams", |status| status.connections >= 2).await;
}

#[tokio::test]
async fn heartbeats_keep_a_stream() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    let mut asked = config(&[&monitor]);
    asked.limits.silence = Duration::from_secs(4);
    let mut watched = follow(asked);
    let stream = monitor.stream().await;
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..50 {
        beat.tick().await;
        stream.raw(":\n\n");
    }
    stream.init(&route(1, 1, "db-1:3306"));
    watched.next().await;
    watched.status("one stream", |status| status.connections == 1).await;
}
