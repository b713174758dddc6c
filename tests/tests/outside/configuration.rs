//! monitord's command line and configuration.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path};

use mysqlsvc_tests::{
    Monitord,
    fake::Fake,
    monitord::{Setup, free_addresses, run, write_files},
};

/// Secrets of the right form for servers that do not exist.
const SECRETS: &str = "dba_passwd=one\nrepl_passwd=two";

fn setup(nodes: &[&str]) -> Setup {
    let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
    Setup { nodes, secrets: SECRETS.to_owned(), ..Setup::default() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A directory with a configuration, its path, and that of the secrets.
fn written(setup: &Setup) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let [http, sse] = free_addresses();
    write_files(dir.path(), http, sse, setup);
    dir
}

#[tokio::test]
async fn a_right_configuration_passes_the_check_and_nothing_is_started() {
    let dir = written(&setup(&["127.0.0.1:1", "127.0.0.1:2"]));
    let file = dir.path().join("monitord.toml");
    let (code, stdout, stderr) = run(&["--check-config", "--config", text(&file)]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("main") && stdout.contains("2 servers"), "{stdout}");
    assert!(!dir.path().join("state").exists());
}

#[tokio::test]
async fn every_mistake_is_said_at_once_with_file_and_line_and_the_exit_code_is_64() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    let content = "[monitor]\nhttp = \"0.0.0.0:8080\"\nsse = \"nowhere\"\ncolour = \"blue\"\n\
                   [[cluster]]\nname = \"a b\"\n\
                   discovery = { kind = \"static\", nodes = [\"db\", \"db:3306\", \"db:3306\"] }\n\
                   [cluster.probe]\ninterval = \"soon\"\n\
                   [cluster.switch]\nstrategy = \"luck\"\nhold_timeout = \"1s\"\n";
    fs::write(&file, content).unwrap();
    for arguments in [&["--config", text(&file)][..], &["--check-config", "--config", text(&file)]]
    {
        let (code, stdout, stderr) = run(arguments).await;
        assert_eq!((code, stdout.as_str()), (Some(64), ""), "{stderr}");
        let expected = [
            ("bad.toml:2:", "8080"),
            ("bad.toml:3:", "sse"),
            ("bad.toml:4:", "colour"),
            ("bad.toml:6:", "a b"),
            ("bad.toml:7:", "db"),
            ("bad.toml:9:", "interval"),
            ("bad.toml:11:", "luck"),
            ("bad.toml:12:", "hold_timeout"),
        ];
        for (place, word) in expected {
            let is_said = |line: &str| line.contains(place) && line.contains(word);
            assert!(stderr.lines().any(is_said), "{place} {word} is not in:\n{stderr}");
        }
    }
}

#[tokio::test]
async fn secrets_that_others_may_read_are_refused_and_not_shown() {
    let dir = written(&setup(&["127.0.0.1:1"]));
    let secrets = dir.path().join("secret.conf");
    fs::write(&secrets, "dba_passwd=topsecret\n").unwrap();
    let file = dir.path().join("monitord.toml");
    let check = async || run(&["--check-config", "--config", text(&file)]).await;

    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, stderr) = check().await;
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("secret.conf") && !stderr.contains("topsecret"), "{stderr}");

    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, _, stderr) = check().await;
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("repl_passwd") && !stderr.contains("topsecret"), "{stderr}");
}

#[tokio::test]
async fn wrong_usage_is_2_and_a_missing_file_is_64() {
    let (code, _, stderr) = run(&["--colour"]).await;
    assert_eq!(code, Some(2), "{stderr}");
    let (code, _, stderr) = run(&["--config", "/nonexistent/m.toml"]).await;
    assert_eq!(code, Some(64), "{stderr}");
    assert!(stderr.contains("/nonexistent/m.toml"), "{stderr}");
    let (code, stdout, _) = run(&["--version"]).await;
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("monitord "), "{stdout}");
}

#[tokio::test]
async fn a_taken_address_is_a_failure_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let [sse] = free_addresses();
    let http = taken.local_addr().unwrap();
    write_files(dir.path(), http, sse, &setup(&["127.0.0.1:1"]));
    let file = dir.path().join("monitord.toml");
    let (code, _, stderr) = run(&["--config", text(&file)]).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(&http.to_string()), "{stderr}");
}

#[tokio::test]
async fn a_second_monitord_on_the_same_state_is_turned_away_and_the_first_goes_on() {
    let silent = Fake::silent().await;
    let first = Monitord::start(&setup(&[&silent.address])).await;
    let dir = tempfile::tempdir().unwrap();
    let [http, sse] = free_addresses();
    write_files(dir.path(), http, sse, &setup(&[&silent.address]));
    let file = dir.path().join("monitord.toml");
    let config = fs::read_to_string(&file).unwrap();
    let shared = format!("state = \"{}\"", first.state().display());
    fs::write(&file, config.replace("state = \"state\"", &shared)).unwrap();

    let (code, _, stderr) = run(&["--config", text(&file)]).await;

    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(first.state().to_str().unwrap()), "{stderr}");
    first.api.client().healthz().await.unwrap();
}

#[tokio::test]
async fn sigterm_ends_it_well_also_with_streams_open_and_a_silent_server() {
    let silent = Fake::silent().await;
    let mut monitord = Monitord::start(&setup(&[&silent.address])).await;
    let url = format!("http://{}/servers?proxy=p&mode=master", monitord.sse);
    let mut stream = reqwest::get(url).await.unwrap();
    assert_eq!(stream.status(), 200);
    let status = monitord.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", monitord.log());
    let rest = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(mysqlsvc_tests::LIMIT, rest).await.expect("the stream never ended");
    monitord.start_again().await;
}
