//! Tells a starting script which port was taken.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes `port` and a newline, whole or not at all: a reader never sees an empty file.
pub(crate) fn write(path: &Path, port: u16) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = PathBuf::from(aside);
    fs::write(&aside, format!("{port}\n"))?;
    fs::rename(&aside, path)
}
