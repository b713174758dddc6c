//! What the backend says of servers that it cannot, or should not, work.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mysql_support;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_core::{
    ActionErrorKind, LookError, Millis, NodeId, Probe, ReadOnly, ReplicationBackend as _,
    backend::{FollowManner, Inspection, Severity},
};
use mysqlsvc_monitor::mysql::{Credentials, Login, MySqlBackend};
use mysqlsvc_sandbox::{Flavor, Sandbox};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use crate::mysql_support::{Cluster, LIMITS, bounded, credentials, on_both, tag};

on_both! {
    a_wrong_password_and_missing_rights_are_refusals_with_names,
    a_fresh_server_passes_its_inspection,
    a_wrong_password_of_the_replication_account_is_named_and_not_shown,
}

/// Findings as `id severity`, sorted.
fn ids(inspection: &Inspection) -> Vec<(&str, Severity)> {
    let found = inspection.findings.iter();
    let mut ids: Vec<_> = found.map(|finding| (finding.id.as_str(), finding.severity)).collect();
    ids.sort_unstable();
    ids
}

async fn a_wrong_password_and_missing_rights_are_refusals_with_names(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 1).await;
    let node = cluster.node(0);
    let mut wrong = credentials(&cluster.sandbox);
    wrong.dba = Login::new("dba", "not-the-password".to_owned().into());
    let backend = MySqlBackend::new(wrong, LIMITS);
    let Err(LookError::Refused { detail }) = backend.look(&node).await else {
        panic!("a wrong password was not refused");
    };
    assert!(detail.contains("1045") && !detail.contains("not-the-password"), "{detail}");
    let error = backend.freeze(&node, Millis(20_000), &[], &tag(1)).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused, "{error}");

    let missing: [&str; 2] = match flavor {
        Flavor::MariaDb => ["CONNECTION ADMIN", "READ ONLY ADMIN"],
        Flavor::MySql => ["CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN"],
    };
    let mut root = cluster.root(0).await;
    let list = missing.join(", ");
    root.query_drop(format!("REVOKE {list} ON *.* FROM 'dba'@'%'")).await.unwrap();
    let backend = MySqlBackend::new(credentials(&cluster.sandbox), LIMITS);
    let inspection = backend.inspect(&node).await.unwrap();
    let said: Vec<&str> = inspection
        .findings
        .iter()
        .filter(|finding| finding.id == "grant-missing" && finding.severity == Severity::Error)
        .map(|finding| finding.text.as_str())
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    for right in missing {
        assert!(said.iter().any(|text| text.contains(&format!("GRANT {right} ON"))), "{said:?}");
    }
    let error = backend.freeze(&node, Millis(20_000), &[], &tag(1)).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused, "{error}");
    assert_eq!(backend.look(&node).await.unwrap().read_only, ReadOnly::Off);
    cluster.write_rows(0, 1).await;
}

/// The lag may be another at the next look.
fn without_lag(mut probe: Probe) -> Probe {
    if let Some(replication) = &mut probe.replication {
        replication.lag = None;
    }
    probe
}

async fn a_fresh_server_passes_its_inspection(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    // The replica was not touched by SET GLOBAL read_only.
    let inspection = cluster.backend.inspect(&cluster.node(1)).await.unwrap();
    let errors: Vec<_> =
        inspection.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(inspection.purged.is_some());
    // Neither is needed for anything but copies.
    let copying: Vec<_> = inspection.copying.iter().map(|found| found.id.as_str()).collect();
    let lacking = match flavor {
        Flavor::MySql => "clone-plugin-missing",
        Flavor::MariaDb => "clone-not-configured",
    };
    assert_eq!(copying, [lacking]);
    let [inspected, seen] =
        [inspection.probe.clone(), cluster.backend.look(&cluster.node(1)).await.unwrap()];
    assert_eq!(without_lag(inspected), without_lag(seen));
    if flavor == Flavor::MariaDb {
        let writers = inspection.findings.iter().find(|one| one.id == "writes-through-read-only");
        assert!(writers.unwrap().text.contains("boss"), "{writers:?}");
    }
}

