//! The API of a monitor with one cluster, `main`.

use std::time::Duration;

use mysqlsvc_http::{
    client::{ApiClient, ApiError},
    wire::{
        ClusterDocument, NodeAction, NodeDocument, NodeState, OperationDocument, OperationId,
        OperationOutcome, PhaseName, Problem, Role, SwitchRequest,
    },
};
use tokio::time::{Instant, sleep};

use crate::LIMIT;

/// The cluster's name.
pub const CLUSTER: &str = "main";

/// Calls that must be answered, and waits on their answers.
#[derive(Debug, Clone)]
pub struct Api(ApiClient);

impl Api {
    /// The API of whoever serves it.
    pub fn new(client: &ApiClient) -> Self {
        Self(client.clone())
    }

    /// The typed client itself.
    pub fn client(&self) -> &ApiClient {
        &self.0
    }

    /// The cluster as it stands.
    pub async fn cluster(&self) -> ClusterDocument {
        self.0.cluster(CLUSTER).await.unwrap()
    }

    /// One node as it stands.
    pub async fn node(&self, node: &str) -> NodeDocument {
        self.0.node(CLUSTER, node).await.unwrap()
    }

    /// Waits until the cluster is as wanted. A monitor that is not there yet is waited for, too.
    pub async fn until(
        &self,
        what: &str,
        shows: impl Fn(&ClusterDocument) -> bool,
    ) -> ClusterDocument {
        let deadline = Instant::now() + LIMIT;
        loop {
            let seen = self.0.cluster(CLUSTER).await;
            match seen {
                Ok(cluster) if shows(&cluster) => return cluster,
                seen if Instant::now() >= deadline => panic!("never {what}; last {seen:#?}"),
                _ => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Waits until one node is as wanted.
    pub async fn until_node(
        &self,
        node: &str,
        what: &str,
        shows: impl Fn(&NodeDocument) -> bool,
    ) -> NodeDocument {
        let cluster = self.until(what, |now| find(now, node).is_some_and(&shows)).await;
        find(&cluster, node).unwrap().clone()
    }

    /// Waits until each of these nodes was looked at once.
    pub async fn until_seen(&self, nodes: &[String]) {
        let seen = |now: &ClusterDocument, node: &String| {
            find(now, node).is_some_and(|node| node.probed_at.is_some())
        };
        self.until("all nodes seen", |now| nodes.iter().all(|node| seen(now, node))).await;
    }

    /// Waits until every registered node is OK, nothing runs, and proxies may connect.
    pub async fn until_settled(&self) -> ClusterDocument {
        self.until("settled", |now| {
            let members = now.nodes.iter().filter(|node| node.role != Role::Unregistered);
            now.operation.is_none()
                && now.phase == PhaseName::Open
                && members.clone().count() > 0
                && members.clone().all(|node| node.state == NodeState::Ok)
        })
        .await
    }

    /// Registers a node, which must be granted.
    pub async fn register(&self, node: &str, role: Role) {
        let registered = self.0.register(CLUSTER, node, role).await.unwrap();
        assert_eq!(registered.role, role);
    }

    /// Registers the first as master, the second as standby, the rest as slaves.
    pub async fn register_all(&self, nodes: &[String]) {
        self.until_seen(nodes).await;
        let roles = [Role::Master, Role::Standby].into_iter().chain(std::iter::repeat(Role::Slave));
        for (node, role) in nodes.iter().zip(roles) {
            self.register(node, role).await;
        }
    }

    /// Asks to register a node, which must be refused.
    pub async fn register_refused(&self, node: &str, role: Role) -> Problem {
        problem(self.0.register(CLUSTER, node, role).await)
    }

    /// Does something to a node, which must be granted.
    pub async fn act(&self, node: &str, action: NodeAction) -> NodeDocument {
        self.0.act(CLUSTER, node, action).await.unwrap()
    }

    /// Asks for something, which must be refused.
    pub async fn act_refused(&self, node: &str, action: NodeAction) -> Problem {
        problem(self.0.act(CLUSTER, node, action).await)
    }

    /// Suspends what the monitor does on its own account, or lets it do so again.
    pub async fn maintenance(&self, on: bool) -> ClusterDocument {
        let cluster = self.0.maintenance(CLUSTER, on).await.unwrap();
        assert_eq!(cluster.maintenance, on);
        cluster
    }

    /// A switch, waited for to its end or for 50 s.
    pub async fn switch(&self, to: &str) -> OperationDocument {
        let wait = Some(Duration::from_secs(50));
        self.0.switch(CLUSTER, switch_to(to), wait).await.unwrap()
    }

    /// A switch that is only begun.
    pub async fn begin_switch(&self, to: &str) -> OperationId {
        self.0.switch(CLUSTER, switch_to(to), None).await.unwrap().id
    }

    /// Asks for a switch, which must be refused.
    pub async fn switch_refused(&self, to: &str) -> Problem {
        problem(self.0.switch(CLUSTER, switch_to(to), None).await)
    }

    /// Waits until a switch would be let in, and makes it; it must succeed and bring all along.
    pub async fn switch_succeeds(&self, to: &str) -> OperationDocument {
        self.until_node(to, "switchable", |node| allows(node, "switch")).await;
        let operation = self.switch(to).await;
        assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
        assert!(operation.left_behind.is_empty(), "{operation:#?}");
        assert!(operation.acks_missing.is_empty(), "{operation:#?}");
        operation
    }

    /// Waits for the end of an operation.
    pub async fn ended(&self, id: &OperationId) -> OperationDocument {
        let deadline = Instant::now() + LIMIT;
        loop {
            let seen = self.0.operation(CLUSTER, id).await;
            match seen {
                Ok(operation) if operation.outcome.is_final() => return operation,
                seen if Instant::now() >= deadline => panic!("never ended: {seen:#?}"),
                _ => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Waits until a step of the running operation is under way or over.
    pub async fn until_step(&self, id: &OperationId, step: &str) -> OperationDocument {
        let deadline = Instant::now() + LIMIT;
        loop {
            let seen = self.0.operation(CLUSTER, id).await.unwrap();
            if seen.steps.iter().any(|one| one.name == step) {
                return seen;
            }
            assert!(Instant::now() < deadline, "step {step} never begun: {seen:#?}");
            assert!(!seen.outcome.is_final(), "ended without step {step}: {seen:#?}");
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The request that asks for a switch and nothing special.
pub fn switch_to(to: &str) -> SwitchRequest {
    SwitchRequest { to: to.to_owned(), strategy: None, dry_run: false, confirm: None }
}

/// Whether an operation would be let in.
pub fn allows(node: &NodeDocument, operation: &str) -> bool {
    node.allowed.iter().any(|allowed| allowed.operation == operation && allowed.ok)
}

/// A node of a cluster.
pub fn find<'a>(cluster: &'a ClusterDocument, node: &str) -> Option<&'a NodeDocument> {
    cluster.nodes.iter().find(|one| one.addr == node)
}

/// The problem that an answer must be.
pub fn problem<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> Problem {
    match answer {
        Err(ApiError::Problem(problem)) => *problem,
        other => panic!("expected a problem, got {other:#?}"),
    }
}
