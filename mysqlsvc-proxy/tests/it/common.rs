//! Small servers and waits that the tests share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mysqlsvc_proxy::{ClientAddr, ConnectionInfo, LocalAddr, TargetAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Long enough for anything on a busy machine; only a failing test waits for it.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// How a fake server meets a client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Greets with its name, then echoes.
    Greets,
    /// Answers with error 1040.
    SaysError,
    /// Closes at once.
    Closes,
    /// Says nothing and stays.
    Silent,
}

/// A fake MySQL server on loopback, ended on drop.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    /// Aborted on drop.
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(name: &'static str, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let count = Arc::clone(&accepted);
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        count.fetch_add(1, Ordering::SeqCst);
                        sessions.spawn(serve(stream, name, manner));
                    }
                    Some(_) = sessions.join_next() => {}
                }
            }
        });
        Self { addr, accepted, _tasks: tasks }
    }

    pub(crate) fn target(&self) -> TargetAddr {
        self.addr.into()
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, name: &str, manner: Manner) {
    match manner {
        Manner::Greets => {
            if stream.write_all(&greeting(name)).await.is_ok() {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
                let _ = writer.shutdown().await;
            }
        }
        Manner::SaysError => {
            let _ = stream.write_all(&packet(b"\xff\x10\x04Too many connections")).await;
        }
        Manner::Closes => {}
        Manner::Silent => {
            let _ = stream.read(&mut [0]).await;
        }
    }
}

pub(crate) fn packet(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![u8::try_from(payload.len()).unwrap(), 0, 0, 0];
    packet.extend(payload);
    packet
}

pub(crate) fn greeting(name: &str) -> Vec<u8> {
    packet(&[b"\x0a", name.as_bytes()].concat())
}

/// An address that refuses connections.
pub(crate) async fn refusing() -> TargetAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().into()
}

/// A client that has read the first packet.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) payload: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(to: LocalAddr) -> Self {
        Self::greeted(TcpStream::connect(to.0).await.unwrap()).await
    }

    pub(crate) async fn greeted(mut stream: TcpStream) -> Self {
        let payload = within(read_packet(&mut stream)).await;
        Self { stream, payload }
    }

    /// The name of the server that greeted, or the number of the error in its place.
    pub(crate) fn met(&self) -> String {
        match self.payload.as_slice() {
            [0x0a, name @ ..] => String::from_utf8_lossy(name).into_owned(),
            [0xff, low, high, ..] => format!("error {}", u16::from_le_bytes([*low, *high])),
            other => panic!("neither greeting nor error: {other:?}"),
        }
    }

    /// Sends `text` and reads it back.
    pub(crate) async fn echo(&mut self, text: &[u8]) {
        self.stream.write_all(text).await.unwrap();
        let mut back = vec![0; text.len()];
        within(self.stream.read_exact(&mut back)).await.unwrap();
        assert_eq!(back, text);
    }
}

pub(crate) async fn read_packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await.unwrap();
    let mut payload = vec![0; usize::from(header[0]) + usize::from(header[1]) * 256];
    stream.read_exact(&mut payload).await.unwrap();
    payload
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("took too long")
}

/// Looks until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let look = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, look).await.is_ok(), "never came true: {what}");
}

pub(crate) fn info() -> ConnectionInfo {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    ConnectionInfo { client: ClientAddr(address), local: LocalAddr(address) }
}

pub(crate) fn target(port: u16) -> TargetAddr {
    SocketAddr::from(([192, 0, 2, 1], port)).into()
}
