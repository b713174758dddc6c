//! `POST /clusters/{c}/adopt`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mysqlsvc_core::engine::{Answer, Request};

use crate::{
    server::{
        ServerState,
        connection::Connection,
        documents::{adoption_document, cluster_document},
        extract::{Json as Body, Names},
        problem::{Failure, Kind},
    },
    wire::AdoptRequest,
};

/// A dry run answers 200 with what it would come to; else 200 with the cluster as it was taken up.
pub(super) async fn adopt(
    State(state): State<ServerState>,
    connection: Connection,
    Names(name): Names<String>,
    Body(AdoptRequest { dry_run, confirm }): Body<AdoptRequest>,
) -> Result<Response, Failure> {
    let cluster = state.cluster(&name)?;
    if !dry_run && confirm.as_deref() != Some(name.as_str()) {
        return Err(not_confirmed(&name, confirm.as_deref()));
    }
    match cluster.ask(connection.who(), Request::Adopt { dry_run }).await? {
        Answer::Adoptable(adoption) => {
            let (heard, ours) = (cluster.heard(), cluster.publisher().incarnation());
            Ok(Json(adoption_document(&adoption, heard.as_ref(), ours)).into_response())
        }
        Answer::Done { warnings } => {
            let mut document = cluster_document(&name, &cluster.snapshot());
            document.warnings = warnings.into_iter().map(|finding| finding.text).collect();
            Ok(Json(document).into_response())
        }
        Answer::Planned { .. } | Answer::Began(_) => {
            let detail = "the monitor answered an adoption with an operation; look at the cluster";
            Err(Failure::new(Kind::Unavailable, detail))
        }
    }
}

fn not_confirmed(name: &str, confirm: Option<&str>) -> Failure {
    let given = confirm.map_or_else(|| "is missing".to_owned(), |given| format!("is `{given}`"));
    let detail = format!(
        "all roles are taken anew from what the servers say: `confirm` must repeat the cluster's \
         name, `{name}`, and {given}; `dry_run` shows what it comes to"
    );
    Failure::new(Kind::NotAllowed, detail).because("not-confirmed")
}
