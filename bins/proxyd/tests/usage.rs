//! Exit codes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{Proxyd, run, run_with, text};
use tokio::net::TcpListener;

#[tokio::test]
async fn wrong_usage_is_2_and_names_the_flag() {
    for (arguments, needle) in [
        (&["--mode", "leader"][..], "--mode"),
        (&["--port", "x"], "--port"),
        (&["--monitor", "web-1:6033"], "expected http://HOST:PORT"),
        (&["--targets", "db-1"], "--targets"),
        (&["--targets", "a:1", "--state", "/x"], "--state"),
        (&["--proxy-id", ""], "--proxy-id"),
        (&["--cluster", ""], "--cluster"),
        (&["--frobnicate"], "--frobnicate"),
    ] {
        let (code, error) = run(arguments).await;
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
        assert!(error.contains(needle), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn help_and_version_are_0() {
    assert_eq!(run(&["--help"]).await.0, Some(0));
    assert_eq!(run(&["--version"]).await.0, Some(0));
}

#[tokio::test]
async fn a_port_that_is_taken_is_1_and_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, error) = run(&["-p", &port, "--listen", "127.0.0.1", "--targets", "a:1"]).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_is_64_and_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("state");
    let (code, error) = run(&["-p", "0", "--state", text(&below)]).await;
    assert_eq!(code, Some(64), "{error}");
    assert!(error.contains("--state") && error.contains(text(&below)), "{error}");
}

#[tokio::test]
async fn the_environment_chooses_the_form_of_the_log_as_for_monitord() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let arguments = ["-p", &port, "--listen", "127.0.0.1", "--targets", "a:1"];
    let (_, log) = run_with(&[("MYSQLSVC_LOG_FORMAT", "json")], &arguments).await;
    assert!(log.lines().last().unwrap().starts_with('{'), "{log}");
    let (_, log) = run(&arguments).await;
    assert!(!log.lines().last().unwrap().starts_with('{'), "{log}");
}

#[tokio::test]
async fn the_default_id_tells_proxies_of_one_host_and_port_apart_by_their_address() {
    let proxyd = Proxyd::start(&["--targets", "127.0.0.1:1"]).await;
    let id = proxyd.route().await["proxy"].as_str().unwrap().to_owned();
    assert!(id.ends_with(&format!("-slave-{}", proxyd.address)), "{id}");
}
