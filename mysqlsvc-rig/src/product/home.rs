//! The directory of a product, and the files in it.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use mysqlsvc_sandbox::{Accounts, Node};

use super::ProductError;

pub(super) const MARKER: &str = ".mysqlsvc-rig";

/// Makes the directory, for its owner alone, and marks it as ours.
pub(super) fn create(dir: &Path, id: &str) -> Result<(), ProductError> {
    fs::DirBuilder::new().mode(0o700).create(dir).map_err(ProductError::io("make", dir))?;
    write(&dir.join(MARKER), id)
}

/// Writes the secrets that monitord needs.
pub(super) fn write_secrets(path: &Path, accounts: &Accounts) -> Result<(), ProductError> {
    let text = format!(
        "dba_passwd={}\nrepl_passwd={}\n",
        accounts.dba.password.expose(),
        accounts.repl.password.expose()
    );
    write(path, &text)
}

/// What the configuration of monitord says.
#[derive(Debug)]
pub(super) struct Config<'a> {
    pub(super) dir: &'a Path,
    pub(super) http: SocketAddr,
    pub(super) sse: SocketAddr,
    pub(super) cluster: &'a str,
    pub(super) nodes: &'a [Node],
    pub(super) probe: &'a [(String, String)],
    pub(super) switch: &'a [(String, String)],
    pub(super) semi_sync: &'a [(String, String)],
    pub(super) clone: &'a [(String, String)],
}

impl Config<'_> {
    pub(super) fn write(&self, path: &Path) -> Result<(), ProductError> {
        write(path, &self.text())
    }

    fn text(&self) -> String {
        let nodes: Vec<String> =
            self.nodes.iter().map(|node| format!("\"{}\"", node.address())).collect();
        let mut text = format!(
            "[monitor]\nhttp = \"{}\"\nsse = \"{}\"\nstate = \"{2}/state\"\n\
             secrets = \"{2}/secret.conf\"\n\n[[cluster]]\nname = \"{3}\"\n\
             discovery = {{ kind = \"static\", nodes = [{4}] }}\n",
            self.http,
            self.sse,
            self.dir.display(),
            self.cluster,
            nodes.join(", ")
        );
        let sections = [
            ("probe", self.probe),
            ("switch", self.switch),
            ("semi_sync", self.semi_sync),
            ("clone", self.clone),
        ];
        for (section, settings) in sections {
            if !settings.is_empty() {
                let _ = write!(text, "\n[cluster.{section}]\n");
            }
            for (key, value) in settings {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }
}

fn write(path: &Path, text: &str) -> Result<(), ProductError> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(ProductError::io("write", path))
}
