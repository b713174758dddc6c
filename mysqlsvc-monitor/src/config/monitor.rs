//! `[monitor]`: where monitord listens, and where its things are.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use toml::de::DeValue;

use super::{
    environment::Environment,
    problem::Problems,
    section::{Given, Section},
    value,
};
use crate::secrets::Readers;

/// Where monitord listens, and where its things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorConfig {
    /// API, pages, `/metrics`. Loopback, as long as there is no login. Port 0 takes any free one.
    pub http: SocketAddr,
    /// `GET /servers` for proxies. Port 0 takes any free one.
    pub sse: SocketAddr,
    /// The directory of the store.
    pub state: PathBuf,
    /// The file of CONTRACTS 5.
    pub secrets: PathBuf,
    /// Who may be able to read it.
    pub secrets_readers: Readers,
}

/// `base` is the directory that relative paths begin at.
pub(super) fn read(
    mut section: Section<'_>,
    environment: &Environment,
    base: &Path,
    problems: &mut Problems<'_>,
) -> MonitorConfig {
    environment.check_names(problems);
    let mut reader = Reader { section: &mut section, environment, problems };
    let http = reader.address("http", SocketAddr::from(([127, 0, 0, 1], 8080)));
    let sse = reader.address("sse", SocketAddr::from(([127, 0, 0, 1], 6033)));
    let state = reader.path("state", "/var/lib/mysqlsvc");
    let secrets = reader.path("secrets", "/etc/mysqlsvc/secret.conf");
    let readable = section.read_or(problems, "secrets_readable_by_others", false, value::boolean);
    check_listeners(&http, &sse, problems);
    section.finish(problems);
    MonitorConfig {
        http: http.value,
        sse: sse.value,
        state: base.join(state),
        secrets: base.join(secrets),
        secrets_readers: if readable { Readers::Anyone } else { Readers::OwnerOnly },
    }
}

struct Reader<'r, 't, 'p> {
    section: &'r mut Section<'t>,
    environment: &'r Environment,
    problems: &'r mut Problems<'p>,
}

impl Reader<'_, '_, '_> {
    /// The environment comes before the file; what the file says is checked nevertheless.
    fn read<T>(
        &mut self,
        key: &'static str,
        default: T,
        convert: fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Given<T> {
        let in_file = self.section.read(self.problems, key, convert);
        let place = self.section.place().clone();
        self.environment
            .read(self.problems, key, convert)
            .or(in_file)
            .unwrap_or(Given { value: default, place })
    }

    fn address(&mut self, key: &'static str, default: SocketAddr) -> Given<SocketAddr> {
        self.read(key, default, value::listen_address)
    }

    fn path(&mut self, key: &'static str, default: &str) -> PathBuf {
        self.read(key, PathBuf::from(default), value::path).value
    }
}

fn check_listeners(http: &Given<SocketAddr>, sse: &Given<SocketAddr>, problems: &mut Problems<'_>) {
    if !http.value.ip().is_loopback() {
        let message = format!(
            "http: {} can be reached from outside, and there is no login; without one the HTTP \
             listener binds loopback only, for example 127.0.0.1:{}",
            http.value,
            http.value.port()
        );
        problems.add(http.place.clone(), message);
    }
    if http.value == sse.value && http.value.port() != 0 {
        problems.add(sse.place.clone(), format!("sse: {} is taken by http", sse.value));
    }
}
