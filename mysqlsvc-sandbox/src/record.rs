//! What a sandbox says of itself: the JSON of `sandbox up`, kept as `sandbox.json`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    account::Accounts,
    error::{SandboxError, io_error},
    flavor::{Flavor, Runtime},
    guarded, home,
    node::Node,
    session,
};

/// A whole sandbox, in the form of CONTRACTS 1 with more fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The kind of servers.
    pub flavor: Flavor,
    /// The version that the servers name themselves.
    pub version: String,
    /// The servers.
    pub nodes: Vec<Node>,
    /// The accounts that all of them have.
    pub accounts: Accounts,
    /// Unique name of the sandbox; label of its containers and network.
    pub id: String,
    /// How the servers are run.
    pub runtime: Runtime,
    /// The directory that holds everything.
    pub dir: PathBuf,
    /// The docker network, if the servers run in containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

impl Description {
    /// Writes `sandbox.json` and `secret.conf`, readable for their owner alone.
    pub(crate) fn save(&self) -> Result<(), SandboxError> {
        let path = self.dir.join(home::RECORD);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| io_error("write", &path)(error.into()))?;
        home::write_private(&self.dir.join(home::SECRETS), &self.accounts.secret_conf())?;
        home::write_private(&path, &text)
    }

    /// Reads the record of the sandbox in `dir`.
    pub fn load(dir: &Path) -> Result<Self, SandboxError> {
        let not_ours = |problem: String| SandboxError::NotASandbox { dir: dir.to_owned(), problem };
        let text = fs::read_to_string(dir.join(home::RECORD))
            .map_err(|error| not_ours(format!("{}: {error}", home::RECORD)))?;
        let description: Self = serde_json::from_str(&text)
            .map_err(|error| not_ours(format!("{}: {error}", home::RECORD)))?;
        let real = |path: &Path| fs::canonicalize(path).ok();
        if real(dir).is_none() || real(dir) != real(&description.dir) {
            return Err(not_ours(format!("it was made as {}", description.dir.display())));
        }
        Ok(description)
    }
}

/// Ends the sandbox in `dir`, whoever made it, and removes all of it.
pub async fn take_down(dir: &Path) -> Result<(), SandboxError> {
    let Description { dir, id, runtime, .. } = Description::load(dir)?;
    Ok(guarded::spawn(&dir, &id, runtime)?.remove().await?)
}

/// How one server of a sandbox does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// The server.
    #[serde(flatten)]
    pub node: Node,
    /// Whether it let us in.
    pub up: bool,
    /// Its `read_only`, if it let us in.
    pub read_only: Option<bool>,
    /// Why it did not let us in.
    pub problem: Option<String>,
}

/// Looks at every server of the sandbox in `dir`, for at most 3 seconds, in the order of nodes.
pub async fn status(dir: &Path) -> Result<Vec<NodeStatus>, SandboxError> {
    let Description { nodes, accounts, .. } = Description::load(dir)?;
    let mut looks = JoinSet::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let root = accounts.root.clone();
        looks.spawn(async move {
            let limit = Duration::from_secs(3);
            let seen = match timeout(limit, session::read_only(index, &node, &root)).await {
                Ok(Ok(read_only)) => Ok(read_only),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {limit:?}")),
            };
            let (read_only, problem) = match seen {
                Ok(read_only) => (Some(read_only), None),
                Err(problem) => (None, Some(problem)),
            };
            (index, NodeStatus { node, up: read_only.is_some(), read_only, problem })
        });
    }
    let mut all = looks.join_all().await;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, status)| status).collect())
}
