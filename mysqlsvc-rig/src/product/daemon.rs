//! One program as a child process: started, waited for and ended, never another one.

use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::ProductError;

const START_LIMIT: Duration = Duration::from_mins(1);
/// Longer than the drain that proxies are started with.
const END_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 20;

/// A program with its arguments, running or not.
#[derive(Debug)]
pub(super) struct Daemon {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    /// Written by the program once it listens.
    ready: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    pub(super) fn new(
        name: &'static str,
        program: &Path,
        arguments: Vec<OsString>,
        log: PathBuf,
        ready: PathBuf,
    ) -> Self {
        Self { name, program: program.to_owned(), arguments, log, ready, child: None }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Starts the program for the first time, with an empty log, and waits until it listens.
    pub(super) async fn launch(mut self) -> Result<Self, ProductError> {
        remove_if_there(&self.log)?;
        self.start()?;
        self.await_ready().await?;
        Ok(self)
    }

    /// Starts the program, without waiting for it. Its environment has nothing of ours in it.
    pub(super) fn start(&mut self) -> Result<(), ProductError> {
        remove_if_there(&self.ready)?;
        let open = || {
            let log = OpenOptions::new().create(true).append(true).open(&self.log);
            log.map_err(ProductError::io("open", &self.log))
        };
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir("/")
            // A Ctrl-C on the owner's terminal must not reach it before its owner acts.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .kill_on_drop(true);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("MYSQLSVC_")) {
                command.env_remove(name);
            }
        }
        let child = command.spawn().map_err(ProductError::io("start", &self.program))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the program listens.
    pub(super) async fn await_ready(&mut self) -> Result<(), ProductError> {
        let begun = Instant::now();
        while !self.ready.exists() {
            if let Some(child) = &mut self.child
                && let Some(status) =
                    child.try_wait().map_err(ProductError::io("wait for", &self.program))?
            {
                let status = status.to_string();
                return Err(ProductError::Ended { program: self.name, status, log: self.tail() });
            }
            if begun.elapsed() > START_LIMIT {
                let waited = START_LIMIT;
                return Err(ProductError::NotReady {
                    program: self.name,
                    waited,
                    log: self.tail(),
                });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends the program by SIGKILL and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<(), ProductError> {
        match self.child.take() {
            Some(mut child) => child.kill().await.map_err(ProductError::io("kill", &self.program)),
            None => Ok(()),
        }
    }

    /// Asks the program to end, and waits until it has; kills it when it does not.
    pub(super) async fn terminate(&mut self) -> Result<(), ProductError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        // The child is not reaped before `wait`, so its number is still its own.
        let pid = child.id();
        if let Some(pid) = pid.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(END_LIMIT, child.wait()).await.is_ok() {
            return Ok(());
        }
        child.kill().await.map_err(ProductError::io("kill", &self.program))?;
        Err(ProductError::DoesNotEnd {
            program: self.name,
            pid: pid.unwrap_or_default(),
            detail: format!("still there {END_LIMIT:?} after SIGTERM; it was killed"),
        })
    }

    fn tail(&self) -> String {
        match fs::read(&self.log) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let lines: Vec<&str> = text.lines().collect();
                lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
            }
            Err(error) => format!("({} cannot be read: {error})", self.log.display()),
        }
    }
}

fn remove_if_there(path: &Path) -> Result<(), ProductError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ProductError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
