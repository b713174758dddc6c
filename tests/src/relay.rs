//! A TCP relay in front of a server that loses answers on demand.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Passes everything on, until a statement with the armed words went by: that connection's answers
/// are lost from then on, and nothing more of what it says gets through. Others are not touched.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: String,
    armed: Arc<Mutex<Option<String>>>,
    lost: watch::Receiver<u32>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay on a free port of `host` in front of `server`.
    pub async fn start(host: IpAddr, server: String) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let armed = Arc::new(Mutex::new(None));
        let (count, lost) = watch::channel(0);
        let shared = Arc::clone(&armed);
        let task = tokio::spawn(async move {
            let mut pipes = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let pipe = Pipe { armed: Arc::clone(&shared), lost: count.clone() };
                let server = server.clone();
                pipes.spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        pipe.run(client, server).await;
                    }
                });
            }
        });
        Self { address, armed, lost, task }
    }

    /// Loses the answer to the next statement that contains these words, once.
    pub fn lose_answer_to(&self, words: &str) {
        *self.armed.lock().unwrap() = Some(words.to_owned());
    }

    /// Waits until the answer has been lost.
    pub async fn until_lost(&mut self) {
        let losing = self.lost.wait_for(|count| *count > 0);
        tokio::time::timeout(crate::LIMIT, losing).await.expect("never lost").unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Pipe {
    armed: Arc<Mutex<Option<String>>>,
    lost: watch::Sender<u32>,
}

impl Pipe {
    async fn run(self, mut client: TcpStream, mut server: TcpStream) {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let mut asked = vec![0; 65_536];
        let mut answered = vec![0; 65_536];
        loop {
            tokio::select! {
                read = from_client.read(&mut asked) => {
                    let Ok(length @ 1..) = read else { return };
                    let is_armed = self.is_armed(&asked[..length]);
                    if to_server.write_all(&asked[..length]).await.is_err() {
                        return;
                    }
                    if is_armed {
                        // The server is heard to its end, so that the statement is done whole.
                        self.lost.send_modify(|count| *count += 1);
                        while matches!(from_server.read(&mut answered).await, Ok(1..)) {}
                        return;
                    }
                }
                read = from_server.read(&mut answered) => {
                    let Ok(length @ 1..) = read else { return };
                    if to_client.write_all(&answered[..length]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn is_armed(&self, asked: &[u8]) -> bool {
        let mut armed = self.armed.lock().unwrap();
        let found = armed
            .as_ref()
            .is_some_and(|words| asked.windows(words.len()).any(|part| part == words.as_bytes()));
        if found {
            *armed = None;
        }
        found
    }
}
