//! One monitord per state directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use super::OpenError;

const NAME: &str = "monitord.lock";

/// Held as long as the directory is used. The kernel lets it go when the process ends, however it
/// ends, so there is never a stale one.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(super) fn take(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(NAME);
        let io = |tried| {
            let path = path.clone();
            move |error| OpenError::Io { path, tried, error }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let directory = directory.to_owned();
                return Err(OpenError::InUse { directory, holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(io("lock the lock file")(error)),
        }
        // For the message above only; the lock does not depend on it.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(io("write the lock file"))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(process) => format!(" (process {process})"),
        None => String::new(),
    }
}
