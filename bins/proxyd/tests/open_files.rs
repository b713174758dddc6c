//! The limit of open files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{FakeServer, Proxyd, is_served};
use tokio::net::TcpStream;

async fn connect(proxyd: &Proxyd, number: usize) -> (Vec<TcpStream>, usize) {
    let (mut served, mut turned_away) = (Vec::new(), 0);
    for _ in 0..number {
        let mut stream = proxyd.connect().await;
        if is_served(&mut stream).await {
            served.push(stream);
        } else {
            turned_away += 1;
        }
    }
    (served, turned_away)
}

#[tokio::test]
async fn a_soft_limit_is_raised_to_the_hard_one() {
    let db = FakeServer::start("db-1").await;
    let proxyd = Proxyd::start_limited("-Sn 64", &["--targets", &db.address]).await;
    let (served, turned_away) = connect(&proxyd, 60).await;
    assert_eq!((served.len(), turned_away), (60, 0));
}

#[tokio::test]
async fn what_does_not_fit_below_a_hard_limit_is_turned_away_and_the_rest_is_served() {
    let db = FakeServer::start("db-1").await;
    let proxyd = Proxyd::start_limited("-n 64", &["--targets", &db.address]).await;
    let (served, turned_away) = connect(&proxyd, 60).await;
    assert!(!served.is_empty() && turned_away > 0, "{} served", served.len());
    drop(served);
    proxyd.until("none active", |view| view["gate"]["active"] == 0).await;
    assert_eq!(connect(&proxyd, 1).await.1, 0);
    let (_, metrics) = proxyd.page("/metrics").await;
    assert!(metrics.contains("mysqlsvc_proxy_dial_failures_total{mode=\"slave\"} 0"), "{metrics}");
}

#[tokio::test]
async fn a_crowd_at_the_admin_address_costs_clients_nothing() {
    let db = FakeServer::start("db-1").await;
    let proxyd = Proxyd::start_limited("-n 64", &["--targets", &db.address]).await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(TcpStream::connect(proxyd.admin).await.unwrap());
    }
    let (served, _) = connect(&proxyd, 2).await;
    assert_eq!(served.len(), 2);
    drop(crowd);
    assert_eq!(proxyd.page("/healthz").await.0, 200);
}
