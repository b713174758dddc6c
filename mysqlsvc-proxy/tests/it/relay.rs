//! The relay: in memory where time matters, over loopback TCP where the kernel does.

use std::io::ErrorKind;
use std::time::Duration;

use mysqlsvc_proxy::{CloseReason, Link, Relay, RelayReport, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::common::{info, target, within};

fn link<C, S>(client: C, server: S, first_bytes: &[u8], cut: &CancellationToken) -> Link<C, S> {
    Link {
        info: info(),
        client,
        target: target(1),
        epoch: 0,
        server,
        first_bytes: first_bytes.to_vec(),
        cut: cut.clone(),
    }
}

struct InMemory {
    client: DuplexStream,
    server: DuplexStream,
    cut: CancellationToken,
    relay: JoinHandle<Result<RelayReport, std::convert::Infallible>>,
}

impl InMemory {
    fn start(first_bytes: &[u8]) -> Self {
        let (client, near_client) = duplex(16);
        let (server, near_server) = duplex(16);
        let cut = CancellationToken::new();
        let link = link(near_client, near_server, first_bytes, &cut);
        Self { client, server, cut, relay: tokio::spawn(Relay::default().oneshot(link)) }
    }
}

/// Both ends of a TCP connection.
async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialled = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (dialled, listener.accept().await.unwrap().0)
}

/// A client and a server joined by a relay, over TCP.
async fn over_tcp() -> (TcpStream, TcpStream, JoinHandle<RelayReport>) {
    let ((client, near_client), (server, near_server)) = (tcp().await, tcp().await);
    let link = link(near_client, near_server, b"", &CancellationToken::new());
    let relay = tokio::spawn(async move {
        let Ok(report) = Relay::default().oneshot(link).await;
        report
    });
    (client, server, relay)
}

fn data(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

async fn rest_of(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    within(stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test(start_paused = true)]
async fn the_clients_end_reaches_the_server_which_may_still_answer() {
    let InMemory { mut client, mut server, relay, .. } = InMemory::start(b"");
    client.write_all(b"last question").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut server).await, b"last question");
    tokio::time::sleep(Duration::from_secs(9)).await;
    server.write_all(b"the answer").await.unwrap();
    tokio::time::sleep(Duration::from_secs(9)).await;
    server.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut client).await, b"the answer");
    let report = relay.await.unwrap().unwrap();
    assert_eq!(report.reason, CloseReason::Closed(Side::Client));
    assert_eq!((report.to_server, report.to_client), (13, 10));
}

#[tokio::test(start_paused = true)]
async fn the_servers_end_reaches_the_client_which_may_still_speak() {
    let InMemory { mut client, mut server, relay, .. } = InMemory::start(b"");
    let bytes = data(1000);
    let (sent, got) = tokio::join!(
        async {
            server.write_all(&bytes).await.unwrap();
            server.shutdown().await.unwrap();
        },
        rest_of(&mut client)
    );
    let ((), true) = (sent, got == bytes) else { panic!("bytes differ") };
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut server).await, b"bye");
    assert_eq!(relay.await.unwrap().unwrap().reason, CloseReason::Closed(Side::Server));
}

