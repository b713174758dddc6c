//! Where monitord listens, and how others learn of it.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use mysqlsvc_monitor::config::MonitorConfig;
use tokio::net::TcpListener;

use crate::error::Failure;

/// Both listeners, bound and not yet served.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) http: TcpListener,
    pub(crate) sse: TcpListener,
}

impl Listeners {
    pub(crate) async fn bind(config: &MonitorConfig) -> Result<Self, Failure> {
        Ok(Self { http: bind("http", config.http).await?, sse: bind("sse", config.sse).await? })
    }

    /// Logs the addresses, and writes them to a file if one is wanted.
    pub(crate) fn announce(&self, file: Option<&Path>) -> Result<(), Failure> {
        let local = |listener: &TcpListener| listener.local_addr().map_err(Failure::Listener);
        let (http, sse) = (local(&self.http)?, local(&self.sse)?);
        tracing::info!(%http, %sse, "listening");
        let Some(file) = file else { return Ok(()) };
        let text = serde_json::json!({ "http": http, "sse": sse }).to_string();
        write_whole(file, &text)
            .map_err(|error| Failure::AddressFile { file: file.to_owned(), error })
    }
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| Failure::Bind { key, address, error })
}

/// Written beside and moved into place: a reader sees the whole file or none.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    fs::write(&beside, format!("{text}\n"))?;
    fs::rename(&beside, file)
}
