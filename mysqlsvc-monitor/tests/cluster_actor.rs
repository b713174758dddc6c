//! The actor on the model cluster, with the real store.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use mysqlsvc_core::{
    Flavor, NodeId, OperationId, Role, Settings,
    engine::{Answer, Reason, Request, Snapshot},
    journal::{Outcome, Progress},
    testing::World,
};
use mysqlsvc_monitor::{
    cluster::{self, AskError, ClusterError, ClusterHandle, Parts},
    config::{ClusterName, ProbeConfig},
    discovery::StaticList,
    publish::{Acknowledgement, ProxyMode},
    store::{OpenError, StateDirectory},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Far more than anything here takes: only a defect waits that long.
const LIMIT: Duration = Duration::from_secs(30);

struct Live {
    handle: ClusterHandle,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ClusterError>>,
}

impl Live {
    async fn start(world: &World, directory: &Path) -> Self {
        let name: ClusterName = "main".parse().unwrap();
        let parts = Parts {
            copies: mysqlsvc_monitor::mysql::copying::Copies::default(),
            settings: Settings::default(),
            probe: ProbeConfig::default(),
            discovery: Box::new(StaticList::new(world.nodes())),
            backend: world.clone(),
            advisor: Arc::new(BTreeMap::new()),
            store: open(directory).await.cluster(&name),
            name,
        };
        let stop = CancellationToken::new();
        let (handle, task) = cluster::start(parts, stop.clone(), LIMIT).await.unwrap();
        Self { handle, stop, task: tokio::spawn(task) }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap().unwrap();
    }

    /// The first snapshot that shows it.
    async fn until(&self, what: &str, shows: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut snapshots = self.handle.subscribe();
        let seen = tokio::time::timeout(LIMIT, snapshots.wait_for(|now| shows(now))).await;
        let Ok(seen) = seen else { panic!("never {what}: {:#?}", self.handle.snapshot()) };
        Snapshot::clone(&seen.unwrap())
    }

    async fn register(&self, node: NodeId, role: Role) {
        let answer = self.handle.ask("test", Request::Register { node: node.clone(), role }).await;
        assert_eq!(answer, Ok(Answer::Done { warnings: Vec::new() }));
        // What is granted is in the snapshot by the time of the answer.
        assert_eq!(roles(&self.handle.snapshot())[&node], role);
    }

    async fn register_all(&self, world: &World) {
        self.until("seen", |now| now.nodes.iter().filter(|n| n.look.is_some()).count() == 4).await;
        let roles = [Role::Master, Role::Standby, Role::Slave, Role::Slave];
        for (number, role) in (1..).zip(roles) {
            self.register(world.node(number), role).await;
        }
        self.until("all OK", |now| now.nodes.iter().all(|node| node.state.word() == "OK")).await;
    }

    async fn ended(&self, operation: OperationId) -> Outcome {
        let snapshot = self.until("ended", |now| outcome(now, operation).is_some()).await;
        outcome(&snapshot, operation).unwrap()
    }

    async fn switch(&self, to: NodeId) -> OperationId {
        match self.handle.ask("test", Request::switch(to)).await {
            Ok(Answer::Began(operation)) => operation,
            other => panic!("{other:?}"),
        }
    }
}

/// Effects of a task that was cut off may hold the directory for a moment longer.
async fn open(directory: &Path) -> StateDirectory {
    let opening = async {
        loop {
            match StateDirectory::open(directory) {
                Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    tokio::time::timeout(LIMIT, opening).await.unwrap()
}

fn outcome(snapshot: &Snapshot, operation: OperationId) -> Option<Outcome> {
    snapshot.operations.iter().find(|execution| execution.operation == operation).and_then(
        |execution| match execution.progress {
            Progress::Ended(outcome) => Some(outcome),
            _ => None,
        },
    )
}

fn roles(snapshot: &Snapshot) -> BTreeMap<NodeId, Role> {
    snapshot.nodes.iter().map(|node| (node.node.clone(), node.role)).collect()
}

#[tokio::test]
async fn a_cluster_is_registered_and_switched_and_proxies_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 4);
    let live = Live::start(&world, dir.path()).await;
    live.register_all(&world).await;
    let publisher = live.handle.publisher().clone();
    let mut routes = publisher.subscribe();
    let (one, two) = (world.node(1), world.node(2));
    let first = routes.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert_eq!(first.route().master.as_ref().map(|master| &master.node), Some(&one));

    let _stream = publisher.register("proxy", ProxyMode::Master);
    let operation = live.switch(two.clone()).await;
    let told = routes.wait_for(|route| route.as_ref().is_some_and(|r| r.hold().is_some())).await;
    let hold = told.unwrap().as_ref().and_then(|route| route.hold()).unwrap();
    assert_eq!(hold.operation, operation);
    let acknowledgement = Acknowledgement {
        proxy: "proxy".to_owned(),
        operation,
        ack_token: hold.ack_token,
        held: 0,
        active: 0,
    };
    publisher.acknowledge(&acknowledgement).unwrap();
    assert_eq!(live.ended(operation).await, Outcome::Succeeded);
    let last = publisher.latest().unwrap();
    assert!(last.hold().is_none());
    assert_eq!(last.route().master.as_ref().map(|master| &master.node), Some(&two));
    assert!(last.route().epoch > first.route().epoch);
    live.stop().await;
}

#[tokio::test]
async fn a_restart_knows_what_was_stored_and_publishes_a_higher_version() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MySql, 4);
    let live = Live::start(&world, dir.path()).await;
    live.register_all(&world).await;
    let routed = |now: &Snapshot| now.route.is_some();
    let before = live.until("routed", routed).await;
    live.stop().await;

    let live = Live::start(&world, dir.path()).await;
    let after = live.until("routed", routed).await;
    assert_eq!(roles(&after), roles(&before));
    let version = |snapshot: &Snapshot| snapshot.route.as_ref().map(|r| (r.epoch, r.version));
    assert!(version(&after) > version(&before));
    live.stop().await;
}

