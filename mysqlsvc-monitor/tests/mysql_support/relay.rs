//! A way to a server that can be slow, or change what is said.

use mysqlsvc_core::NodeId;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What becomes of the bytes that pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    Free,
    /// What a client sends in a text with these words, and whatever it sends after, reaches the
    /// server when the way is free again, though the client be gone by then.
    Held(&'static str),
    /// No answer of the server has a column `read_only` any more.
    Garbled,
}

/// A relay to one server.
pub(crate) struct Relay {
    pub(crate) node: NodeId,
    pub(crate) way: watch::Sender<Way>,
    open: watch::Receiver<usize>,
    /// A text was held.
    holds: watch::Receiver<bool>,
}

impl Relay {
    pub(crate) async fn to(server: &NodeId) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = listener.local_addr().unwrap().to_string().parse().unwrap();
        let (way, ways) = watch::channel(Way::Free);
        let (count, open) = watch::channel(0);
        let (hold, holds) = watch::channel(false);
        let server = (server.host().to_owned(), server.port());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.send_modify(|open| *open += 1);
                let (ways, count, hold, server) =
                    (ways.clone(), count.clone(), hold.clone(), server.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        there(from_client, to_server, ways.clone(), hold),
                        back(from_server, to_client, ways)
                    );
                    count.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { node, way, open, holds }
    }

    /// Waits until the server has ended all sessions, and so has done what it was told in them.
    pub(crate) async fn drained(&mut self) {
        let drained = self.open.wait_for(|open| *open == 0);
        super::bounded(drained).await.unwrap();
    }

    /// Whether anything was ever held.
    pub(crate) fn has_held(&self) -> bool {
        *self.holds.borrow()
    }
}

async fn there(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    mut ways: watch::Receiver<Way>,
    hold: watch::Sender<bool>,
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut bytes).await {
        let stops = match &*ways.borrow() {
            Way::Held(words) => contains(&bytes[..length], words.as_bytes()),
            _ => false,
        };
        if stops {
            hold.send_replace(true);
            let _ = ways.wait_for(|way| *way == Way::Free).await;
        }
        if server.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    let _ = server.shutdown().await;
}

async fn back(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, ways: watch::Receiver<Way>) {
    const COLUMN: &[u8] = b"read_only";
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = server.read(&mut bytes).await {
        let seen = &mut bytes[..length];
        if *ways.borrow() == Way::Garbled {
            for at in 0..seen.len().saturating_sub(COLUMN.len() - 1) {
                if seen[at..].starts_with(COLUMN) {
                    seen[at] = b'x';
                }
            }
        }
        // A client that is gone keeps the server from nothing.
        let _ = client.write_all(seen).await;
    }
    let _ = client.shutdown().await;
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}
