//! What a guard has to know of a sandbox.

use std::path::Path;

use crate::{
    flavor::Runtime,
    guard::{Guard, GuardError, Program, Ward},
    home,
};

/// Servers and the installer; what those start has the same argument.
const PROCESSES: [Program; 2] = [
    Program { name: "mariadbd", option: "--defaults-file=" },
    Program { name: "mariadb-install", option: "--defaults-file=" },
];

/// Starts the guard of the sandbox `id` in `dir`, which need not exist yet.
pub(crate) fn spawn(dir: &Path, id: &str, runtime: Runtime) -> Result<Guard, GuardError> {
    Guard::spawn(&Ward {
        dir,
        id,
        marker: home::MARKER,
        programs: match runtime {
            Runtime::Process => &PROCESSES,
            Runtime::Container => &[],
        },
        docker: runtime == Runtime::Container,
    })
}
