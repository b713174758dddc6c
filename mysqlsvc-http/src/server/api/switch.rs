//! `POST /clusters/{c}/switch`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mysqlsvc_core::{
    NodeId,
    engine::{Answer, Request},
};
use serde::Deserialize;

use super::operations::accepted;
use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::{asked_strategy, operation_document, plan_document},
        extract::{Arguments, Json as Body, Names, node_id},
        problem::{Failure, Kind},
        waiting::Watched,
    },
    wire::SwitchRequest,
};

/// The longest `wait`; a client that wants to wait longer asks for the operation again.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    #[serde(default)]
    wait: Option<String>,
}

/// A dry run answers 200 with the plan; else 202 with the operation, at once or at its end.
pub(super) async fn switch(
    State(state): State<ServerState>,
    connection: Connection,
    Names(name): Names<String>,
    Arguments(query): Arguments<WaitQuery>,
    Body(body): Body<SwitchRequest>,
) -> Result<Response, Failure> {
    let wait = wait(&query)?;
    let cluster = state.cluster(&name)?;
    let request = asked(&body)?;
    let mut watched = Watched::new(cluster.subscribe(), connection.shutdown.clone());
    let id = match cluster.ask(connection.who(), request).await? {
        Answer::Planned { plan, warnings } => {
            let mut document = plan_document(&plan);
            document.warnings = warnings.into_iter().map(|finding| finding.text).collect();
            return Ok(Json(document).into_response());
        }
        Answer::Began(id) => id,
        Answer::Done { .. } | Answer::Adoptable(_) => return Err(unexpected()),
    };
    let Some(execution) = watched.operation(id, wait).await else {
        let detail = format!(
            "operation {id} was begun, but is not shown yet; GET \
             /api/v1/clusters/{name}/operations/{id} in a moment"
        );
        return Err(Failure::new(Kind::Unavailable, detail));
    };
    let document = Json(operation_document(&name, &execution));
    Ok(accepted(&name, id, document))
}

fn asked(body: &SwitchRequest) -> Result<Request, Failure> {
    let to = node_id("to", &body.to)?;
    let confirm = body.confirm.as_ref().map(|confirm| confirmed(&to, confirm)).transpose()?;
    let strategy = body.strategy.map(asked_strategy).unwrap_or_default();
    Ok(Request::Switch { to, strategy, confirm, dry_run: body.dry_run })
}

fn confirmed(to: &NodeId, confirm: &str) -> Result<NodeId, Failure> {
    let confirmed = node_id("confirm", confirm)?;
    if confirmed == *to {
        return Ok(confirmed);
    }
    let detail = format!("`confirm` is `{confirm}`; it must repeat `to`, `{to}`");
    Err(Failure::malformed(detail).because("confirm-mismatch"))
}

/// No time, where no wait is asked for.
fn wait(query: &WaitQuery) -> Result<Duration, Failure> {
    let Some(text) = &query.wait else {
        return Ok(Duration::ZERO);
    };
    match humantime::parse_duration(text) {
        Ok(wait) if wait <= LONGEST_WAIT => Ok(wait),
        Ok(_) => Err(Failure::malformed(format!(
            "`wait` is `{text}`; at most {} s",
            LONGEST_WAIT.as_secs()
        ))),
        Err(error) => Err(Failure::malformed(format!(
            "`wait` is `{text}`: {error}; expected a duration such as 30s or 500ms"
        ))),
    }
}

fn unexpected() -> Failure {
    Failure::new(
        Kind::Unavailable,
        "the monitor answered a switch without beginning one; look at the operations",
    )
}
