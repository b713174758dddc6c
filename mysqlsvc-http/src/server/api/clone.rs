//! `POST /clusters/{c}/nodes/{addr}/clone`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mysqlsvc_core::engine::{Answer, Request};

use super::{nodes::Place, operations::accepted};
use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::{operation_document, plan_document},
        extract::{Json as Body, Names, node_id},
        problem::{Failure, Kind},
    },
    wire::CloneRequest,
};

/// A dry run answers 200 with the plan; else 202 with the operation, which may take hours.
pub(super) async fn clone(
    State(state): State<ServerState>,
    connection: Connection,
    Names(names): Names<(String, String)>,
    Body(body): Body<CloneRequest>,
) -> Result<Response, Failure> {
    let place = Place::of(&state, names)?;
    let address = |field, given: &Option<String>| {
        given.as_deref().map(|given| node_id(field, given)).transpose()
    };
    let (donor, confirm) = (address("donor", &body.donor)?, address("confirm", &body.confirm)?);
    if confirm.as_ref().is_some_and(|confirm| *confirm != place.node) {
        let detail = format!("`confirm` must repeat the address of the node, `{}`", place.node);
        return Err(Failure::malformed(detail).because("confirm-mismatch"));
    }
    let mut watched = place.watch(&state, &connection)?;
    let node = place.node.clone();
    let request = Request::Clone { node, donor, confirm, dry_run: body.dry_run };
    let id = match place.ask(&state, &connection, request).await? {
        Answer::Planned { plan, warnings } => {
            let mut document = plan_document(&plan);
            document.warnings = warnings.into_iter().map(|finding| finding.text).collect();
            return Ok(Json(document).into_response());
        }
        Answer::Began(id) => id,
        Answer::Done { .. } | Answer::Adoptable(_) => {
            let detail =
                "the monitor answered a clone without beginning one; look at the operations";
            return Err(Failure::new(Kind::Unavailable, detail));
        }
    };
    let Some(execution) = watched.operation(id, Duration::ZERO).await else {
        let detail = format!("operation {id} was begun, but is not shown yet; look in a moment");
        return Err(Failure::new(Kind::Unavailable, detail));
    };
    let document = Json(operation_document(&place.cluster, &execution));
    Ok(accepted(&place.cluster, id, document))
}
