//! MySQL without GTIDs: from where a server is let replicate, and when that is not known.

use mysql_async::{Row, prelude::Queryable as _};
use mysqlsvc_http::wire::{NodeAction, NodeDocument, NodeState, OperationOutcome, Problem, Role};
use mysqlsvc_sandbox::{Flavor, Node, Sandbox, SandboxBuilder};
use mysqlsvc_tests::{
    Monitord, Servers,
    api::{CLUSTER, problem},
    eventually,
    monitord::Setup,
};

/// Servers without GTIDs, a monitor that knows them, and where they are.
struct Scene {
    sandbox: Sandbox,
    monitord: Monitord,
    nodes: Vec<String>,
}

impl Scene {
    /// All registered, the first as the master.
    async fn registered(builder: SandboxBuilder) -> Self {
        let scene = Self::seen(builder).await;
        scene.monitord.api.register_all(&scene.nodes).await;
        scene
    }

    /// None registered yet; the first is open.
    async fn seen(builder: SandboxBuilder) -> Self {
        let sandbox = builder.flavor(Flavor::MySql).gtid(false).start().await.unwrap();
        Servers(&sandbox).run(0, "SET GLOBAL read_only = 0").await;
        let nodes: Vec<String> = sandbox.nodes().iter().map(Node::address).collect();
        let setup = Setup {
            probe: "interval = \"100ms\"".to_owned(),
            ..Setup::new(nodes.clone(), sandbox.accounts())
        };
        let monitord = Monitord::start(&setup).await;
        monitord.api.until_seen(&nodes).await;
        Self { sandbox, monitord, nodes }
    }

    fn servers(&self) -> Servers<'_> {
        Servers(&self.sandbox)
    }

    /// Where a server's own binary log ends.
    async fn end(&self, server: usize) -> String {
        let mut root = self.servers().root(server).await;
        let row: Option<Row> = root.query_first("SHOW BINARY LOG STATUS").await.unwrap();
        let row = row.expect("a binary log");
        let (log, offset): (String, u64) = (row.get("File").unwrap(), row.get("Position").unwrap());
        format!("{log}:{offset}")
    }

    async fn until_detached(&self, server: usize) {
        let is_detached = |node: &NodeDocument| node.state == NodeState::Detached;
        self.monitord.api.until_node(&self.nodes[server], "DETACHED", is_detached).await;
    }

    async fn activate_at(&self, server: usize, at: &str) -> NodeDocument {
        let client = self.monitord.api.client();
        client.activate(CLUSTER, &self.nodes[server], at.to_owned()).await.unwrap()
    }

    async fn activate_at_refused(&self, server: usize, at: &str) -> Problem {
        let client = self.monitord.api.client();
        problem(client.activate(CLUSTER, &self.nodes[server], at.to_owned()).await)
    }

    async fn refused(&self, server: usize, action: NodeAction) -> Problem {
        let refused = self.monitord.api.act_refused(&self.nodes[server], action).await;
        println!("{action:?}: {refused}");
        refused
    }

    /// Writes rows on the master, and sees each of them once on a replica.
    async fn replicates(&self, replica: usize) {
        let insert = "INSERT INTO app.t (s) VALUES ('x'), ('y'); ";
        self.servers().run(0, insert).await;
        self.servers().run(0, insert).await;
        self.same_rows(replica).await;
        self.monitord.api.until_settled().await;
    }

    async fn same_rows(&self, replica: usize) {
        let ask = "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(v), 0)) FROM app.t";
        let master = self.servers().ask(0, ask).await;
        eventually("the rows", async || {
            (self.servers().ask(replica, ask).await == master).then_some(())
        })
        .await;
    }

    /// Nobody is in a transaction without a GTID any more.
    async fn none_anonymous(&self) {
        let ask = "SELECT VARIABLE_VALUE FROM performance_schema.global_status \
                   WHERE VARIABLE_NAME = 'ONGOING_ANONYMOUS_TRANSACTION_COUNT'";
        for server in 0..self.nodes.len() {
            eventually("no anonymous transaction", async || {
                (self.servers().ask(server, ask).await == "0").then_some(())
            })
            .await;
        }
    }

    async fn down(self) {
        self.sandbox.down().await.unwrap();
    }
}

