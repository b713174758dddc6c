//! One node, and what may be done to it.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mysqlsvc_core::{
    NodeId, OperationId, Role, WallTime,
    engine::{Answer, Request},
    gtid::Coordinate,
    journal::{Execution, Outcome, Progress},
};

use super::operations::accepted;
use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::node_document,
        extract::{Json as Body, MaybeJson, Names, NoArguments, node_id},
        problem::{Failure, Kind},
        waiting::{self, Watched},
    },
    wire::{self, ActivateRequest, NodeDocument, RegisterRequest},
};

/// How long an operation on a node is waited for before the answer is that it was begun.
const OPERATION: Duration = Duration::from_secs(30);

/// A node of a cluster, both known.
pub(super) struct Place {
    pub(super) cluster: String,
    pub(super) node: NodeId,
}

impl Place {
    pub(super) fn of(
        state: &ServerState,
        (cluster, node): (String, String),
    ) -> Result<Self, Failure> {
        let snapshot = state.cluster(&cluster)?.snapshot();
        let node = node_id("node", &node)?;
        let place = Self { cluster, node };
        if waiting::node(&snapshot, &place.node).is_none() {
            return Err(place.unknown());
        }
        Ok(place)
    }

    fn unknown(&self) -> Failure {
        let detail = format!(
            "cluster `{}` has no node {}; GET /api/v1/clusters/{} lists its nodes",
            self.cluster, self.node, self.cluster
        );
        Failure::new(Kind::UnknownNode, detail).because("unknown-node")
    }

    pub(super) fn watch(
        &self,
        state: &ServerState,
        connection: &Connection,
    ) -> Result<Watched, Failure> {
        let snapshots = state.cluster(&self.cluster)?.subscribe();
        Ok(Watched::new(snapshots, connection.shutdown.clone()))
    }

    pub(super) async fn ask(
        &self,
        state: &ServerState,
        connection: &Connection,
        request: Request,
    ) -> Result<Answer, Failure> {
        let cluster = state.cluster(&self.cluster)?;
        Ok(cluster.ask(connection.who(), request).await?)
    }
}

pub(super) async fn one(
    State(state): State<ServerState>,
    Names(names): Names<(String, String)>,
) -> Result<Json<NodeDocument>, Failure> {
    let place = Place::of(&state, names)?;
    let snapshot = state.cluster(&place.cluster)?.snapshot();
    let node = waiting::node(&snapshot, &place.node).ok_or_else(|| place.unknown())?;
    Ok(Json(node_document(node)))
}

pub(super) async fn register(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    Body(body): Body<RegisterRequest>,
) -> Result<Json<NodeDocument>, Failure> {
    let role = match body.role {
        wire::Role::Master => Role::Master,
        wire::Role::Standby => Role::Standby,
        wire::Role::Slave => Role::Slave,
        wire::Role::Unregistered => {
            let detail = "`role` is `unregistered`; expected master, standby or slave \
                          (unregister is a call of its own)";
            return Err(Failure::malformed(detail));
        }
    };
    let place = Place::of(&state, names)?;
    let mut watched = place.watch(&state, &connection)?;
    let node = place.node.clone();
    let answer = place.ask(&state, &connection, Request::Register { node, role }).await?;
    let shows = |role_now: Option<Role>| role_now == Some(role);
    let mut document = place.when(&mut watched, shows).await?;
    if let Answer::Done { warnings } = answer {
        document.warnings = warnings.into_iter().map(|finding| finding.text).collect();
    }
    Ok(Json(document))
}

pub(super) async fn unregister(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    _: NoArguments,
) -> Result<Json<NodeDocument>, Failure> {
    let place = Place::of(&state, names)?;
    let mut watched = place.watch(&state, &connection)?;
    let before = watched.now();
    let node = place.node.clone();
    place.ask(&state, &connection, Request::Unregister { node }).await?;
    let shows = |role: Option<Role>| role.is_none_or(|role| role == Role::Unregistered);
    match place.when(&mut watched, shows).await {
        Ok(document) => Ok(Json(document)),
        // Nothing names it any more: this is the last that was known.
        Err(gone) => {
            let last = waiting::node(&before, &place.node).ok_or(gone)?;
            Ok(Json(NodeDocument {
                role: wire::Role::Unregistered,
                state: wire::NodeState::Unregistered,
                cause: None,
                allowed: Vec::new(),
                ..node_document(last)
            }))
        }
    }
}

