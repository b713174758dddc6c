//! An image built from Debian packages alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use super::{BUILD_LIMIT, Recipe, VERSION_LABEL, version_in};
use crate::{
    apt,
    docker::Docker,
    error::{SandboxError, io_error},
    tools,
};

/// What no server needs, below the root.
const BALLAST: [&str; 5] =
    ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"];

pub(super) struct Debian<'a> {
    docker: &'a Docker,
    recipe: &'a Recipe,
    root: PathBuf,
    archive: PathBuf,
}

impl<'a> Debian<'a> {
    /// Works in `dir`, which is there and stays.
    pub(super) fn new(docker: &'a Docker, recipe: &'a Recipe, dir: &Path) -> Self {
        Self { docker, recipe, root: dir.join("root"), archive: dir.join("root.tar") }
    }

    pub(super) async fn build(&self) -> Result<(), SandboxError> {
        let Recipe { official, suite, packages, init, .. } = self.recipe;
        if !tools::is_root() {
            return Err(SandboxError::MissingProgram {
                program: format!("the image {}", self.recipe),
                why: format!("{official} cannot be pulled, and only root can build it"),
                command: format!("docker pull {official}, or this command once as root"),
            });
        }
        let debootstrap = tools::ensure("debootstrap", &["debootstrap"]).await?;
        let mut bootstrap = isolated(&debootstrap);
        bootstrap
            .args(["--variant=minbase", &format!("--include={packages}"), suite])
            .arg(&self.root)
            .arg(apt::mirror());
        tools::run("debootstrap", bootstrap, BUILD_LIMIT).await?;
        for ballast in BALLAST {
            let path = self.root.join(ballast);
            fs::remove_dir_all(&path).map_err(io_error("remove", path))?;
        }
        let said = self.inside("initialising the data directory", init).await?;
        self.import(&version_in(&said)?).await
    }

    async fn inside(&self, what: &str, script: &str) -> Result<String, SandboxError> {
        let mut command = isolated(Path::new("chroot"));
        command.arg(&self.root).args(["/bin/sh", "-c", script]).env("LC_ALL", "C.UTF-8");
        let output = tools::run(what, command, BUILD_LIMIT).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn import(&self, version: &str) -> Result<(), SandboxError> {
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&self.root).arg("-cf").arg(&self.archive).args([
            "--one-file-system",
            "--numeric-owner",
            ".",
        ]);
        tools::run("packing the image", tar, BUILD_LIMIT).await?;
        let mut import = Command::new(self.docker.program());
        import
            .args(["import", "--change", &format!("LABEL {VERSION_LABEL}={version}")])
            .arg(&self.archive)
            .arg(self.recipe.to_string());
        tools::run("docker import", import, BUILD_LIMIT).await.map(drop)
    }
}

/// A command in namespaces of its own: whatever it starts or mounts ends with it, even by a kill.
fn isolated(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(program)
        .current_dir("/");
    command
}
