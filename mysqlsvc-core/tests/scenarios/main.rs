//! What users of other managers asked for, and where those managers break: each a scenario on the
//! real engine over the model cluster. Numbers and holes are those of the survey that the design
//! rests on; what a scenario says of another project was read in its source or its issue.
//!
//! These wait for the emergency switch, for they begin with a master that is dead:
//! - request 9 (openark/orchestrator#753, fetch the tail of the binary log from the dead master);
//! - the emergency half of request 7 (openark/orchestrator#482, #1275: isolate a master that cannot
//!   be reached), of 11 (#1293: rejoin one that lost its place meanwhile) and of 17
//!   (cybozu-go/moco#813: commits that wait for acknowledgements which a failover starved);
//! - holes: Vitess's emergency promotion of a stale replica (vitess#21092), MySQL Shell's
//!   `force_primary` and its verdict by one client's view, MOCO's fence by starvation alone, and
//!   MHA's, orchestrator's and Patroni's verdicts that a master is dead.
//!
//! These wait for several monitors beside each other, which one store does not allow:
//! - request 14 (signal18/replication-manager#302, #124: a cluster of managers);
//! - holes: `MaxScale`'s `majority_of_running`, mysync's missing fencing token.
//!
//! These cannot be had on a model:
//! - request 16 (signal18/replication-manager#1037, the statements of MySQL 8.4): the tests on real
//!   servers run on a MySQL that knows no older ones;
//! - the connection storm of request 19 (yandex/mysync#132) is the proxy's to bear; its bounded
//!   queue is tested there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics says so")]
#![allow(unreachable_pub, reason = "modules of one test binary")]

mod by_position;
mod holes;
mod orders;
mod planted;
mod requests;
mod stage;
mod store;

use mysqlsvc_core::Flavor;

const FLAVORS: [Flavor; 2] = [Flavor::MySql, Flavor::MariaDb];
