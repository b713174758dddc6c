//! The proxies' side of the service: routes over SSE, acknowledgements, the end of serving.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use axum::Router;
use axum::http::{Method, StatusCode};
use mysqlsvc_core::driver::RoutePublisher as _;
use mysqlsvc_core::{
    Epoch, Flavor, Hold, Millis, NodeState, OperationId, Phase, Route, RouteNode, RouteVersion,
};
use mysqlsvc_http::server::{ServerState, sse_router};
use serde_json::{Value, json};
use served::{Events, Served, call, posted, request};

fn route(version: u64, phase: Phase) -> Route {
    Route {
        epoch: Epoch(7),
        version: RouteVersion(version),
        phase,
        master: Some(RouteNode { node: "10.0.0.1:3306".parse().unwrap(), state: NodeState::Ok }),
        slaves: vec![RouteNode { node: "10.0.0.3:3306".parse().unwrap(), state: NodeState::Ok }],
    }
}

fn hold(version: u64) -> Route {
    route(version, Phase::Hold(Hold { operation: OperationId(5), limit: Millis(5000) }))
}

fn word(event: &Value) -> Value {
    json!({"cluster": "main", "epoch": 7, "operation": event["hold"]["operation"],
        "ack_token": event["hold"]["ack_token"], "held": 1, "active": 2})
}

async fn acknowledge(router: Router, proxy: &str, word: &Value) -> served::Answer {
    call(router, posted(&format!("/proxies/{proxy}/ack"), &word.to_string())).await
}

#[tokio::test]
async fn nothing_is_said_of_an_empty_store_then_init_once_and_updates() {
    let served = Served::start("main", Flavor::MySql).await;
    // Opens although there is no route: CONTRACTS 2 keeps proxies on theirs.
    let mut events = Events::open(served.sse(), "/servers?cluster=main").await;
    served.handle.publisher().publish(route(31, Phase::Open));
    let init = events.next().await.unwrap();
    assert_eq!((init.name.as_str(), init.id.as_str()), ("init", "7-31"));
    assert!(init.block.contains("retry: "), "{}", init.block);
    assert_eq!(
        init.data,
        json!({"cluster": "main", "incarnation": "00000000-0000-0000-0000-000000000007",
            "epoch": 7, "version": 31, "phase": "open", "hold": null,
            "master": {"containers": [
                {"container_ip": "10.0.0.1", "container_port": 3306, "state": "OK"}]},
            "slave": {"containers": [
                {"container_ip": "10.0.0.3", "container_port": 3306, "state": "OK", "lag_ms": 0}]}})
    );
    served.handle.publisher().publish(route(32, Phase::Open));
    let update = events.next().await.unwrap();
    assert_eq!((update.name.as_str(), update.id.as_str()), ("update", "7-32"));
    // The only cluster need not be named; a new client alone is told init.
    let mut second = Events::open(served.sse(), "/servers").await;
    assert_eq!(second.next().await.unwrap().name, "init");
    // Latest wins: a reader that was away misses what was overtaken.
    served.handle.publisher().publish(route(33, Phase::Open));
    served.handle.publisher().publish(route(34, Phase::Open));
    assert_eq!(events.next().await.unwrap().id, "7-34");
}

#[tokio::test]
async fn which_cluster_is_meant_must_be_clear() {
    let (one, two) =
        (Served::start("one", Flavor::MySql).await, Served::start("two", Flavor::MySql).await);
    let router = sse_router(ServerState::new([one.handle.clone(), two.handle.clone()]));
    let get = |path| call(router.clone(), request(Method::GET, path));
    assert!(get("/servers").await.problem(400, "malformed").contains("one, two"));
    get("/servers?cluster=three").await.problem(404, "unknown-cluster");
    assert!(
        get("/servers?cluster=one&mode=lead&proxy=p")
            .await
            .problem(400, "malformed")
            .contains("mode")
    );
    assert!(
        get("/servers?cluster=one&mode=master").await.problem(400, "malformed").contains("`proxy`")
    );
    assert!(get("/servers?cluster=one&proxy=p").await.problem(400, "malformed").contains("`mode`"));
    get("/nothing").await.problem(404, "no-such-path");
    two.handle.publisher().publish(route(1, Phase::Open));
    let mut events = Events::open(router.clone(), "/servers?cluster=two").await;
    assert_eq!(events.next().await.unwrap().data["cluster"], "two");
}

