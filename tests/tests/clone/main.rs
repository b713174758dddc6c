//! Clone on real servers: a diverged replica becomes one again; ended and killed in the middle.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics says so")]

mod mariadb;
mod mysql;

use mysql_async::prelude::Queryable as _;
use mysqlsvc_http::wire::{
    CloneRequest, NodeAction, NodeState, OperationDocument, OperationId, OperationOutcome, Problem,
    ProgressDocument,
};
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{
    Bed,
    api::{CLUSTER, problem, switch_to},
    eventually,
};

/// The slave: the one that is cloned.
const NODE: usize = 2;

/// A table with rows of some size everywhere, and one transaction on the slave alone.
async fn diverge(bed: &Bed) {
    let servers = bed.servers();
    servers.run(0, "CREATE TABLE app.filler (id INT PRIMARY KEY AUTO_INCREMENT, v LONGBLOB)").await;
    for _ in 0..4 {
        servers.run(0, "INSERT INTO app.filler (v) VALUES (RANDOM_BYTES(1024))").await;
    }
    servers.until_table(NODE, "filler").await;
    eventually("the rows everywhere", async || (rows(bed, NODE).await == 4).then_some(())).await;
    let mut root = servers.root(NODE).await;
    let open = match bed.sandbox.flavor() {
        Flavor::MySql => "SET GLOBAL super_read_only = 0",
        Flavor::MariaDb => "DO 0",
    };
    root.query_drop(open).await.unwrap();
    root.query_drop("INSERT INTO app.filler (id, v) VALUES (1000, 'errant')").await.unwrap();
    root.query_drop("SET GLOBAL read_only = 1").await.unwrap();
}

async fn rows(bed: &Bed, server: usize) -> u32 {
    bed.servers().ask(server, "SELECT COUNT(*) FROM app.filler").await.parse().unwrap()
}

/// A detached slave with a transaction of its own is not let replicate again.
async fn is_refused(bed: &Bed) {
    let node = bed.address(NODE);
    bed.api().act(&node, NodeAction::Detach).await;
    bed.api().until_node(&node, "detached", |seen| seen.state == NodeState::Detached).await;
    let refusal = bed.api().act_refused(&node, NodeAction::Activate).await;
    assert_eq!(refusal.reason.as_deref(), Some("errant"), "{refusal:?}");
    assert!(refusal.detail.contains(&format!("mysqlsvc clone {node}")));
}

fn request(bed: &Bed, donor: Option<usize>) -> CloneRequest {
    let donor = donor.map(|donor| bed.address(donor));
    CloneRequest { donor, dry_run: false, confirm: Some(bed.address(NODE)) }
}

async fn refused(bed: &Bed) -> Problem {
    let (api, node) = (bed.api(), bed.address(NODE));
    problem(api.client().clone_node(CLUSTER, &node, request(bed, None)).await)
}

async fn begin(bed: &Bed, donor: Option<usize>) -> OperationId {
    let api = bed.api();
    let begun = api.client().clone_node(CLUSTER, &bed.address(NODE), request(bed, donor)).await;
    begun.unwrap().id
}

/// The whole cluster is OK, and the slave has the master's rows and no others.
async fn is_whole(bed: &Bed, operation: &OperationDocument) {
    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    bed.api().until_settled().await;
    bed.servers().run(0, "INSERT INTO app.filler (v) VALUES ('after')").await;
    let sum = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, '-', v)))) FROM app.filler";
    let expected = bed.servers().ask(0, sum).await;
    eventually("the same rows", async || {
        (bed.servers().ask(NODE, sum).await == expected).then_some(())
    })
    .await;
}

/// Waits until a copy is under way and is so far.
async fn until_progress(bed: &Bed, id: &OperationId, is_there: impl Fn(&ProgressDocument) -> bool) {
    let api = bed.api();
    eventually("the copy to be so far", async || {
        let seen = api.client().operation(CLUSTER, id).await.unwrap();
        assert!(!seen.outcome.is_final(), "{seen:#?}");
        seen.progress.as_ref().is_some_and(&is_there).then_some(())
    })
    .await;
}

/// What differs by flavour in making a copy wait until somebody ends it.
trait Brake {
    /// A copy that begins from now on gets to a certain place, and stays there.
    async fn pull(&self, bed: &Bed);

    /// Waits until the copy is at that place.
    async fn until_stopped(&self, bed: &Bed, id: &OperationId);

    /// Copies that begin from now on go on to their end.
    async fn release(&self, bed: &Bed);

    /// A copy that was ended there has left nothing set on its server.
    async fn nothing_is_left(&self, bed: &Bed);
}

/// From divergence to a whole cluster, by way of an ended copy and a killed monitor.
async fn story(bed: &mut Bed, brake: &impl Brake) {
    diverge(bed).await;
    is_refused(bed).await;
    is_confirmed_and_planned(bed).await;
    brake.pull(bed).await;
    is_ended(bed, brake).await;
    let id = outlives_the_monitor(bed, brake).await;
    let operation = bed.api().ended(&id).await;
    is_whole(bed, &operation).await;

    // From the master, too, and over a healthy replica.
    let id = begin(bed, Some(0)).await;
    let operation = bed.api().ended(&id).await;
    is_whole(bed, &operation).await;
}

async fn is_confirmed_and_planned(bed: &Bed) {
    let (api, node) = (bed.api(), bed.address(NODE));
    let unconfirmed = CloneRequest { confirm: None, ..request(bed, None) };
    let refusal = problem(api.client().clone_node(CLUSTER, &node, unconfirmed).await);
    assert_eq!(refusal.reason.as_deref(), Some("not-confirmed"));
    let plan = api.client().plan_clone(CLUSTER, &node, request(bed, None)).await.unwrap();
    assert_eq!(plan.from, Some(bed.address(1)), "the standby gives, not the master");
    assert_eq!(plan.confirm, Some(node));
}

/// Nothing else is let in while a copy is under way; the operator ends it.
async fn is_ended(bed: &Bed, brake: &impl Brake) {
    let (api, node) = (bed.api(), bed.address(NODE));
    let id = begin(bed, None).await;
    brake.until_stopped(bed, &id).await;
    let busy = problem(api.client().switch(CLUSTER, switch_to(&bed.address(1)), None).await);
    assert_eq!(busy.reason.as_deref(), Some("busy"));
    api.client().abandon(CLUSTER, &id).await.unwrap();
    assert_eq!(api.ended(&id).await.outcome, OperationOutcome::Abandoned);
    brake.nothing_is_left(bed).await;
    let left = api.until_node(&node, "marked", |seen| {
        seen.cause.as_deref().is_some_and(|cause| cause.contains("copy due"))
    });
    assert_eq!(left.await.state, NodeState::Error);
}

/// The monitor dies beside a copy, and comes back when there is no brake any more.
async fn outlives_the_monitor(bed: &mut Bed, brake: &impl Brake) -> OperationId {
    let id = begin(bed, None).await;
    brake.until_stopped(bed, &id).await;
    bed.product.kill_monitord().await.unwrap();
    brake.release(bed).await;
    bed.product.start_monitord().await.unwrap();
    bed.api().until("the cluster", |now| now.master.is_some()).await;
    id
}