const TABLE: &str = "CREATE TABLE app.t (v INT PRIMARY KEY AUTO_INCREMENT, s TEXT)";

/// The same table on servers that do not replicate.
async fn table_on_each(scene: &Scene) {
    for server in 0..scene.nodes.len() {
        scene.servers().run_unlogged(server, &[TABLE]).await;
    }
}

#[tokio::test]
async fn mysql_by_position_a_detached_server_goes_on_where_it_was_though_restarted() {
    let scene = Scene::registered(Sandbox::builder().nodes(2).wire(true)).await;
    let api = &scene.monitord.api;
    scene.servers().run(0, TABLE).await;
    scene.replicates(1).await;
    api.act(&scene.nodes[1], NodeAction::Detach).await;
    scene.until_detached(1).await;
    let end = scene.end(1).await;
    scene.servers().run(0, "INSERT INTO app.t (s) VALUES ('missed')").await;
    // Each begins a new file, and nothing is written.
    scene.servers().run(1, "FLUSH BINARY LOGS").await;
    scene.sandbox.kill(1).await.unwrap();
    scene.sandbox.restart(1).await.unwrap();
    scene.sandbox.stop(1).await.unwrap();
    scene.sandbox.restart(1).await.unwrap();
    assert_ne!(scene.end(1).await, end, "its log did not move");
    scene.servers().run(0, "FLUSH BINARY LOGS").await;
    scene.until_detached(1).await;

    api.act(&scene.nodes[1], NodeAction::Activate).await;

    scene.replicates(1).await;
    let end = Some(scene.end(1).await);
    let node = api.until_node(&scene.nodes[1], "its end", |node| node.binlog_end == end).await;
    assert!(node.gtid_executed.unwrap().contains(" binlog.0"));
    scene.down().await;
}

#[tokio::test]
async fn mysql_by_position_own_writes_forbid_it_until_somebody_says_what_they_are() {
    let scene = Scene::registered(Sandbox::builder().nodes(2).wire(true)).await;
    scene.servers().run(0, TABLE).await;
    scene.replicates(1).await;
    scene.monitord.api.act(&scene.nodes[1], NodeAction::Detach).await;
    scene.until_detached(1).await;
    let end = scene.end(0).await;
    // Harmless, but written to its log, which nobody can tell from any other write.
    scene.servers().run(1, "FLUSH TABLES").await;

    let refused = scene.refused(1, NodeAction::Activate).await;

    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("errant")), "{refused}");
    scene.activate_at(1, &end).await;
    scene.replicates(1).await;
    scene.down().await;
}

#[tokio::test]
async fn mysql_by_position_a_place_must_be_known_or_given() {
    let scene = Scene::registered(Sandbox::builder().nodes(2)).await;
    table_on_each(&scene).await;
    scene.until_detached(1).await;
    let at = scene.end(0).await;
    scene.servers().run(0, "INSERT INTO app.t (s) VALUES ('only behind it')").await;
    let before = scene.servers().pictures().await;

    let unknown = scene.refused(1, NodeAction::Activate).await;
    assert_eq!(unknown.status, 422, "{unknown}");
    assert!(unknown.detail.contains("--at FILE:OFFSET"), "{unknown}");
    let beyond = scene.activate_at_refused(1, "binlog.000099:4").await;
    assert_eq!((beyond.status, beyond.reason.as_deref()), (422, Some("beyond-source")));
    let wrong = scene.activate_at_refused(1, "binlog:4").await;
    assert_eq!(wrong.status, 400, "{wrong}");
    assert!(wrong.detail.contains("`at`"), "{wrong}");
    let (log, offset) = at.rsplit_once(':').unwrap();
    let inside = format!("{log}:{}", offset.parse::<u64>().unwrap() + 1);
    let middle = scene.activate_at_refused(1, &inside).await;
    assert!(middle.detail.contains("no transaction begins at"), "{middle}");
    assert_eq!(scene.servers().pictures().await, before);

    scene.activate_at(1, &at).await;
    scene.replicates(1).await;
    scene.down().await;
}

