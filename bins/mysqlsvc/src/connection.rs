//! The monitor that is talked to.

use std::{fs, time::Duration};

use mysqlsvc_http::{client::ApiClient, wire::ClusterDocument};

use crate::{
    args::Global,
    failure::Failure,
    names::{choose_cluster, choose_node},
    output::Output,
};

/// How long one call may take. Registering inspects a server, within limits of its own.
const LIMIT: Duration = Duration::from_secs(40);

/// A monitor, the cluster meant, and where to print.
pub(crate) struct Connection {
    pub(crate) client: ApiClient,
    pub(crate) out: Output,
    cluster: Option<String>,
}

impl Connection {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let mut client = ApiClient::new(global.url.clone(), LIMIT)?;
        if let Some(file) = &global.token_file {
            let token = fs::read_to_string(file)
                .map_err(|error| Failure::TokenFile { file: file.clone(), error })?;
            client = client.with_token(&token)?;
        }
        let cluster = global.cluster.clone();
        Ok(Self { client, out: Output::new(global.json), cluster })
    }

    /// See [`Output::that_may_be_unread`].
    pub(crate) fn that_may_be_unread(self) -> Self {
        Self { out: self.out.that_may_be_unread(), ..self }
    }

    /// The clusters meant: the one named, or all.
    pub(crate) async fn clusters(&self) -> Result<Vec<ClusterDocument>, Failure> {
        let all = self.client.clusters().await?;
        match &self.cluster {
            Some(name) => choose_cluster(&all, Some(name)).map(|one| vec![one.clone()]),
            None => Ok(all),
        }
    }

    /// The one cluster meant.
    pub(crate) async fn cluster(&self) -> Result<ClusterDocument, Failure> {
        let all = self.client.clusters().await?;
        choose_cluster(&all, self.cluster.as_deref()).cloned()
    }

    /// A node of the cluster meant: the cluster's name and the node's address.
    pub(crate) async fn node(&self, typed: &str) -> Result<(String, String), Failure> {
        let cluster = self.cluster().await?;
        let node = choose_node(&cluster, typed)?;
        Ok((cluster.name, node))
    }
}
