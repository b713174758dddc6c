//! Taking a cluster up again: what proxies say of their routes, and what comes of it.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use axum::http::{Method, StatusCode};
use mysqlsvc_core::Flavor;
use mysqlsvc_core::engine::AlarmId;
use mysqlsvc_core::testing::Disturbance;
use serde_json::{Value, json};
use served::{Events, Served, call, request};

const MAIN: &str = "/api/v1/clusters/main";
const ADOPT: &str = "/api/v1/clusters/main/adopt";
/// Of the store that is served.
const OURS: &str = "00000000-0000-0000-0000-000000000007";
const OTHER: &str = "00000000-0000-0000-0000-000000000008";

/// A proxy that connects and says what it knows.
async fn proxy(served: &Served, id: &str, incarnation: &str, epoch: u64) -> Events {
    let said = format!("incarnation={incarnation}&epoch={epoch}&version=3");
    let path = format!("/servers?cluster=main&proxy={id}&mode=master&{said}");
    Events::open(served.sse(), &path).await
}

fn node(number: u8) -> String {
    format!("10.0.0.{number}:3306")
}

#[tokio::test]
async fn a_cluster_is_shown_and_taken_up_above_what_its_proxies_know() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let mut follower = proxy(&served, "p1", OTHER, 41).await;
    let behind =
        served.until(|now| now.alarms.iter().any(|one| one.id == AlarmId::EpochBehind)).await;
    assert!(behind.alarms[0].text.contains("epoch 41"), "{}", behind.alarms[0].text);

    let shown = served.post(ADOPT, &json!({"dry_run": true})).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let heard = json!({"proxy": "p1", "mode": "master", "address": "local", "epoch": 41,
        "other_store": true});
    let expected = json!({"epoch": 42, "master": node(1), "standby": null,
        "slaves": [node(2), node(3), node(4)], "mutual": false, "writable": true, "heard": heard,
        "warnings": []});
    assert_eq!(shown.json, expected);
    assert_eq!(served.get(MAIN).await.json["master"], Value::Null, "only shown");

    for body in [json!({}), json!({"dry_run": false, "confirm": "mian"})] {
        let refused = served.post(ADOPT, &body).await;
        assert!(refused.problem(409, "not-allowed").contains("`main`"));
        assert_eq!(refused.json["reason"], "not-confirmed");
    }
    assert_eq!(served.get(MAIN).await.json["epoch"], 0);

    let done = served.post(ADOPT, &json!({"confirm": "main"})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!((&done.json["epoch"], &done.json["master"]), (&json!(42), &json!(node(1))));
    assert_eq!(done.json["alarms"], json!([]));
    assert!(done.json.get("warnings").is_none(), "{}", done.text);
    let route = follower.next().await.unwrap();
    assert_eq!((&route.data["epoch"], &route.data["incarnation"]), (&json!(42), &json!(OURS)));
}

#[tokio::test]
async fn what_speaks_for_no_later_route_is_not_heard() {
    let served = Served::registered(Flavor::MySql).await;
    let epoch = served.handle.snapshot().epoch.0;
    let beyond_belief = (1 << 53) + 1;
    for (incarnation, said) in [
        (OURS, epoch),
        (OTHER, epoch - 1),
        (OTHER, beyond_belief),
        (OURS, u64::MAX),
        ("nonsense", epoch + 1),
    ] {
        let _follower = proxy(&served, "p1", incarnation, said).await;
        assert_eq!(served.handle.heard(), None, "{said} of {incarnation}");
    }
    // Not without a name to look for, nor from the original proxy.
    let nameless = format!("/servers?incarnation={OTHER}&epoch=99");
    let _follower = Events::open(served.sse(), &nameless).await;
    assert_eq!(served.handle.heard(), None);
    let too_much = "/servers?proxy=p&mode=slave&epoch=18446744073709551616";
    let escape = "/servers?proxy=%1b%5b2J&mode=slave&epoch=99";
    for path in [too_much, escape] {
        call(served.sse(), request(Method::GET, path)).await.problem(400, "malformed");
    }

    let _follower = proxy(&served, "p2", OTHER, epoch).await;
    let word = served.handle.heard().unwrap();
    assert_eq!((word.proxy.as_str(), word.epoch.0), ("p2", epoch));
    served.until(|now| now.alarms.iter().any(|one| one.id == AlarmId::EpochBehind)).await;
}

#[tokio::test]
async fn a_number_that_no_cluster_comes_to_is_shown_with_whoever_said_it() {
    let served = Served::start("main", Flavor::MySql).await;
    let _follower = proxy(&served, "stranger", OTHER, 1 << 53).await;
    served.until(|now| now.alarms.iter().any(|one| one.id == AlarmId::EpochBehind)).await;
    let shown = served.post(ADOPT, &json!({"dry_run": true})).await.json;
    assert_eq!(shown["epoch"], json!((1_u64 << 53) + 1));
    let warning = shown["warnings"][0].as_str().unwrap();
    assert!(warning.contains("stranger at local"), "{warning}");
}

#[tokio::test]
async fn servers_that_do_not_tell_who_is_the_master_are_not_guessed_between() {
    let served = Served::start("main", Flavor::MySql).await;
    served.world.disturb(Disturbance::OpenByHand(served.world.node(2)));
    let refused = served.post(ADOPT, &json!({"confirm": "main"})).await;
    assert!(refused.problem(409, "not-allowed").contains(&node(2)));
    assert_eq!(refused.json["reason"], "ambiguous");
}