/// Lets it replicate from the master; the master from its standby.
pub(super) async fn activate(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    MaybeJson(body): MaybeJson<ActivateRequest>,
) -> Result<Response, Failure> {
    let at = body.at.as_deref().map(str::parse::<Coordinate>).transpose();
    let at = at.map_err(|error| Failure::malformed(format!("`at`: {error}")))?;
    operate(&state, &connection, names, |node| Request::Activate { node, at }).await
}

/// Lets it forget its source; the master its standby.
pub(super) async fn detach(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    _: NoArguments,
) -> Result<Response, Failure> {
    operate(&state, &connection, names, |node| Request::Detach { node }).await
}

/// Stops its replication; the master takes no writes.
pub(super) async fn pause(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    _: NoArguments,
) -> Result<Response, Failure> {
    operate(&state, &connection, names, |node| Request::Pause { node }).await
}

/// Takes a pause back.
pub(super) async fn resume(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    _: NoArguments,
) -> Result<Response, Failure> {
    operate(&state, &connection, names, |node| Request::Resume { node }).await
}

/// 200 with the node when it is done, a problem when it was taken back, 202 when it takes longer.
async fn operate(
    state: &ServerState,
    connection: &Connection,
    names: (String, String),
    request: impl FnOnce(NodeId) -> Request,
) -> Result<Response, Failure> {
    let place = Place::of(state, names)?;
    let mut watched = place.watch(state, connection)?;
    let answer = place.ask(state, connection, request(place.node.clone())).await?;
    let Answer::Began(id) = answer else {
        let document = place.when(&mut watched, |_| true).await?;
        return Ok(Json(document).into_response());
    };
    let execution = watched.operation(id, OPERATION).await;
    let ended = execution.as_ref().and_then(|execution| execution.ended);
    let document = Json(place.when_looked_since(&mut watched, ended).await?);
    match execution.as_ref().map(|execution| execution.progress) {
        Some(Progress::Ended(Outcome::Succeeded)) => Ok(document.into_response()),
        Some(Progress::Ended(Outcome::RolledBack)) => Err(failed(id, execution.as_ref())),
        _ => Ok(accepted(&place.cluster, id, document)),
    }
}

fn failed(id: OperationId, execution: Option<&Execution>) -> Failure {
    let why = execution
        .and_then(Execution::failure)
        .map_or_else(|| "no reason is known".to_owned(), ToString::to_string);
    let detail = format!("operation {id} was rolled back: {why}");
    Failure::new(Kind::OperationFailed, detail).because("rolled-back")
}

impl Place {
    /// The node as it was seen after a moment: what was seen before shows nothing of it.
    async fn when_looked_since(
        &self,
        watched: &mut Watched,
        moment: Option<WallTime>,
    ) -> Result<NodeDocument, Failure> {
        let snapshot = watched
            .until_visible(|now| {
                let look = waiting::node(now, &self.node).and_then(|node| node.look.as_ref());
                look.is_some_and(|look| Some(look.begun.wall) >= moment)
            })
            .await;
        waiting::node(&snapshot, &self.node).map(node_document).ok_or_else(|| self.unknown())
    }

    /// The node once its role is as it should be by now, or as it is when that does not show.
    async fn when(
        &self,
        watched: &mut Watched,
        shows: impl Fn(Option<Role>) -> bool + Send + Sync,
    ) -> Result<NodeDocument, Failure> {
        let snapshot = watched
            .until_visible(|now| shows(waiting::node(now, &self.node).map(|node| node.role)))
            .await;
        waiting::node(&snapshot, &self.node).map(node_document).ok_or_else(|| self.unknown())
    }
}
