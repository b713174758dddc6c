//! Programs of the host: found, installed when we are root, and run with a time limit.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::error::SandboxError;

/// Directories searched beside `PATH`: a user's often lacks the ones for administrators.
const EXTRA: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where `program` is, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(EXTRA.iter().map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether we may do what only root may.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds `program`, installing the Debian packages that have it when we are root.
pub(crate) async fn ensure(program: &str, packages: &[&str]) -> Result<PathBuf, SandboxError> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    let missing = |why: String| SandboxError::MissingProgram {
        program: program.to_owned(),
        why,
        command: format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" ")),
    };
    if !is_root() {
        return Err(missing("only root may install it".into()));
    }
    let Some(apt) = find("apt-get") else {
        return Err(missing("this host has no apt-get".into()));
    };
    tracing::info!(?packages, "installing from Debian");
    install(&apt, packages).await.map_err(|error| missing(error.to_string()))?;
    find(program).ok_or_else(|| missing(format!("{} did not bring it", packages.join(" "))))
}

async fn install(apt: &Path, packages: &[&str]) -> Result<(), SandboxError> {
    const LIMIT: Duration = Duration::from_mins(10);
    let mut update = Command::new(apt);
    update.args(["-q", "update"]);
    run("apt-get update", update, LIMIT).await?;
    let mut command = Command::new(apt);
    command
        .args(["-q", "install", "-y", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&format!("apt-get install {}", packages.join(" ")), command, LIMIT).await.map(drop)
}

/// Runs a command to its end, within `limit`, and wants success.
pub(crate) async fn run(
    what: &str,
    mut command: Command,
    limit: Duration,
) -> Result<Output, SandboxError> {
    let failed = |detail: String| SandboxError::Command { what: what.to_owned(), detail };
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output())
        .await
        .map_err(|_| failed(format!("not done after {limit:?}")))?
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    let tail: Vec<&str> = said.lines().rev().take(15).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(failed(format!("{}\n{}", output.status, tail.join("\n"))))
}
