//! Doing to servers what life does to them.

use crate::{
    containers::Containers,
    error::SandboxError,
    sandbox::{Backend, Sandbox},
};

/// Nodes are numbered from 0, in the order of [`Sandbox::nodes`].
impl Sandbox {
    /// Ends a server by SIGKILL and waits until it is gone; nothing if it is already.
    pub async fn kill(&self, index: usize) -> Result<(), SandboxError> {
        match self.backend() {
            Backend::Processes(processes) => processes.kill(index).await,
            Backend::Containers(containers) => containers.kill(index).await,
        }
    }

    /// Freezes a server: it holds its connections and answers nothing.
    pub async fn pause(&self, index: usize) -> Result<(), SandboxError> {
        match self.backend() {
            Backend::Processes(processes) => processes.pause(index).await,
            Backend::Containers(containers) => containers.pause(index).await,
        }
    }

    /// Lets a paused server go on.
    pub async fn resume(&self, index: usize) -> Result<(), SandboxError> {
        match self.backend() {
            Backend::Processes(processes) => processes.resume(index),
            Backend::Containers(containers) => containers.resume(index).await,
        }
    }

    /// Shuts a server down in good order, paused or not, and waits for its end.
    pub async fn stop(&self, index: usize) -> Result<(), SandboxError> {
        match self.backend() {
            Backend::Processes(processes) => processes.stop(index).await,
            Backend::Containers(containers) => containers.stop(index).await,
        }
    }

    /// Starts a server again with the same address and data, stopping it first if it runs, and
    /// waits until it is ready. It comes back read-only.
    pub async fn restart(&self, index: usize) -> Result<(), SandboxError> {
        let node = self.node(index)?;
        match self.backend() {
            Backend::Processes(processes) => processes.restart(index, node).await,
            Backend::Containers(containers) => containers.restart(index, node).await,
        }
    }

    /// Cuts a server off from the host and from all others, with its sessions left hanging.
    /// Containers only.
    pub async fn disconnect(&self, index: usize) -> Result<(), SandboxError> {
        self.containers()?.disconnect(index).await
    }

    /// Gives a server that was cut off its network and address back.
    pub async fn reconnect(&self, index: usize) -> Result<(), SandboxError> {
        self.containers()?.connect(index).await
    }

    fn containers(&self) -> Result<&Containers, SandboxError> {
        match self.backend() {
            Backend::Containers(containers) => Ok(containers),
            Backend::Processes(_) => Err(SandboxError::Option {
                option: "--runtime",
                problem: "only containers can be cut off; processes share the loopback".into(),
            }),
        }
    }
}
