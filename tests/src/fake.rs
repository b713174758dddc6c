//! Things at an address that are no servers of ours.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Listens on loopback until dropped.
#[derive(Debug)]
pub struct Fake {
    /// `127.0.0.1:port`.
    pub address: String,
    accepting: JoinHandle<()>,
}

impl Fake {
    /// Accepts, and never says a word.
    pub async fn silent() -> Self {
        Self::start(async |mut stream: TcpStream| {
            let mut sink = Vec::new();
            let _ = stream.read_to_end(&mut sink).await;
        })
        .await
    }

    /// Greets as a server of `version`, lets everybody in, and says that it is that version to
    /// whatever is asked.
    pub async fn of_version(version: &'static str) -> Self {
        Self::start(async move |stream| {
            let _ = serve(stream, version).await;
        })
        .await
    }

    /// Speaks something else altogether.
    pub async fn of_another_protocol() -> Self {
        Self::start(async |mut stream: TcpStream| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").await;
            let mut sink = Vec::new();
            let _ = stream.read_to_end(&mut sink).await;
        })
        .await
    }

    async fn start<F>(talk: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let accepting = tokio::spawn(async move {
            let mut talking = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                talking.spawn(talk(stream));
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The protocol of MySQL, as little of it as a login needs.
async fn serve(mut stream: TcpStream, version: &str) -> std::io::Result<()> {
    stream.write_all(&packet(0, &greeting(version))).await?;
    let _login = read_packet(&mut stream).await?;
    stream.write_all(&packet(2, &OK)).await?;
    loop {
        let _question = read_packet(&mut stream).await?;
        stream.write_all(&answer(version)).await?;
    }
}

const OK: [u8; 7] = [0, 0, 0, 2, 0, 0, 0];

fn greeting(version: &str) -> Vec<u8> {
    let mut payload = vec![10];
    payload.extend_from_slice(version.as_bytes());
    // Connection id, first part of the nonce, capabilities (protocol 4.1, plugin auth, multi
    // results and statements), character set, status, length of the nonce.
    payload.extend_from_slice(&[0, 1, 0, 0, 0]);
    payload.extend_from_slice(b"abcdefgh\0");
    payload.extend_from_slice(&[0x08, 0x82, 45, 2, 0, 0x0b, 0x00, 21]);
    payload.extend_from_slice(&[0; 10]);
    payload.extend_from_slice(b"ijklmnopqrst\0mysql_native_password\0");
    payload
}

/// One row of one column `version`, after an OK for the SET before it.
fn answer(version: &str) -> Vec<u8> {
    let more = [0, 0, 0, 0x0a, 0, 0, 0];
    let mut column = Vec::new();
    for text in ["def", "", "", "", "version", "version"] {
        push_text(&mut column, text);
    }
    column.extend_from_slice(&[0x0c, 45, 0, 255, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
    let mut row = Vec::new();
    push_text(&mut row, version);
    let end = [0xfe, 0, 0, 2, 0];
    let payloads: [&[u8]; 6] = [&more, &[1], &column, &end, &row, &end];
    (1..).zip(payloads).flat_map(|(number, payload)| packet(number, payload)).collect()
}

fn push_text(to: &mut Vec<u8>, text: &str) {
    to.push(u8::try_from(text.len()).unwrap());
    to.extend_from_slice(text.as_bytes());
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let mut packet = vec![length[0], length[1], length[2], number];
    packet.extend_from_slice(payload);
    packet
}

async fn read_packet(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}
