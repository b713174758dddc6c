//! The guard: a small process that ends processes and removes their directory when their owner dies
//! or asks for it. Sandboxes have one, and so may anything else that runs beside them.
//!
//! It blocks reading a pipe whose other end only the owner holds, so it learns of any death, even
//! by SIGKILL. All removal goes through it: an orderly end, a failed start, a panic, a kill.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mysqlsvc_sandbox::guard::{Guard, Program, Ward};
//!
//! let dir = std::env::temp_dir().join("example-7f3a");
//! let guard = Guard::spawn(&Ward {
//!     dir: &dir,
//!     id: "7f3a",
//!     marker: ".example",
//!     programs: &[Program { name: "monitord", option: "" }],
//!     docker: false,
//! })?;
//! std::fs::create_dir(&dir)?;
//! std::fs::write(dir.join(".example"), "7f3a")?;
//! // … start monitord with `--config /tmp/example-7f3a/monitord.toml` …
//! guard.remove().await?;
//! # Ok(())
//! # }
//! ```

use std::{
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const SCRIPT: &str = include_str!("guard.sh");

/// How long a removal may take before it is reported as stuck.
const LIMIT: Duration = Duration::from_mins(1);

/// What is guarded.
#[derive(Debug, Clone, Copy)]
pub struct Ward<'a> {
    /// The directory to remove, by its absolute path. It need not exist yet.
    pub dir: &'a Path,
    /// Its unique name: the text of the marker, and the value of the label on containers.
    pub id: &'a str,
    /// Name of the file in the directory that holds `id` and nothing else. A directory without it
    /// is removed only when empty.
    pub marker: &'a str,
    /// The processes to end.
    pub programs: &'a [Program],
    /// Whether docker is asked for containers and networks with the label `mysqlsvc.sandbox=ID`.
    pub docker: bool,
}

/// Processes of this name that have an argument of `option` followed at once by the directory and a
/// slash. Nothing else that names the directory is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// As `/proc/PID/comm` has it: 15 bytes at most.
    pub name: &'static str,
    /// Such as `--defaults-file=`; empty where the path is an argument of its own.
    pub option: &'static str,
}

/// The owner's end of the guard. Dropping it removes everything, and blocks until that is done.
#[derive(Debug)]
pub struct Guard {
    dir: PathBuf,
    id: String,
    child: Child,
    pipe: Option<ChildStdin>,
}

/// Why a guard could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// Its process could not be started or waited for.
    #[error("cannot {what} the guard process of {}: {source}", .dir.display())]
    Process {
        /// What was tried, as a verb.
        what: &'static str,
        /// The guarded directory.
        dir: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Something could not be removed.
    #[error("{} was not removed whole: {left}", .dir.display())]
    Cleanup {
        /// The guarded directory.
        dir: PathBuf,
        /// What was left, and what to do about it.
        left: String,
    },
}

impl Guard {
    /// Starts the guard. Do so before there is anything to be guarded.
    pub fn spawn(ward: &Ward<'_>) -> Result<Self, GuardError> {
        let programs = ward.programs.iter();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "mysqlsvc-guard"])
            .arg(ward.dir)
            .args([ward.id, ward.marker, if ward.docker { "yes" } else { "no" }])
            .args(programs.map(|program| format!("{}:{}", program.name, program.option)))
            .current_dir("/")
            // Out of reach of a Ctrl-C on the owner's terminal.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| GuardError::Process {
                what: "start",
                dir: ward.dir.to_owned(),
                source,
            })?;
        let pipe = child.stdin.take();
        Ok(Self { dir: ward.dir.to_owned(), id: ward.id.to_owned(), child, pipe })
    }

    /// Sends the guard away; what it guards outlives its owner.
    pub fn dismiss(mut self) -> Result<(), GuardError> {
        self.say("dismiss");
        self.finish()
    }

    /// Removes everything, and reports what could not be removed within a minute.
    pub async fn remove(mut self) -> Result<(), GuardError> {
        self.say("down");
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(move || self.finish()).await.unwrap_or_else(|panic| {
            Err(GuardError::Cleanup { dir, left: format!("the guard's watcher ended: {panic}") })
        })
    }

    /// Says the one word and closes the pipe. A guard that is gone shows in its exit status.
    fn say(&mut self, word: &str) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = writeln!(pipe, "{word}");
        }
    }

    /// Waits for the guard's end. The pipe must be closed before.
    fn finish(&mut self) -> Result<(), GuardError> {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.left(status.code())),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) => return Err(self.left(None)),
                Err(source) => {
                    let dir = self.dir.clone();
                    return Err(GuardError::Process { what: "wait for", dir, source });
                }
            }
        }
    }

    fn left(&self, code: Option<i32>) -> GuardError {
        let left = match code {
            Some(3) => "a process does not die; look for the directory in `ps ax`".into(),
            Some(4) => format!(
                "containers or the network are left; see `docker ps -a --filter \
                 label=mysqlsvc.sandbox={0}` and `docker network ls --filter \
                 label=mysqlsvc.sandbox={0}`",
                self.id
            ),
            Some(5) => "the directory is left; remove it by hand".into(),
            Some(other) => format!("the guard ended with status {other}"),
            None => format!("the guard was killed or needs more than {LIMIT:?}"),
        };
        GuardError::Cleanup { dir: self.dir.clone(), left }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.pipe.take().is_none() {
            return;
        }
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "not removed");
        }
    }
}
