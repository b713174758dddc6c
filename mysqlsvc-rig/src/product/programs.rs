//! Where the programs are.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::ProductError;

/// The programs of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The monitor.
    pub monitord: PathBuf,
    /// The proxy.
    pub proxyd: PathBuf,
}

impl Programs {
    /// Looks beside the running program, and one directory above, where cargo puts them for tests.
    /// Whether they are up to date is the caller's care.
    pub fn find() -> Result<Self, ProductError> {
        let current =
            env::current_exe().map_err(ProductError::io("find", "the running program"))?;
        let dirs: Vec<&Path> = current.ancestors().skip(1).take(2).collect();
        Ok(Self { monitord: find(&dirs, "monitord")?, proxyd: find(&dirs, "proxyd")? })
    }
}

fn find(dirs: &[&Path], program: &'static str) -> Result<PathBuf, ProductError> {
    let found = dirs.iter().map(|dir| dir.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| ProductError::MissingProgram {
        program,
        looked_in: dirs.iter().map(|dir| dir.to_path_buf()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_the_places_and_the_way_out() {
        let error = find(&[Path::new("/nowhere")], "monitord").unwrap_err().to_string();
        assert!(error.contains("/nowhere"), "{error}");
        assert!(error.contains("cargo build --package monitord"), "{error}");
    }
}
