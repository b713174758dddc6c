//! The last open route, kept over a restart.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::wire::{Phase, Route, RouteError};

/// Longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// A file with one route. Written whole or not at all.
#[derive(Debug, Clone)]
pub struct RouteFile {
    path: PathBuf,
}

/// A route could not be kept or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteFileError {
    /// The file system refused.
    #[error("cannot {verb} the route file {}: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What was answered.
        source: io::Error,
    },
    /// The file holds no open route.
    #[error("the route file {} is damaged ({reason}) and is left aside", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl RouteFile {
    /// The file at this path; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the route back; `None` when there is no file.
    ///
    /// # Errors
    /// [`RouteFileError`]; a caller is meant to warn and to go on without.
    pub fn load(&self) -> Result<Option<Route>, RouteFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("open", error)),
        };
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => self.damaged("it is not text"),
            _ => self.io("read", error),
        })?;
        let route = Route::from_json(&text)
            .map_err(|error: RouteError| self.damaged(&error.to_string()))?;
        match route.phase {
            Phase::Open => Ok(Some(route)),
            Phase::Hold(_) => Err(self.damaged("it holds a hold")),
        }
    }

    /// Keeps an open route: written aside, synced, renamed. A hold is not kept, since it means
    /// nothing after a restart; for it this does nothing.
    ///
    /// Blocks on the disk: call it off the async threads.
    ///
    /// # Errors
    /// [`RouteFileError::Io`]; what was kept before is then still there.
    pub fn save(&self, route: &Route) -> Result<(), RouteFileError> {
        if route.phase != Phase::Open {
            return Ok(());
        }
        let text = serde_json::to_vec(route).map_err(|error| self.io("write", error.into()))?;
        let aside = self.aside();
        let written = write_synced(&aside, &text)
            .and_then(|()| fs::rename(&aside, &self.path))
            .and_then(|()| sync_directory(&self.path));
        written.map_err(|error| {
            let _ = fs::remove_file(&aside);
            self.io("write", error)
        })
    }

    /// Two proxies that share a directory by mistake must not write into the same half-done file.
    fn aside(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        name.into()
    }

    fn io(&self, verb: &'static str, source: io::Error) -> RouteFileError {
        RouteFileError::Io { verb, path: self.path.clone(), source }
    }

    fn damaged(&self, reason: &str) -> RouteFileError {
        RouteFileError::Damaged { path: self.path.clone(), reason: reason.to_owned() }
    }
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Without this the rename may not survive a loss of power.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Hold;

    fn route(version: u64) -> Route {
        let text = format!(
            r#"{{"cluster":"main","incarnation":"a","epoch":1,"version":{version},"phase":"open",
            "master":{{"containers":[{{"container_ip":"10.0.0.1","container_port":3306}}]}},
            "slave":{{"containers":[]}},"hold":null}}"#
        );
        Route::from_json(&text).unwrap()
    }

    #[test]
    fn what_was_kept_last_is_read_back_and_nothing_else_lies_around() {
        let directory = tempfile::tempdir().unwrap();
        let file = RouteFile::new(directory.path().join("route.json"));
        assert!(file.load().unwrap().is_none());
        file.save(&route(1)).unwrap();
        file.save(&route(2)).unwrap();
        assert_eq!(file.load().unwrap(), Some(route(2)));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_hold_does_not_replace_the_last_open_route() {
        let directory = tempfile::tempdir().unwrap();
        let file = RouteFile::new(directory.path().join("route.json"));
        file.save(&route(1)).unwrap();
        let mut held = route(2);
        held.phase =
            Phase::Hold(Hold { operation: "op".into(), ack_token: "t".into(), remaining_ms: 1 });
        file.save(&held).unwrap();
        assert_eq!(file.load().unwrap(), Some(route(1)));
    }

    #[test]
    fn a_damaged_file_is_named_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let file = RouteFile::new(directory.path().join("route.json"));
        for damage in [&b"{\"master\":"[..], b"", b"\xff\xfe", b"{}"] {
            fs::write(file.path(), damage).unwrap();
            let error = file.load().unwrap_err();
            assert!(matches!(error, RouteFileError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains("route.json"), "{error}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_that_names_the_file() {
        let file = RouteFile::new("/nonexistent/route.json");
        let error = file.save(&route(1)).unwrap_err().to_string();
        assert!(error.contains("cannot write the route file /nonexistent/route.json"), "{error}");
    }
}
