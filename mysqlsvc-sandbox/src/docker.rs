//! The docker command line: networks, images and what testcontainers cannot do to a container.

use std::{path::PathBuf, time::Duration};

use tokio::process::Command;

use crate::{error::SandboxError, tools};

/// Label of everything that belongs to one sandbox; the value is its id. The guard knows it too.
pub(crate) const LABEL: &str = "mysqlsvc.sandbox";

const LIMIT: Duration = Duration::from_mins(1);

/// The docker client, whose daemon has answered.
#[derive(Debug, Clone)]
pub(crate) struct Docker {
    program: PathBuf,
}

impl Docker {
    /// Finds the client and asks the daemon for its version.
    pub(crate) async fn find() -> Result<Self, SandboxError> {
        let program = tools::find("docker").ok_or_else(|| SandboxError::MissingProgram {
            program: "docker".into(),
            why: "servers are to run in containers".into(),
            command: "sudo apt-get install -y docker.io".into(),
        })?;
        let docker = Self { program };
        match docker.run(&["version", "--format", "{{.Server.Version}}"]).await {
            Ok(_) => Ok(docker),
            Err(SandboxError::Command { detail, .. }) => {
                let detail = detail.lines().last().unwrap_or_default().to_owned();
                Err(SandboxError::DockerUnavailable { detail })
            }
            Err(other) => Err(other),
        }
    }

    /// Where the client is.
    pub(crate) fn program(&self) -> &PathBuf {
        &self.program
    }

    /// Runs `docker ARGUMENTS` within a minute; its standard output without the last newline.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String, SandboxError> {
        self.run_for(LIMIT, arguments).await
    }

    /// The same within `limit`.
    pub(crate) async fn run_for(
        &self,
        limit: Duration,
        arguments: &[&str],
    ) -> Result<String, SandboxError> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        // Neither the arguments nor the output of these commands carry secrets.
        let what = format!("docker {}", arguments.first().unwrap_or(&""));
        let output = tools::run(&what, command, limit).await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}
