//! One command of a copy: a process group of its own, which ends with it.

use std::{
    collections::VecDeque,
    io,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

use super::super::failure::Failure;

/// So much of what a command says at last is kept.
const KEPT: usize = 4 << 10;

/// How long after its end what a command said is read to its end: it is there already, but whoever
/// reads it may have to wait for a turn on a busy machine.
const MOMENT: Duration = Duration::from_secs(2);

/// Signs of life of both commands: bytes that moved, and whatever they say.
#[derive(Debug, Clone, Default)]
pub(super) struct Signs(Arc<AtomicU64>);

impl Signs {
    pub(super) fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A running command. Dropping it ends it, and whatever it has started.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    input: ChildStdin,
    /// None once somebody listens to it.
    output: Option<ChildStdout>,
    said: Option<Reader>,
    child: Child,
    group: Group,
    errors: Reader,
    signs: Signs,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ending {
    name: &'static str,
    status: Option<ExitStatus>,
    /// The end of what it wrote to its standard output, if that was read here.
    pub(super) said: String,
    errors: String,
}

impl Program {
    pub(super) fn start(
        name: &'static str,
        (program, arguments): (String, Vec<String>),
        signs: &Signs,
    ) -> Result<Self, Failure> {
        let failed = |why: String| Failure::refused(format!("{name}: `{program}`: {why}"));
        let mut child = Command::new(&program)
            .args(&arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let group = Group::of(&child);
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("its streams are not there".to_owned()));
        };
        let errors = Reader::of::<ChildStderr>(errors, signs);
        let (output, signs) = (Some(output), signs.clone());
        Ok(Self { name, input, output, said: None, child, group, errors, signs })
    }

    /// Keeps what it writes to its standard output, from now on.
    pub(super) fn listen(&mut self) {
        self.said = self.output.take().map(|output| Reader::of(output, &self.signs));
    }

    /// The next bytes of its standard output; none at the end.
    pub(super) async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match &mut self.output {
            Some(output) => output.read(chunk).await,
            None => Ok(0),
        }
    }

    /// Gives it all of this to read.
    pub(super) async fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.input.write_all(data).await
    }

    /// Ends its input, and waits for its end.
    pub(super) async fn ended(self) -> Ending {
        let Self { name, input, output, said, mut child, mut group, errors, .. } = self;
        drop((input, output));
        let status = child.wait().await.ok();
        // What it leaves behind in good order may be a server.
        group.spare_if(status.is_some_and(|status| status.success()));
        let said = match said {
            Some(said) => said.read().await,
            None => String::new(),
        };
        Ending { name, status, said, errors: errors.read().await }
    }
}

impl Ending {
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub(super) fn failed(&self, what: &str) -> Failure {
        let Self { name, status, errors, .. } = self;
        let status = status.map_or_else(|| "it is gone".to_owned(), |status| status.to_string());
        let said = if errors.is_empty() { "it said nothing" } else { errors.trim_end() };
        Failure::refused(format!("{name}: {what} ({status}): {said}"))
    }
}

/// A process group, killed when this is dropped.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn spare_if(&mut self, spare: bool) {
        if spare {
            self.0 = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // Most often it is gone by then.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Reads a stream to its end, and keeps the end of it.
#[derive(Debug)]
struct Reader {
    task: JoinHandle<()>,
    kept: Arc<Mutex<VecDeque<u8>>>,
}

impl Reader {
    fn of<S>(mut stream: S, signs: &Signs) -> Self
    where
        S: AsyncRead + Unpin + Send + 'static,
    {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (keep, signs) = (Arc::clone(&kept), signs.clone());
        let task = tokio::spawn(async move {
            let mut chunk = [0; 1024];
            while let Ok(read) = stream.read(&mut chunk).await
                && let Some(data) = chunk.get(..read).filter(|data| !data.is_empty())
            {
                signs.one();
                let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(data);
                let excess = kept.len().saturating_sub(KEPT);
                kept.drain(..excess);
            }
        });
        Self { task, kept }
    }

    /// What was kept, a moment after the command has ended: something that it has started may hold
    /// the stream open for ever.
    async fn read(mut self) -> String {
        let _ = tokio::time::timeout(MOMENT, &mut self.task).await;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}
