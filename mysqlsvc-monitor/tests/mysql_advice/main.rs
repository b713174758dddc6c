//! Each piece of advice on a real server: the bad value is set, it is found, what is given as the
//! remedy is run as it stands, and it is gone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cases;
mod document;
#[path = "../mysql_support/mod.rs"]
mod mysql_support;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_core::{NodeId, Role};
use mysqlsvc_monitor::mysql::advice::{
    Advice, AdviceId, Advised, Advisor as _, Asked, NodeAdvice, judge,
};
use mysqlsvc_sandbox::{Flavor, Sandbox};

use crate::{
    cases::{Case, Mend, at_start, cases},
    mysql_support::{Cluster, bounded, until},
};

const MASTER: usize = 0;
const REPLICA: usize = 1;

/// Advice on servers that were asked one after the other, the first of which is the master.
async fn advise(servers: &[(&Cluster, usize)]) -> Vec<NodeAdvice> {
    let mut asked = Vec::new();
    for (place, (cluster, index)) in servers.iter().enumerate() {
        let node: NodeId = cluster.node(*index);
        let facts = bounded(cluster.backend.facts(&node)).await;
        let role = if place == MASTER { Role::Master } else { Role::Slave };
        asked.push(Asked { node, role, facts });
    }
    judge(&asked)
}

async fn advised(cluster: &Cluster, index: usize) -> Advised {
    let mut all = advise(&[(cluster, MASTER), (cluster, REPLICA)]).await;
    all.swap_remove(index).advised.unwrap()
}

fn found(advised: &Advised, id: AdviceId) -> Option<&Advice> {
    advised.findings.iter().find(|advice| advice.id == id)
}

/// Runs statements in one session of root's.
async fn run<S: AsRef<str>>(cluster: &Cluster, index: usize, statements: &[S]) {
    let mut root = cluster.root(index).await;
    for sql in statements {
        let done = bounded(root.query_drop(sql.as_ref())).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", sql.as_ref()));
    }
}

async fn try_out(cluster: &Cluster, case: &Case) {
    run(cluster, case.server, case.bad).await;
    let before = advised(cluster, case.server).await;
    let Some(advice) = found(&before, case.id) else {
        panic!("{} was not found among {:#?}", case.id, before.findings);
    };
    assert!(!advice.seen.is_empty() && !advice.seen.ends_with('.'), "{advice:?}");
    match case.mend {
        Mend::AsAdvised => {
            assert!(!advice.remedy.statements.is_empty(), "{advice:?}");
            run(cluster, case.server, &advice.remedy.statements).await;
        }
        Mend::ByHand(statements) => run(cluster, case.server, statements).await,
        Mend::Never => return,
    }
    let after = advised(cluster, case.server).await;
    let left = found(&after, case.id);
    assert!(left.is_none(), "{} is still there after its remedy: {left:?}", case.id);
}

async fn remedies_work_as_they_are_given(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    for case in cases(flavor) {
        try_out(&cluster, case).await;
    }
}

async fn settings_of_the_start_are_found(flavor: Flavor) {
    let wired = Cluster::wired(flavor, 2).await;
    let mut builder = Sandbox::builder().flavor(flavor).nodes(1);
    for (name, value) in at_start(flavor).options {
        builder = builder.server_option(*name, *value);
    }
    let other = Cluster::built(builder).await;
    let ids = |advice: &NodeAdvice| -> Vec<AdviceId> {
        advice.advised.as_ref().unwrap().findings.iter().map(|found| found.id).collect()
    };
    let beside = advise(&[(&wired, MASTER), (&other, 0)]).await;
    let seen = ids(&beside[1]);
    for id in at_start(flavor).found {
        assert!(seen.contains(id), "{id} is not among {seen:?}");
    }
    let below = advise(&[(&other, 0), (&wired, REPLICA)]).await;
    let seen = ids(&below[1]);
    for id in at_start(flavor).found_below {
        assert!(seen.contains(id), "{id} is not among {seen:?}");
    }
}

async fn the_lag_is_told_in_its_parts(flavor: Flavor) {
    let cluster = Cluster::wired(flavor, 2).await;
    let (stop, start) = match flavor {
        Flavor::MariaDb => ("STOP SLAVE", "START SLAVE"),
        Flavor::MySql => ("STOP REPLICA", "START REPLICA"),
    };
    let lag = async || advised(&cluster, REPLICA).await.lag.unwrap();
    run(&cluster, REPLICA, &[format!("{stop} SQL_THREAD")]).await;
    cluster.write_rows(MASTER, 3).await;
    until("three transactions are received and not applied", async || {
        let lag = lag().await;
        (lag.not_sent.transactions, lag.not_applied.transactions) == (Some(0), Some(3))
    })
    .await;
    run(&cluster, REPLICA, &[format!("{stop} IO_THREAD")]).await;
    cluster.write_rows(MASTER, 2).await;
    let seen = lag().await;
    assert_eq!(seen.source, cluster.node(MASTER));
    assert_eq!(seen.behind, None, "nothing is connected");
    assert_eq!(seen.not_sent.transactions, Some(2));
    assert_eq!(seen.not_applied.transactions, Some(3));
    run(&cluster, REPLICA, &[start]).await;
    until("all is applied", async || {
        let lag = lag().await;
        (lag.not_sent.transactions, lag.not_applied.transactions) == (Some(0), Some(0))
    })
    .await;
    let seen = lag().await;
    // MariaDB keeps no record of what is over.
    let times = [seen.not_sent.time.is_some(), seen.not_applied.time.is_some()];
    assert_eq!(times, [flavor == Flavor::MySql; 2], "{seen:?}");
}

mysql_support::on_both! {
    remedies_work_as_they_are_given,
    settings_of_the_start_are_found,
    the_lag_is_told_in_its_parts,
}

#[tokio::test]
async fn a_server_out_of_reach_says_so_and_the_others_are_judged() {
    let cluster = Cluster::wired(Flavor::MariaDb, 2).await;
    cluster.sandbox.kill(MASTER).await.unwrap();
    let all = advise(&[(&cluster, MASTER), (&cluster, REPLICA)]).await;
    assert!(all[0].advised.is_err(), "{:?}", all[0]);
    let replica = all[1].advised.as_ref().unwrap();
    assert_eq!(replica.lag.as_ref().unwrap().not_sent.transactions, None);
    assert!(found(replica, AdviceId::SemiSyncReplicaOff).is_some());
}