#[tokio::test]
async fn a_hold_is_acknowledged_by_a_proxy_that_follows_and_by_nobody_else() {
    let served = Served::start("main", Flavor::MySql).await;
    let mut events = Events::open(served.sse(), "/servers?proxy=p1&mode=master").await;
    let _reader = Events::open(served.sse(), "/servers?proxy=s1&mode=slave").await;
    served.handle.publisher().publish(hold(2));
    let event = events.next().await.unwrap().data;
    assert_eq!((&event["phase"], &event["hold"]["operation"]), (&json!("hold"), &json!("5")));
    assert!(event["hold"]["remaining_ms"].as_u64().unwrap() <= 5000);

    let word = word(&event);
    acknowledge(served.sse(), "p2", &word).await.problem(404, "unknown-proxy");
    acknowledge(served.sse(), "s1", &word).await.problem(404, "unknown-proxy");
    for (field, wrong) in [
        ("ack_token", json!("guess")),
        ("operation", json!("6")),
        ("operation", json!("x")),
        ("epoch", json!(6)),
    ] {
        let mut wrong_word = word.clone();
        wrong_word[field] = wrong;
        acknowledge(served.sse(), "p1", &wrong_word).await.problem(409, "no-such-hold");
    }
    acknowledge(served.sse(), "p1", &json!({})).await.problem(400, "malformed");
    let report =
        async { served.handle.publisher().await_hold(OperationId(5), Millis(10_000)).await };
    let taken = async {
        // Twice is as good as once.
        for _ in 0..2 {
            let answer = acknowledge(served.sse(), "p1", &word).await;
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
        }
    };
    let (report, ()) = tokio::join!(report, taken);
    assert_eq!((report.acknowledged, report.missing), (vec!["p1".to_owned()], Vec::new()));
    served.handle.publisher().publish(route(3, Phase::Open));
    acknowledge(served.sse(), "p1", &word).await.problem(409, "no-such-hold");
}

#[tokio::test]
async fn a_closed_stream_is_no_longer_waited_for() {
    let served = Served::start("main", Flavor::MySql).await;
    let events = Events::open(served.sse(), "/servers?proxy=p1&mode=master").await;
    assert_eq!(served.handle.publisher().live().len(), 1);
    drop(events);
    assert!(served.handle.publisher().live().is_empty());
}

#[tokio::test]
async fn the_original_proxy_gets_its_flat_form_and_only_what_is_new_in_it() {
    let served = Served::start("main", Flavor::MySql).await;
    let mut events = Events::open(served.sse(), "/servers?watch=1").await;
    served.handle.publisher().publish(route(1, Phase::Open));
    let init = events.next().await.unwrap();
    let flat = json!({"master": ["10.0.0.1:3306"], "slave": ["10.0.0.3:3306"]});
    assert_eq!((init.name.as_str(), init.data), ("init", flat));
    served.handle.publisher().publish(hold(2));
    // Polled once with nothing to say, so that the hold is not merely overtaken.
    let silent = futures_util::FutureExt::now_or_never(events.next());
    assert!(silent.is_none(), "the original knows no hold: {silent:?}");
    let without_slaves = Route { slaves: Vec::new(), ..route(3, Phase::Open) };
    served.handle.publisher().publish(without_slaves);
    assert_eq!(
        events.next().await.unwrap().data,
        json!({"master": ["10.0.0.1:3306"], "slave": []})
    );
}
