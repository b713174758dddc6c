//! An image made from that of the server's makers.

use std::time::Duration;

use super::{BUILD_LIMIT, Recipe, VERSION_LABEL, version_in};
use crate::{
    docker::{Docker, LABEL},
    error::SandboxError,
};

/// Whether the official image is here, or could be pulled.
pub(super) async fn is_there(docker: &Docker, recipe: &Recipe) -> bool {
    let official = recipe.official;
    if docker.run(&["images", "-q", official]).await.is_ok_and(|id| !id.is_empty()) {
        return true;
    }
    let limit = Duration::from_mins(5);
    match docker.run_for(limit, &["pull", "-q", official]).await {
        Ok(_) => true,
        Err(error) => {
            let suite = recipe.suite;
            tracing::info!(%error, "no registry has {official}; building from Debian {suite}");
            false
        }
    }
}

/// Makes the image in a container of the official one, which has the label of `id`.
pub(super) async fn build_on(
    docker: &Docker,
    recipe: &Recipe,
    id: &str,
) -> Result<(), SandboxError> {
    let container = format!("mysqlsvc-sandbox-{id}-init");
    let label = format!("{LABEL}={id}");
    #[rustfmt::skip]
    let said = docker.run_for(BUILD_LIMIT, &[
        "run", "--name", &container, "--label", &label, "--network", "none", "--user", "0",
        "--entrypoint", "sh", recipe.official, "-c", recipe.init,
    ]).await?;
    let version = format!("LABEL {VERSION_LABEL}={}", version_in(&said)?);
    // The label that would let the guard remove containers of the finished image.
    let unlabel = format!("LABEL {LABEL}=");
    let image = recipe.to_string();
    docker
        .run(&["commit", "--change", &version, "--change", &unlabel, &container, &image])
        .await
        .map(drop)
}
