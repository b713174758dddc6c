//! The API in front of model servers.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod served;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use mysqlsvc_core::testing::{CallKind, Disturbance, Fault, FaultKind, When};
use mysqlsvc_core::{ActionErrorKind, Flavor, NodeState, ReplicationBackend as _, Tag};
use serde_json::{Value, json};
use served::{Events, Served, call, posted, request};

const MAIN: &str = "/api/v1/clusters/main";

fn keys(document: &Value) -> BTreeSet<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

fn node(number: u8) -> String {
    format!("{MAIN}/nodes/10.0.0.{number}:3306")
}

#[tokio::test]
async fn a_cluster_has_the_contracts_fields() {
    let served = Served::registered(Flavor::MySql).await;
    let all = served.get("/api/v1/clusters").await;
    assert_eq!((all.status, all.content_type()), (StatusCode::OK, "application/json"));
    let cluster = &all.json[0];
    for field in [
        "name",
        "epoch",
        "phase",
        "master",
        "mutual",
        "maintenance",
        "alarms",
        "nodes",
        "operation",
    ] {
        assert!(keys(cluster).contains(field), "{field}");
    }
    assert_eq!(cluster["name"], "main");
    assert_eq!((&cluster["epoch"], &cluster["phase"]), (&json!(1), &json!("open")));
    assert_eq!(cluster["master"], "10.0.0.1:3306");
    assert_eq!(cluster["operation"], Value::Null);

    let standby = served.get(&node(2)).await.json;
    for field in [
        "addr",
        "role",
        "state",
        "cause",
        "flavor",
        "version",
        "server_id",
        "server_uuid",
        "read_only",
        "super_read_only",
        "source",
        "io_running",
        "sql_running",
        "lag_ms",
        "delay_ms",
        "semi_sync",
        "gtid_executed",
        "missing",
        "errant",
        "allowed",
        "probed_at",
    ] {
        assert!(keys(&standby).contains(field), "{field}");
    }
    assert_eq!((&standby["role"], &standby["state"]), (&json!("standby"), &json!("OK")));
    assert_eq!((&standby["flavor"], &standby["server_id"]), (&json!("mysql"), &json!(2)));
    assert_eq!(standby["read_only"], true);
    assert_eq!(standby["source"], "10.0.0.1:3306");
    assert_eq!((&standby["io_running"], &standby["sql_running"]), (&json!("Yes"), &json!("Yes")));
    let probed_at = standby["probed_at"].as_str().unwrap();
    assert!(probed_at.starts_with("20") && probed_at.ends_with('Z'), "{probed_at}");
    let allowed = standby["allowed"].as_array().unwrap();
    let switch = allowed.iter().find(|one| one["operation"] == "switch").unwrap();
    assert_eq!(switch, &json!({"operation": "switch", "ok": true, "reason": null}));
    let register = allowed.iter().find(|one| one["operation"] == "register-slave").unwrap();
    assert_eq!(register["ok"], false);
    assert!(!register["reason"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn refused_requests_say_the_reason_and_change_nothing() {
    let served = Served::registered(Flavor::MariaDb).await;
    let again = served.post(&format!("{}/register", node(3)), &json!({"role": "slave"})).await;
    again.problem(409, "not-allowed");
    assert_eq!(again.json["reason"], "already-registered");
    let master = served.post(&format!("{}/unregister", node(1)), &json!({})).await;
    master.problem(409, "not-allowed");
    assert_eq!(served.get(MAIN).await.json["epoch"], 1);

    let gone = served.post(&format!("{}/unregister", node(4)), &json!({})).await;
    assert_eq!((gone.status, &gone.json["role"]), (StatusCode::OK, &json!("unregistered")));
    let taken = served.post(&format!("{}/register", node(4)), &json!({"role": "standby"})).await;
    taken.problem(409, "not-allowed");
    assert_eq!(taken.json["reason"], "role-taken");
}

#[tokio::test]
async fn what_is_not_there_is_a_404_of_its_own_kind() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let detail = served.get("/api/v1/clusters/mian").await;
    assert!(detail.problem(404, "unknown-cluster").contains("known: main"));
    let detail = served.get(&format!("{MAIN}/nodes/10.9.9.9:3306")).await;
    assert!(detail.problem(404, "unknown-node").contains("10.9.9.9:3306"));
    served.get(&format!("{MAIN}/operations/17")).await.problem(404, "unknown-operation");
    served.get(&format!("{MAIN}/operations/x")).await.problem(404, "unknown-operation");
    served.get("/api/v2/clusters").await.problem(404, "no-such-path");
    served.get("/api/v1/cluster").await.problem(404, "no-such-path");
    let to = json!({"to": "10.9.9.9:3306"});
    served.post(&format!("{MAIN}/switch"), &to).await.problem(404, "unknown-node");
    served.post(MAIN, &json!({})).await.problem(405, "method-not-allowed");
    served.get(&format!("{MAIN}/switch")).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn malformed_input_is_refused_with_the_field() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let register = format!("{}/register", node(1));
    let switch = format!("{MAIN}/switch");
    let cases = [
        (&register, "{\"role\": \"master\"", "EOF"),
        (&register, "[]", "expected"),
        (&register, "", "EOF"),
        (&register, "{}", "missing field `role`"),
        (&register, r#"{"role":"leader"}"#, "`role` is not as expected: unknown variant `leader`"),
        (&register, r#"{"role":"unregistered"}"#, "`role`"),
        (&register, r#"{"role":"slave","force":true}"#, "unknown field `force`"),
        (&register, r#"{"role":"slave"} {}"#, "not one document"),
        (&switch, r#"{"to":"10.0.0.2:3306","dry_run":"yes"}"#, "`dry_run` is not as expected"),
        (&switch, r#"{"to":"10.0.0.2:3306","dryrun":true}"#, "unknown field `dryrun`"),
        (&switch, r#"{"to":"10.0.0.2"}"#, "`to`"),
        (&switch, r#"{"to":"10.0.0.2:3306","confirm":"10.0.0.3:3306"}"#, "`confirm`"),
        (
            &switch,
            r#"{"to":"10.0.0.2:3306","strategy":"fast"}"#,
            "`strategy` is not as expected: `fast` is not a strategy: expected reliability or \
             availability",
        ),
    ];
    for (path, body, needle) in cases {
        let answer = call(served.api(), posted(path, body)).await;
        let detail = answer.problem(400, "malformed");
        assert!(detail.contains(needle), "{body}: {detail}");
    }
    let wait = format!("{switch}?wait=banana");
    let answer = served.post(&wait, &json!({"to": "10.0.0.2:3306"})).await;
    assert!(answer.problem(400, "malformed").contains("`wait`"));
    let answer = served.post(&format!("{switch}?wat=1s"), &json!({"to": "10.0.0.2:3306"})).await;
    assert!(answer.problem(400, "malformed").contains("wat"));
    let odd = served.get(&format!("{MAIN}/nodes/nonsense")).await;
    assert!(odd.problem(400, "malformed").contains("`node`"));
    let snapshot = served.handle.snapshot();
    assert!(snapshot.master.is_none() && snapshot.operations.is_empty(), "something was done");
}

#[tokio::test]
async fn a_change_needs_a_json_body_of_reasonable_length() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let path = format!("{}/register", node(1));
    let body = r#"{"role":"master"}"#;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let mut form = posted(&path, body);
        match content_type {
            None => drop(form.headers_mut().remove(header::CONTENT_TYPE)),
            Some(other) => {
                form.headers_mut().insert(header::CONTENT_TYPE, other.parse().unwrap());
            }
        }
        let answer = call(served.api(), form).await;
        assert!(answer.problem(415, "not-json").contains("application/json"));
    }
    let long = format!(r#"{{"role":"{}"}}"#, "m".repeat(100_000));
    call(served.api(), posted(&path, &long)).await.problem(413, "too-large");
    let announced = Request::post(&path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, "9999999999")
        .body(Body::from(body))
        .unwrap();
    call(served.api(), announced).await.problem(413, "too-large");
    assert_eq!(served.handle.snapshot().master, None);
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let with = |host: &'static str, origin: Option<&'static str>| {
        let path = format!("{}/register", node(1));
        let mut request = posted(&path, r#"{"role":"master"}"#);
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        }
        request
    };
    let rebound = with("evil.example:8080", Some("http://evil.example:8080"));
    call(served.api(), rebound).await.problem(403, "foreign-host");
    let posting = with("127.0.0.1:8080", Some("http://evil.example"));
    call(served.api(), posting).await.problem(403, "foreign-origin");
    assert_eq!(served.handle.snapshot().master, None);
    let own = with("127.0.0.1:8080", Some("http://127.0.0.1:8080"));
    assert_eq!(call(served.api(), own).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let served = Served::registered(Flavor::MySql).await;
    let body = json!({"to": "10.0.0.2:3306", "dry_run": true});
    let answer = served.post(&format!("{MAIN}/switch"), &body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let plan = &answer.json;
    assert_eq!((&plan["kind"], &plan["from"]), (&json!("switch"), &json!("10.0.0.1:3306")));
    assert_eq!(plan["strategy"], "reliability");
    assert!(plan["forecast_ms"].as_u64().unwrap() > 0);
    assert!(!plan["forecast_causes"].as_array().unwrap().is_empty());
    assert_eq!(plan["confirm"], Value::Null);
    let steps = plan["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    let begin = ["await-executed", "await-quiet", "hold", "freeze", "catch-up", "commit", "open"];
    assert_eq!(names[..begin.len()], begin);
    assert_eq!(steps[3]["node"], "10.0.0.1:3306");
    assert_eq!((&steps[5]["class"], &steps[6]["class"]), (&json!("commit"), &json!("must")));
    assert!(steps[3]["description"].as_str().unwrap().contains("freeze 10.0.0.1:3306"));
    let snapshot = served.handle.snapshot();
    assert!(snapshot.operations.is_empty());
    assert_eq!(snapshot.epoch.0, 1);
}

#[tokio::test]
async fn a_switch_is_accepted_waited_for_and_told_step_by_step() {
    let served = Served::registered(Flavor::MySql).await;
    let body = json!({"to": "10.0.0.2:3306", "confirm": "10.0.0.2:3306"});
    let answer = served.post(&format!("{MAIN}/switch?wait=15s"), &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.headers[header::LOCATION], format!("{MAIN}/operations/1"));
    assert_eq!(answer.json["outcome"], "succeeded", "{}", answer.text);
    let operation = served.get(&format!("{MAIN}/operations/1")).await.json;
    assert_eq!(operation, answer.json);
    assert_eq!((&operation["who"], &operation["cluster"]), (&json!("local"), &json!("main")));
    assert_eq!((&operation["id"], &operation["kind"]), (&json!("1"), &json!("switch")));
    assert_eq!(operation["to"], "10.0.0.2:3306");
    let steps = operation["steps"].as_array().unwrap();
    assert_eq!(steps.len(), operation["plan"]["steps"].as_array().unwrap().len());
    for step in steps {
        assert_eq!(step["outcome"], "done", "{step}");
        assert!(step["duration_ms"].is_number() && step["start"].is_string(), "{step}");
    }
    assert!(operation["critical_section_ms"].as_f64().unwrap() >= 0.0);
    assert_eq!(operation["loss"]["verdict"], "lossless");
    assert_eq!(operation["left_behind"], json!([]));
    let cluster = served.get(MAIN).await.json;
    assert_eq!((&cluster["epoch"], &cluster["master"]), (&json!(2), &json!("10.0.0.2:3306")));
    let all = served.get(&format!("{MAIN}/operations")).await.json;
    assert_eq!(all, json!([operation]));
}

#[tokio::test]
async fn a_switch_that_fails_is_rolled_back_and_says_why() {
    let served = Served::registered(Flavor::MySql).await;
    served.world.plan_fault(Fault {
        when: When::Action { kind: CallKind::Freeze, node: served.world.node(1), after: 0 },
        what: FaultKind::Fail(ActionErrorKind::Refused),
    });
    let body = json!({"to": "10.0.0.2:3306"});
    let answer = served.post(&format!("{MAIN}/switch?wait=15s"), &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json["outcome"], "rolled_back", "{}", answer.text);
    assert!(answer.json["error"].as_str().unwrap().contains("refused by the server"));
    let steps = answer.json["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert_eq!((&last["name"], &last["outcome"]), (&json!("freeze"), &json!("failed")));
    assert_eq!(answer.json["loss"], Value::Null);
    assert_eq!(served.get(MAIN).await.json["master"], "10.0.0.1:3306");
}

#[tokio::test]
async fn preflight_refusals_are_422_with_the_reason() {
    let served = Served::registered(Flavor::MySql).await;
    served.world.write_errant(&served.world.node(3));
    let body = json!({"to": "10.0.0.3:3306"});
    let answer = served.post(&format!("{MAIN}/switch"), &body).await;
    answer.problem(422, "preflight");
    assert_eq!(answer.json["reason"], "errant");
}

#[tokio::test]
async fn activating_a_detached_slave_answers_with_the_node_as_it_follows() {
    let served = Served::registered(Flavor::MariaDb).await;
    let slave = served.world.node(3);
    let tag = Tag::new(mysqlsvc_core::OperationId(99));
    served.world.forget_source(&slave, &tag).await.unwrap();
    let detached = |now: &mysqlsvc_core::engine::Snapshot| {
        now.nodes.iter().any(|node| node.node == slave && node.state == NodeState::Detached)
    };
    served.until(detached).await;
    let answer = served.post(&format!("{}/activate", node(3)), &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json["role"], "slave");
    served.until(|now| !detached(now)).await;
    let operations = served.get(&format!("{MAIN}/operations")).await.json;
    assert_eq!(operations[0]["kind"], "activate");
    assert_eq!(operations[0]["from"], "10.0.0.3:3306");

    served.world.forget_source(&slave, &tag).await.unwrap();
    served.until(detached).await;
    served.world.disturb(Disturbance::Deny(slave.clone(), CallKind::Follow));
    let answer = served.post(&format!("{}/activate", node(3)), &json!({})).await;
    assert!(answer.problem(409, "operation-failed").contains("10.0.0.3:3306"));
}

#[tokio::test]
async fn the_originals_role_call_answers_in_its_words() {
    let served = Served::registered(Flavor::MariaDb).await;
    for (host, word) in [
        ("10.0.0.1", "Master"),
        ("10.0.0.2", "Standby"),
        ("10.0.0.3", "Slave"),
        ("10.0.0.9", "Unknown"),
    ] {
        let answer = served.get(&format!("/role?host={host}&port=3306")).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, word));
        assert!(answer.content_type().starts_with("text/plain"));
    }
    served.post(&format!("{}/unregister", node(4)), &json!({})).await;
    let answer = served.get("/api/v1/role?host=10.0.0.4&port=3306").await;
    assert_eq!(answer.text, "Unregistered");
    served.get("/role?host=10.0.0.1").await.problem(400, "malformed");
    served.get("/role?host=a&port=x").await.problem(400, "malformed");
}

#[tokio::test]
async fn health_fails_when_a_cluster_is_no_longer_kept() {
    let served = Served::start("main", Flavor::MariaDb).await;
    for path in ["/healthz", "/readyz", "/api/v1/healthz"] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, &answer.json["status"]), (StatusCode::OK, &json!("ok")));
    }
    let router = served.api();
    served.stop.cancel();
    served.actor.await.unwrap();
    let answer = call(router.clone(), request(Method::GET, "/healthz")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json["status"], "failing");
    let path = format!("{}/register", node(1));
    let answer = call(router, posted(&path, r#"{"role":"master"}"#)).await;
    assert!(answer.problem(503, "unavailable").contains("stopping"));
}

#[tokio::test]
async fn the_events_of_a_cluster_are_its_document_at_each_change() {
    let served = Served::start("main", Flavor::MariaDb).await;
    let mut events = Events::open(served.api(), &format!("{MAIN}/events")).await;
    let init = events.next().await.unwrap();
    assert_eq!((init.name.as_str(), &init.data["master"]), ("init", &Value::Null));
    served.post(&format!("{}/register", node(1)), &json!({"role": "master"})).await;
    loop {
        let update = events.next().await.unwrap();
        assert_eq!(update.name, "update");
        if update.data["master"] == "10.0.0.1:3306" {
            break;
        }
    }
}

#[tokio::test]
async fn an_operation_that_cannot_go_on_can_be_abandoned_once() {
    let served = Served::registered(Flavor::MySql).await;
    let candidate = served.world.node(2);
    served.world.disturb(Disturbance::Deny(candidate, CallKind::Open));
    let body = json!({"to": "10.0.0.2:3306"});
    let stuck = served.post(&format!("{MAIN}/switch?wait=300ms"), &body).await.json;
    assert_eq!(stuck["outcome"], "running", "{stuck}");
    let abandon = format!("{MAIN}/operations/1/abandon");
    let other = format!("{MAIN}/operations/2/abandon");
    served.post(&other, &json!({})).await.problem(404, "unknown-operation");
    let given_up = served.post(&abandon, &json!({})).await;
    assert_eq!(given_up.status, StatusCode::OK, "{}", given_up.text);
    assert_eq!(given_up.json["outcome"], "abandoned", "{}", given_up.text);
    assert_eq!(served.get(MAIN).await.json["operation"], json!(null));
    let again = served.post(&abandon, &json!({})).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
}
