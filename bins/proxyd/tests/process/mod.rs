//! A proxyd process and the servers behind it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared by several tests, each of which uses its own part and fails by panicking"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Nothing in these tests takes this long unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A proxyd on free ports of loopback. Dropping it kills it.
pub struct Proxyd {
    child: Child,
    log: JoinHandle<()>,
    pub address: SocketAddr,
    pub admin: SocketAddr,
}

impl Proxyd {
    pub async fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_proxyd")), arguments).await
    }

    /// With the shell's `ulimit` set to these words.
    pub async fn start_limited(ulimit: &str, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_proxyd"));
        Self::run(shell, arguments).await
    }

    async fn run(mut program: Command, arguments: &[&str]) -> Self {
        let mut child = program
            .args(["-p", "0", "--listen", "127.0.0.1", "--admin", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("MYSQLSVC_MONITOR")
            .env_remove("MYSQLSVC_STATE")
            .env_remove("MYSQLSVC_CLUSTER")
            .env_remove("MYSQLSVC_LOG_FORMAT")
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let admin = address_after(&mut lines, "admin pages on http://").await;
        let address = address_after(&mut lines, "proxyd listening on ").await;
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                eprintln!("{line}");
            }
        });
        Self { child, log, address, admin }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A page of the admin address: its status and its text.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.admin);
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn route(&self) -> serde_json::Value {
        serde_json::from_str(&self.page("/route").await.1).unwrap()
    }

    /// Waits until `/route` is as wanted.
    pub async fn until(&self, what: &str, is_so: impl Fn(&serde_json::Value) -> bool) {
        let seen = timeout(LIMIT, async {
            while !is_so(&self.route().await) {
                sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(seen.await.is_ok(), "never seen: {what}; last {}", self.route().await);
    }

    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([name, &pid]).status().await;
        assert!(sent.unwrap().success());
    }

    pub async fn ended(mut self) -> ExitStatus {
        let status = timeout(LIMIT, self.child.wait()).await.expect("it never ended");
        self.log.await.unwrap();
        status.unwrap()
    }
}

async fn address_after(lines: &mut Lines<BufReader<ChildStderr>>, needle: &str) -> SocketAddr {
    loop {
        let line = timeout(LIMIT, lines.next_line()).await.expect("it says nothing");
        let line = line.unwrap().expect("it ended at its start");
        eprintln!("{line}");
        if let Some((_, rest)) = line.split_once(needle) {
            let address = rest.split_whitespace().next().unwrap();
            return address.parse().unwrap();
        }
    }
}

/// Runs proxyd to its end: its exit code and what it wrote to stderr.
pub async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    run_with(&[], arguments).await
}

/// As [`run`], with these variables in the environment and none other of ours.
pub async fn run_with(environment: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxyd"));
    for name in ["MONITOR", "STATE", "CLUSTER", "LOG_FORMAT"] {
        command.env_remove(format!("MYSQLSVC_{name}"));
    }
    let output =
        command.args(arguments).envs(environment.iter().copied()).kill_on_drop(true).output();
    let output = timeout(LIMIT, output).await.expect("it never ended").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A server that greets as MySQL does, with its name as its version, and then echoes.
pub struct FakeServer {
    pub address: String,
    task: JoinHandle<()>,
}

impl FakeServer {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(greet_and_echo(stream, name));
            }
        });
        Self { address, task }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn greet_and_echo(mut stream: TcpStream, name: &str) {
    let length = u8::try_from(name.len() + 2).unwrap();
    let mut packet = vec![length, 0, 0, 0, 0x0a];
    packet.extend_from_slice(name.as_bytes());
    packet.push(0);
    let (mut read, mut write) = stream.split();
    if write.write_all(&packet).await.is_ok() {
        let _ = tokio::io::copy(&mut read, &mut write).await;
    }
}

/// Reads the first packet: the name of the server reached.
pub async fn greeting(stream: &mut TcpStream) -> String {
    let payload = first_packet(stream).await;
    assert_eq!(payload[0], 0x0a, "not a greeting: {payload:?}");
    String::from_utf8(payload[1..payload.len() - 1].to_vec()).unwrap()
}

/// Whether a server greeted, or the proxy said that there are too many connections.
pub async fn is_served(stream: &mut TcpStream) -> bool {
    match first_packet(stream).await[..] {
        [0x0a, ..] => true,
        [0xff, low, high, ..] if u16::from_le_bytes([low, high]) == 1040 => false,
        ref other => panic!("neither a greeting nor error 1040: {other:?}"),
    }
}

async fn first_packet(stream: &mut TcpStream) -> Vec<u8> {
    let reading = async {
        let mut header = [0; 4];
        stream.read_exact(&mut header).await.unwrap();
        let mut payload = vec![0; usize::from(header[0])];
        stream.read_exact(&mut payload).await.unwrap();
        payload
    };
    timeout(LIMIT, reading).await.expect("no greeting came")
}

pub async fn echoes(stream: &mut TcpStream) {
    stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    let read = timeout(LIMIT, stream.read_exact(&mut answer)).await;
    read.expect("no echo came").unwrap();
    assert_eq!(&answer, b"ping");
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
