//! Images of servers with an initialised data directory: found, or made once for this host.

mod debian;
mod official;
mod recipe;

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use self::debian::Debian;
pub(crate) use self::recipe::Recipe;
use crate::{
    docker::Docker,
    error::{SandboxError, io_error},
    guard::{Guard, Program, Ward},
    home,
};

const VERSION_LABEL: &str = "mysqlsvc.server-version";
/// What runs with a path below the working directory as an argument; all else ends with these.
const BUILDERS: [Program; 3] = [
    Program { name: "unshare", option: "" },
    Program { name: "tar", option: "" },
    Program { name: "docker", option: "" },
];
const BUILD_LIMIT: Duration = Duration::from_mins(15);

/// The version of the server in the image, which is made first if it is not there: from the
/// official image, here or in a registry, else from Debian packages, about 40 seconds.
pub(crate) async fn ensure(docker: &Docker, recipe: &Recipe) -> Result<String, SandboxError> {
    if let Some(version) = find(docker, recipe).await? {
        return Ok(version);
    }
    let _lock = lock(docker).await?;
    // Another process may have made it while we waited.
    if let Some(version) = find(docker, recipe).await? {
        return Ok(version);
    }
    tracing::info!("making the image {recipe}, once for this host");
    let id = home::new_id();
    // Not below /tmp, which many hosts mount without device files.
    let dir = PathBuf::from(format!("/var/tmp/mysqlsvc-sandbox-image-{id}"));
    let guard = Guard::spawn(&Ward {
        dir: &dir,
        id: &id,
        marker: home::MARKER,
        programs: &BUILDERS,
        docker: true,
    })?;
    home::create(&dir, &id)?;
    if official::is_there(docker, recipe).await {
        official::build_on(docker, recipe, &id).await?;
    } else {
        Debian::new(docker, recipe, &dir).build().await?;
    }
    guard.remove().await?;
    let version = find(docker, recipe).await?;
    version.ok_or_else(|| failed(format!("{recipe} is not there after it was made")))
}

async fn find(docker: &Docker, recipe: &Recipe) -> Result<Option<String>, SandboxError> {
    let image = recipe.to_string();
    if docker.run(&["images", "-q", &image]).await?.is_empty() {
        return Ok(None);
    }
    let format = format!("{{{{index .Config.Labels {VERSION_LABEL:?}}}}}");
    docker.run(&["image", "inspect", "--format", &format, &image]).await.map(Some)
}

/// Lets one process at a time make an image. The lock is on the docker client's own file, which
/// is on every host and leaves nothing behind.
async fn lock(docker: &Docker) -> Result<File, SandboxError> {
    let path = docker.program();
    let file = File::open(path).map_err(io_error("open", path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
            Err(TryLockError::WouldBlock) if begun.elapsed() > BUILD_LIMIT => {
                return Err(failed("another process has been at it for too long".to_owned()));
            }
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// `9.7.4` out of `mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))`, `11.8.6` out of `mariadbd
/// Ver 11.8.6-MariaDB-0+deb13u1 from Debian`.
fn version_in(said: &str) -> Result<String, SandboxError> {
    said.lines()
        .last()
        .and_then(|line| line.split_once("Ver "))
        .map(|(_, rest)| rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect())
        .filter(|version: &String| !version.is_empty())
        .ok_or_else(|| failed(format!("the server did not name its version: {said}")))
}

fn failed(detail: String) -> SandboxError {
    SandboxError::Command { what: "making an image of a server".into(), detail }
}