#[tokio::test]
async fn a_refusal_is_told_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 2);
    let live = Live::start(&world, dir.path()).await;
    let stranger: NodeId = "stranger:3306".parse().unwrap();
    let asked = live.handle.ask("test", Request::Unregister { node: stranger }).await;
    let Err(AskError::Refused(refusal)) = asked else { panic!("{asked:?}") };
    assert_eq!(refusal.reason, Reason::UnknownNode);
    live.stop().await;
}

#[tokio::test]
async fn a_cluster_that_has_stopped_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 2);
    let live = Live::start(&world, dir.path()).await;
    let handle = live.handle.clone();
    live.stop().await;
    let asked = handle.ask("test", Request::Unregister { node: world.node(1) }).await;
    assert_eq!(asked, Err(AskError::Stopping));
}

#[tokio::test]
async fn a_task_that_is_cut_off_in_a_switch_is_taken_up_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 4);
    let live = Live::start(&world, dir.path()).await;
    live.register_all(&world).await;
    // A proxy that never says that it holds keeps the switch waiting.
    let _stream = live.handle.publisher().register("silent", ProxyMode::Master);
    let operation = live.switch(world.node(2)).await;
    live.task.abort();
    assert!(live.task.await.unwrap_err().is_cancelled());

    let live = Live::start(&world, dir.path()).await;
    assert_eq!(live.ended(operation).await, Outcome::RolledBack);
    let all_ok = |now: &Snapshot| now.nodes.iter().all(|node| node.state.word() == "OK");
    let after = live.until("all OK", all_ok).await;
    assert_eq!(after.master, Some(world.node(1)));
    live.stop().await;
}

#[tokio::test]
async fn a_stop_lets_the_switch_under_way_end() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 4);
    let live = Live::start(&world, dir.path()).await;
    live.register_all(&world).await;
    let _stream = live.handle.publisher().register("silent", ProxyMode::Master);
    live.switch(world.node(2)).await;
    live.stop().await;

    let live = Live::start(&world, dir.path()).await;
    assert_eq!(live.handle.snapshot().master, Some(world.node(2)));
    live.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_after_the_pivot_was_asked_for_ends_the_task() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(Flavor::MariaDb, 4);
    let live = Live::start(&world, dir.path()).await;
    live.register_all(&world).await;
    let _stream = live.handle.publisher().register("silent", ProxyMode::Master);
    live.switch(world.node(2)).await;
    // While it waits for the proxy, someone else writes to the journal: no append of ours can
    // succeed any more, and what was not committed is undone unrecorded.
    someone_else_writes(dir.path());
    let ended = tokio::time::timeout(LIMIT, live.task).await.unwrap().unwrap();
    assert!(matches!(&ended, Err(ClusterError::Halted { .. })), "{ended:?}");
}

fn someone_else_writes(directory: &Path) {
    let database = rusqlite::Connection::open(directory.join("monitord.db")).unwrap();
    let inserted = database.execute(
        "INSERT INTO journal SELECT cluster, max(sequence) + 1, at, record FROM journal",
        [],
    );
    assert_eq!(inserted, Ok(1));
}
