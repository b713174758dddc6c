//! One server as a plain process: started, signalled and waited for without ever hitting another.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    process::Stdio,
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
    },
};
use tokio::{
    process::Command,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::error::{SandboxError, io_error};

/// A stop needs each thread to come by; this much passes only on a machine in trouble.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

/// A child process and the task that reaps it.
///
/// Signals go through a pidfd, which never names another process. Dropping this does not end the
/// process: that is the guard's work.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    node: usize,
    handle: OwnedFd,
    ended: watch::Receiver<Option<String>>,
    reaper: JoinHandle<()>,
}

impl ServerProcess {
    /// Starts `program` with `arguments`, in a process group of its own, with what it says before
    /// it opens its error log appended to `log`.
    pub(crate) fn spawn(
        node: usize,
        program: &Path,
        arguments: &[OsString],
        log: &Path,
    ) -> Result<Self, SandboxError> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(io_error("open", log))?;
        let copy = output.try_clone().map_err(io_error("open", log))?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir("/")
            // A Ctrl-C on the owner's terminal must not reach a server that should outlive it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(copy)
            .spawn()
            .map_err(io_error("start", program))?;
        let handle = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .ok_or_else(|| control(node, "start", "it has no process id"))
            .and_then(|pid| {
                pidfd_open(pid, PidfdFlags::empty())
                    .map_err(|error| control(node, "watch", error.to_string()))
            })?;
        let (tell, ended) = watch::channel(None);
        let reaper = tokio::spawn(async move {
            let end = match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => format!("cannot be waited for: {error}"),
            };
            tell.send_replace(Some(end));
        });
        Ok(Self { node, handle, ended, reaper })
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits for the end of the process; how it ended.
    pub(crate) async fn wait_end(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => "nobody waits for it any more".to_owned(),
        }
    }

    /// Sends a signal; `what` is the verb for an error.
    pub(crate) fn signal(&self, what: &'static str, signal: Signal) -> Result<(), SandboxError> {
        pidfd_send_signal(&self.handle, signal)
            .map_err(|error| control(self.node, what, error.to_string()))
    }

    /// Stops the process, and returns once all its threads stand still: the signal alone takes
    /// effect at some later moment.
    pub(crate) async fn freeze(&self) -> Result<(), SandboxError> {
        self.signal("pause", Signal::STOP)?;
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let begun = Instant::now();
        loop {
            match waitid(WaitId::PidFd(self.handle.as_fd()), options) {
                Ok(Some(_)) => return Ok(()),
                Ok(None) if begun.elapsed() > FREEZE_LIMIT => {
                    let detail = format!("it does not stand still after {FREEZE_LIMIT:?}");
                    return Err(control(self.node, "pause", detail));
                }
                Ok(None) => sleep(Duration::from_millis(1)).await,
                Err(error) => return Err(control(self.node, "pause", error.to_string())),
            }
        }
    }

    /// Sends `signal` unless the process has ended, and waits for its end.
    pub(crate) async fn end(
        &self,
        what: &'static str,
        signal: Signal,
        limit: Duration,
    ) -> Result<(), SandboxError> {
        if self.ended().is_some() {
            return Ok(());
        }
        match pidfd_send_signal(&self.handle, signal) {
            // It ended by itself just now.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(control(self.node, what, error.to_string())),
        }
        let mut ended = self.ended.clone();
        match timeout(limit, ended.wait_for(Option::is_some)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(control(self.node, what, format!("still there after {limit:?}"))),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.reaper.abort();
    }
}

fn control(node: usize, what: &'static str, detail: impl Into<String>) -> SandboxError {
    SandboxError::Control { node, what, detail: detail.into() }
}
