//! What goes on around a switch: a master that is gone for a while, a proxy that does not answer,
//! others who ask for the same.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use mysql_async::prelude::Queryable as _;
use mysqlsvc_http::wire::{OperationOutcome, ProxyMode, StepClass};
use mysqlsvc_rig::{Checker, WriterOptions, Writers};
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{
    Bed, LIMIT,
    api::{CLUSTER, switch_to},
};

use crate::failing::short;

#[derive(Clone, Copy)]
enum Gone {
    Paused,
    Killed,
}

/// The master goes away while its freeze waits. What cannot be taken back now is shown as such, and
/// taken back when the server is there again.
async fn master_gone(flavor: Flavor, how: Gone) {
    let bed = Bed::start_with(flavor, 3, short).await;
    let (api, servers) = (bed.api(), bed.servers());
    let before = servers.pictures().await;
    let blocker = servers.block_freezes(0).await;
    let id = api.begin_switch(&bed.address(1)).await;
    servers.until_freeze_waits(0).await;
    match how {
        Gone::Paused => bed.sandbox.pause(0).await.unwrap(),
        Gone::Killed => bed.sandbox.kill(0).await.unwrap(),
    }
    let unwinding = mysqlsvc_tests::eventually("unwinding", async || {
        let operation = api.client().operation(CLUSTER, &id).await.unwrap();
        assert!(!operation.outcome.is_final(), "{operation:#?}");
        (operation.outcome == OperationOutcome::Unwinding).then_some(operation)
    })
    .await;
    assert!(unwinding.error.is_some(), "{unwinding:#?}");
    let refused = api.switch_refused(&bed.address(2)).await;
    assert_eq!((refused.status, refused.reason.as_deref()), (409, Some("busy")), "{refused}");
    match how {
        Gone::Paused => {
            bed.sandbox.resume(0).await.unwrap();
            blocker.release(&servers, 0).await;
        }
        Gone::Killed => {
            blocker.forget();
            bed.sandbox.restart(0).await.unwrap();
        }
    }
    let operation = api.ended(&id).await;
    assert_eq!(operation.outcome, OperationOutcome::RolledBack, "{operation:#?}");
    let settled = api.until_settled().await;
    assert_eq!(settled.master, Some(bed.address(0)));
    // Threads that are just reconnecting are as they were in a moment.
    mysqlsvc_tests::eventually("replication as it was", async || {
        (servers.pictures().await == before).then_some(())
    })
    .await;
    bed.product.await_serving(&bed.sandbox.accounts().app, LIMIT).await.unwrap();
    api.switch_succeeds(&bed.address(1)).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_master_paused_while_it_is_frozen() {
    master_gone(Flavor::MariaDb, Gone::Paused).await;
}

#[tokio::test]
async fn mysql_master_paused_while_it_is_frozen() {
    master_gone(Flavor::MySql, Gone::Paused).await;
}

#[tokio::test]
async fn mariadb_master_killed_while_it_is_frozen() {
    master_gone(Flavor::MariaDb, Gone::Killed).await;
}

#[tokio::test]
async fn mysql_master_killed_while_it_is_frozen() {
    master_gone(Flavor::MySql, Gone::Killed).await;
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn a_proxy_that_hangs_is_named_and_not_waited_for_and_leads_right_when_it_is_back() {
    let modes = [ProxyMode::Master, ProxyMode::Master, ProxyMode::Slave];
    let bed = Bed::start_with(Flavor::MariaDb, 3, |builder| builder.proxies(modes)).await;
    let app = bed.sandbox.accounts().app.clone();
    let hung = &bed.product.proxies()[1];
    let writers = Writers::start(&bed.through_proxy(), WriterOptions::default());
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await);
    let checker = Checker::start(&bed.sandbox, Duration::from_millis(5), None);
    let pid = hung.pid().unwrap();

    signal(pid, "-STOP");
    let operation = bed.api().switch(&bed.address(1)).await;
    signal(pid, "-CONT");

    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    assert_eq!(operation.acks_missing, ["proxyd-2"], "{operation:#?}");
    assert!(writers.all_wrote_since(Instant::now(), LIMIT).await, "writers never came back");
    mysqlsvc_tests::eventually("the new master behind the proxy that hung", async || {
        let mut conn = hung.endpoint(&app).connect(LIMIT).await.ok()?;
        let id: Option<u32> = conn.query_first("SELECT @@server_id").await.ok()?;
        (id == Some(2)).then_some(())
    })
    .await;
    let ledger = writers.stop().await;
    for audit in ledger.audit_all(&bed.direct(1), &bed.others(1), LIMIT).await.unwrap() {
        assert!(audit.lost.is_empty() && audit.unexpected.is_empty(), "{audit:?}");
    }
    assert!(checker.stop().await.overlaps.is_empty());
    bed.down().await;
}

#[tokio::test]
async fn a_dry_run_shows_what_is_then_done_and_changes_nothing() {
    let bed = Bed::start(Flavor::MariaDb, 4).await;
    let (api, to) = (bed.api(), bed.address(2));
    let before = bed.servers().pictures().await;

    let plan = api.client().plan_switch(CLUSTER, switch_to(&to)).await.unwrap();

    assert_eq!((plan.from.clone(), plan.to.clone()), (Some(bed.address(0)), Some(to.clone())));
    assert_eq!(plan.steps.iter().filter(|step| step.class == StepClass::Commit).count(), 1);
    assert_eq!(bed.servers().pictures().await, before);
    assert!(api.client().operations(CLUSTER).await.unwrap().is_empty());
    let operation = api.switch_succeeds(&to).await;
    let planned: Vec<_> = plan.steps.iter().map(|step| (&step.name, &step.node)).collect();
    let done: Vec<_> = operation.steps.iter().map(|step| (&step.name, &step.node)).collect();
    assert_eq!(done, planned);
    assert!(operation.critical_section_ms.is_some_and(|ms| ms > 0.0));
    assert!(operation.write_unavailable_ms.is_some_and(|ms| ms > 0.0));
    bed.down().await;
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_is_let_in() {
    let bed = Bed::start(Flavor::MariaDb, 3).await;
    let client = bed.product.api().clone();
    // The freeze cannot be had before all have asked.
    let mut holder = bed.servers().root(0).await;
    holder.query_drop("LOCK TABLES app.rig_rows WRITE").await.unwrap();
    let mut asking = tokio::task::JoinSet::new();
    for to in [1, 2, 1, 2, 1, 2].map(|server| bed.address(server)) {
        let client = client.clone();
        asking.spawn(async move { client.switch(CLUSTER, switch_to(&to), None).await });
    }
    let answers = asking.join_all().await;
    drop(holder);
    let (begun, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for answer in refused {
        let problem = mysqlsvc_tests::api::problem(answer);
        assert_eq!(problem.status, 409, "{problem}");
    }
    assert_eq!(begun.len(), 1);
    let operation = bed.api().ended(&begun.into_iter().next().unwrap().unwrap().id).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    let settled = bed.api().until_settled().await;
    assert_eq!(settled.master, operation.to);
    assert_eq!(bed.servers().writable().await.len(), 1);
    bed.down().await;
}