#[tokio::test]
async fn mysql_by_position_a_place_that_was_purged_is_refused() {
    let scene = Scene::registered(Sandbox::builder().nodes(2)).await;
    table_on_each(&scene).await;
    let at = scene.end(0).await;
    scene.servers().run(0, "INSERT INTO app.t (s) VALUES ('purged')").await;
    scene.servers().run(0, "FLUSH BINARY LOGS").await;
    let end = scene.end(0).await;
    let (newest, _) = end.rsplit_once(':').unwrap();
    scene.servers().run(0, &format!("PURGE BINARY LOGS TO '{newest}'")).await;

    let refused = scene.activate_at_refused(1, &at).await;

    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("purged")), "{refused}");
    scene.down().await;
}

#[tokio::test]
async fn mysql_by_position_what_needs_gtids_is_refused() {
    let scene = Scene::seen(Sandbox::builder().nodes(3).wire(true)).await;
    let api = &scene.monitord.api;
    api.register(&scene.nodes[0], Role::Master).await;
    for mode in ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"] {
        scene.servers().run(2, &format!("SET GLOBAL gtid_mode = {mode}")).await;
    }
    let mixed = api.register_refused(&scene.nodes[2], Role::Slave).await;
    println!("{mixed}");
    assert_eq!(mixed.status, 422, "{mixed}");
    for mode in ["ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"] {
        scene.servers().run(2, &format!("SET GLOBAL gtid_mode = {mode}")).await;
    }
    api.register(&scene.nodes[1], Role::Standby).await;
    api.register(&scene.nodes[2], Role::Slave).await;
    api.until_settled().await;

    let mutual = scene.refused(0, NodeAction::Activate).await;
    assert!(mutual.detail.contains("by position"), "{mutual}");
    let request = mysqlsvc_http::wire::SwitchRequest {
        to: scene.nodes[1].clone(),
        strategy: Some(mysqlsvc_http::wire::Strategy::Availability),
        dry_run: false,
        confirm: Some(scene.nodes[1].clone()),
    };
    let availability = problem(api.client().switch(CLUSTER, request, None).await);
    assert!(availability.detail.contains("by position"), "{availability}");
    let operation = api.switch_succeeds(&scene.nodes[2]).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded);
    scene.down().await;
}

/// The way that the handbook gives: step by step on all servers, then adopted anew.
#[tokio::test]
async fn mysql_by_position_a_cluster_moves_to_gtids_while_it_works() {
    let scene = Scene::registered(Sandbox::builder().nodes(2).wire(true)).await;
    let (api, servers) = (&scene.monitord.api, scene.servers());
    servers.run(0, TABLE).await;
    scene.replicates(1).await;
    api.maintenance(true).await;
    for mode in ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"] {
        scene.same_rows(1).await;
        scene.none_anonymous().await;
        for server in [1, 0] {
            servers.run(server, &format!("SET GLOBAL gtid_mode = {mode}")).await;
        }
        let cluster = api.cluster().await;
        let states: Vec<_> = cluster.nodes.iter().map(|it| (it.state, it.cause.clone())).collect();
        println!("{mode}: {:?}, {states:?}", cluster.phase);
        servers.run(0, "INSERT INTO app.t (s) VALUES ('x')").await;
    }
    scene.same_rows(1).await;
    servers.run(1, "STOP REPLICA").await;
    servers.run(1, "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1").await;
    servers.run(1, "START REPLICA").await;

    api.client().adopt(CLUSTER).await.unwrap();
    api.maintenance(false).await;

    scene.replicates(1).await;
    assert_eq!(api.node(&scene.nodes[1]).await.binlog_end, None);
    let operation = api.switch_succeeds(&scene.nodes[1]).await;
    assert_eq!(operation.outcome, OperationOutcome::Succeeded);
    scene.down().await;
}
