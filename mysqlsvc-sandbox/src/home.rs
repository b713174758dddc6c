//! The directory of a sandbox.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::error::{SandboxError, io_error};

/// Holds the sandbox's id, so that a removal never hits a directory that is not ours.
pub(crate) const MARKER: &str = ".mysqlsvc-sandbox";

/// Name of the record inside the directory.
pub(crate) const RECORD: &str = "sandbox.json";

/// Name of the secrets file inside the directory.
pub(crate) const SECRETS: &str = "secret.conf";

/// A short unique name for directory, network, containers and label.
pub(crate) fn new_id() -> String {
    let mut id = Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}

/// The absolute path that the sandbox will use: `dir`, which must be missing or empty, or a new
/// one below the system's directory for temporary files.
pub(crate) fn choose(dir: Option<&Path>, id: &str) -> Result<PathBuf, SandboxError> {
    let Some(dir) = dir else {
        return Ok(std::env::temp_dir().join(format!("mysqlsvc-sandbox-{id}")));
    };
    let dir = std::path::absolute(dir).map_err(io_error("resolve", dir))?;
    if dir.to_str().is_none_or(|text| text.contains(['\n', '"', '\\', '#', ','])) {
        return Err(SandboxError::Option {
            option: "--dir",
            problem: format!("{} does not fit into an option file: use plain names", dir.display()),
        });
    }
    match fs::read_dir(&dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(dir),
        Ok(false) => Err(SandboxError::Option {
            option: "--dir",
            problem: format!("{} is not empty: name a new directory", dir.display()),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(dir),
        Err(error) => Err(io_error("read", dir)(error)),
    }
}

/// Makes the directory, for its owner alone, and marks it as ours.
pub(crate) fn create(dir: &Path, id: &str) -> Result<(), SandboxError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io_error("make", dir))?;
    write_private(&dir.join(MARKER), id)
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), SandboxError> {
    let staged = path.with_extension("new");
    let _ = fs::remove_file(&staged);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&staged)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&staged, path))
        .map_err(io_error("write", path))
}

/// The last lines of a log, for an error message.
pub(crate) fn tail(path: &Path) -> String {
    const LINES: usize = 15;
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(LINES)..].join("\n")
        }
        Err(error) => format!("({} cannot be read: {error})", path.display()),
    }
}

/// Copies a directory tree of plain files and directories.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), SandboxError> {
    fs::create_dir(to).map_err(io_error("make", to))?;
    for entry in fs::read_dir(from).map_err(io_error("read", from))? {
        let entry = entry.map_err(io_error("read", from))?;
        let target = to.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(io_error("copy", entry.path()))?;
        }
    }
    Ok(())
}
