//! GTID sets beside the servers they are of: both read the same texts, print the same ones and
//! come to the same answers. The laws of sets are checked in the core; here are the sets that were
//! made for it, always the same ones, in few round trips.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod mariadb;
mod mysql;

use mysql_async::Conn;
use mysqlsvc_core::GtidSet;
use mysqlsvc_sandbox::{Flavor, Runtime, Sandbox};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};

/// One server, alone and as fast as it can be.
async fn server(flavor: Flavor, runtime: Runtime) -> Sandbox {
    let builder = Sandbox::builder().flavor(flavor).runtime(runtime);
    builder.nodes(1).durable(false).start().await.unwrap()
}

async fn root(sandbox: &Sandbox) -> Conn {
    sandbox.connect(0, &sandbox.accounts().root).await.unwrap()
}

/// Values of a strategy, the same ones on every run.
fn samples<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn mysql_set(text: &str) -> GtidSet {
    GtidSet::parse(mysqlsvc_core::Flavor::MySql, text).unwrap()
}

fn mariadb_set(text: &str) -> GtidSet {
    GtidSet::parse(mysqlsvc_core::Flavor::MariaDb, text).unwrap()
}