async fn a_wrong_password_of_the_replication_account_is_named_and_not_shown(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (master, replica) = (cluster.node(0), cluster.node(1));
    let mut wrong = credentials(&cluster.sandbox);
    wrong.repl = Login::new("repl", "it's \\ wrong".to_owned().into());
    let backend = MySqlBackend::new(wrong, LIMITS);
    backend.forget_source(&replica, &tag(1)).await.unwrap();
    let error =
        bounded(backend.follow(&replica, &master, FollowManner::Replica, None, &tag(2))).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused, "{error}");
    assert!(error.detail.contains("1045") && error.detail.contains("I/O"), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
    let manner = FollowManner::Replica;
    cluster.backend.follow(&replica, &master, manner, None, &tag(3)).await.unwrap();
}

#[tokio::test]
async fn settings_that_break_switching_are_found_on_mariadb() {
    let cluster = Cluster::built(
        Sandbox::builder()
            .flavor(Flavor::MariaDb)
            .nodes(1)
            .server_option("log_slave_updates", "OFF")
            .server_option("gtid_strict_mode", "OFF")
            .server_option("binlog_format", "MIXED")
            .server_option("read_only", "OFF")
            .server_option("replicate_do_db", "app")
            .server_option("binlog_ignore_db", "scratch"),
    )
    .await;
    let mut root = cluster.root(0).await;
    root.query_drop("DROP USER repl").await.unwrap();
    let inspection = cluster.backend.inspect(&cluster.node(0)).await.unwrap();
    let found = ids(&inspection);
    for expected in [
        ("binlog-format-not-row", Severity::Warning),
        ("gtid-strict-mode-off", Severity::Error),
        ("log-replica-updates-off", Severity::Error),
        ("not-read-only-at-boot", Severity::Error),
        ("repl-account-missing", Severity::Error),
        ("replication-filter", Severity::Warning),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
}

fn somebody() -> MySqlBackend {
    let login = |user: &str| Login::new(user, "secret".to_owned().into());
    MySqlBackend::new(Credentials { dba: login("dba"), repl: login("repl") }, LIMITS)
}

/// A listener that does the same with every connection, until the test ends.
async fn fake_server<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> NodeId
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address.to_string().parse().unwrap()
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_hangs_within_the_limit() {
    let node = fake_server(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let backend = somebody();
    let seen = bounded(backend.look(&node)).await;
    let limit = LIMITS.look.into();
    assert_eq!(seen, Err(LookError::Hung { limit }));
    let error = bounded(backend.freeze(&node, Millis(800), &[], &tag(1))).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unreachable, "{error}");
    let error = bounded(backend.open(&node, &tag(1))).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn a_server_of_no_known_version_is_not_supported() {
    let builder = Sandbox::builder().flavor(Flavor::MariaDb).nodes(1);
    let cluster = Cluster::built(builder.server_option("version", "99.1.0-mystery")).await;
    let seen = cluster.backend.look(&cluster.node(0)).await;
    let Err(LookError::Unsupported { detail }) = seen else { panic!("{seen:?}") };
    assert!(detail.contains("99.1.0-mystery") && detail.contains("10.6"), "{detail}");
    let error = cluster.backend.open(&cluster.node(0), &tag(1)).await.unwrap_err();
    assert_eq!(error.kind, ActionErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn a_server_of_another_protocol_is_not_supported() {
    let node = fake_server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let seen = bounded(somebody().look(&node)).await;
    assert!(
        matches!(seen, Err(LookError::Unsupported { .. } | LookError::Unreachable { .. })),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_full_is_not_called_dead() {
    let node = fake_server(|mut stream| async move {
        let body = b"\xff\x10\x04Too many connections";
        let length = u8::try_from(body.len()).unwrap();
        let _ = stream.write_all(&[&[length, 0, 0, 0], &body[..]].concat()).await;
    })
    .await;
    let seen = bounded(somebody().look(&node)).await;
    let Err(LookError::Refused { detail }) = seen else { panic!("{seen:?}") };
    assert!(detail.contains("1040"), "{detail}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node: NodeId = listener.local_addr().unwrap().to_string().parse().unwrap();
    drop(listener);
    let seen = bounded(somebody().look(&node)).await;
    assert!(matches!(seen, Err(LookError::Unreachable { .. })), "{seen:?}");
}
