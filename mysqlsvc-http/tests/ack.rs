//! Acknowledgements against a real HTTP server.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use mysqlsvc_http::client::{AckClient, AckError, MonitorUrl};
use mysqlsvc_http::wire::HoldAck;
use support::{Answer, FakeMonitor};

fn body() -> HoldAck {
    HoldAck {
        cluster: "main".into(),
        epoch: 7,
        operation: "op".into(),
        ack_token: "tok".into(),
        held: 3,
        active: 2,
    }
}

async fn send(monitor: &FakeMonitor, limit: Duration) -> Result<(), AckError> {
    let url: MonitorUrl = monitor.url().parse().unwrap();
    let client = AckClient::new(limit).unwrap();
    client.acknowledge(&url, "proxy/1", &body()).await
}

#[tokio::test]
async fn an_acknowledgement_arrives_under_the_proxys_name() {
    let mut monitor = FakeMonitor::start(Answer::Well).await;
    send(&monitor, Duration::from_secs(10)).await.unwrap();
    let ack = monitor.ack().await;
    assert_eq!((ack.proxy.as_str(), ack.body), ("proxy/1", body()));
}

#[tokio::test]
async fn a_refusal_is_told_and_not_worth_repeating() {
    let monitor = FakeMonitor::start(Answer::UnknownCluster).await;
    let error = send(&monitor, Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, AckError::Refused { status: 404, .. }));
    assert!(error.to_string().contains("no cluster is named `mian`"), "{error}");
    assert!(!error.is_worth_repeating());
}

#[tokio::test]
async fn a_monitor_that_never_answers_costs_no_more_than_the_limit() {
    let monitor = FakeMonitor::start(Answer::Never).await;
    let error = send(&monitor, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, AckError::TimedOut { .. }));
    assert!(error.is_worth_repeating());
}

#[tokio::test]
async fn a_monitor_that_is_gone_is_named() {
    let monitor = FakeMonitor::start(Answer::Well).await;
    let url: MonitorUrl = monitor.url().parse().unwrap();
    monitor.kill().await;
    let client = AckClient::new(Duration::from_secs(10)).unwrap();
    let error = client.acknowledge(&url, "p", &body()).await.unwrap_err();
    assert!(matches!(error, AckError::Unreachable { .. }));
    assert!(error.to_string().contains(&url.to_string()), "{error}");
    assert!(!error.to_string().contains("tok"), "{error}");
}