#[tokio::test(start_paused = true)]
async fn a_side_that_does_not_follow_the_others_end_is_closed_after_the_limit() {
    let InMemory { client, mut server, relay, .. } = InMemory::start(b"");
    let before = Instant::now();
    server.shutdown().await.unwrap();
    let report = relay.await.unwrap().unwrap();
    assert_eq!(report.reason, CloseReason::HalfClosed(Side::Server));
    assert_eq!(before.elapsed(), Relay::default().half_closed);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn the_client_gets_the_first_bytes_first() {
    let InMemory { mut client, mut server, .. } =
        InMemory::start(b"a greeting longer than the pipe; ");
    server.write_all(b"more").await.unwrap();
    let mut got = vec![0; 37];
    within(client.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, b"a greeting longer than the pipe; more");
}

#[tokio::test(start_paused = true)]
async fn cutting_ends_it_at_once() {
    let InMemory { client, server, cut, relay } = InMemory::start(b"");
    cut.cancel();
    assert_eq!(relay.await.unwrap().unwrap().reason, CloseReason::Cut);
    drop((client, server));
}

#[tokio::test]
async fn much_data_both_ways_at_once_arrives_whole() {
    let (client, server, relay) = over_tcp().await;
    let bytes = data(5_000_000);
    let both = |stream: TcpStream, bytes: Vec<u8>| {
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.into_split();
            let sending = tokio::spawn(async move {
                writer.write_all(&bytes).await.unwrap();
                writer.shutdown().await.unwrap();
            });
            let got = rest_of(&mut reader).await;
            sending.await.unwrap();
            got
        })
    };
    let (up, down) = (both(client, bytes.clone()), both(server, bytes.clone()));
    assert!(up.await.unwrap() == bytes && down.await.unwrap() == bytes);
    let report = within(relay).await.unwrap();
    assert_eq!((report.to_server, report.to_client), (5_000_000, 5_000_000));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sends_to_a_server_that_is_gone_is_taken_until_it_closes() {
    let InMemory { mut client, mut server, relay, .. } = InMemory::start(b"");
    server.write_all(b"killed").await.unwrap();
    drop(server);
    // More than the pipe holds: somebody has to read it.
    within(client.write_all(&data(1000))).await.unwrap();
    assert_eq!(rest_of(&mut client).await, b"killed");
    assert!(!relay.is_finished());
    drop(client);
    let report = relay.await.unwrap().unwrap();
    assert_eq!(report.reason, CloseReason::Closed(Side::Server));
}

/// What a killed session looks like: last packets, then a server that takes no more. Were the
/// client's socket closed with bytes of the client unread, the kernel would reset it and throw away
/// what it could not send yet. The server is in memory, since a real one's kernel may do just that
/// on its own side.
#[tokio::test]
async fn the_servers_last_words_reach_a_client_that_was_writing_and_reads_late() {
    const RESULT: usize = 8_000_000;
    let (mut client, near_client) = tcp().await;
    let (mut server, near_server) = duplex(RESULT);
    let bytes = data(RESULT);
    server.write_all(&bytes).await.unwrap();
    drop(server);
    client.write_all(&data(200_000)).await.unwrap();
    let link = link(near_client, near_server, b"", &CancellationToken::new());
    let relay = tokio::spawn(Relay::default().oneshot(link));

    assert!(rest_of(&mut client).await == bytes, "bytes differ");
    drop(client);
    let report = within(relay).await.unwrap().unwrap();
    assert_eq!(report.to_client, RESULT as u64);
    assert_eq!(report.reason, CloseReason::Failed(Side::Server, ErrorKind::BrokenPipe));
}

#[tokio::test]
async fn a_client_that_resets_ends_both_sides() {
    let (client, mut server, relay) = over_tcp().await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(rest_of(&mut server).await, b"");
    let report = within(relay).await.unwrap();
    assert_eq!(report.reason, CloseReason::Failed(Side::Client, ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn what_a_client_sent_before_it_closed_reaches_the_server() {
    let (mut client, mut server, relay) = over_tcp().await;
    // Bytes the client will not read: its close will be a reset.
    server.write_all(b"unread").await.unwrap();
    within(client.readable()).await.unwrap();
    client.write_all(b"COMMIT").await.unwrap();
    let mut got = [0; 6];
    within(server.read_exact(&mut got)).await.unwrap();
    drop(client);
    assert_eq!(&got, b"COMMIT");
    assert_eq!(rest_of(&mut server).await, b"");
    within(relay).await.unwrap();
}

#[tokio::test]
async fn a_server_that_resets_ends_both_sides() {
    let (mut client, server, relay) = over_tcp().await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(rest_of(&mut client).await, b"");
    drop(client);
    let report = within(relay).await.unwrap();
    assert_eq!(report.reason, CloseReason::Failed(Side::Server, ErrorKind::ConnectionReset));
}
