//! The whole over loopback TCP, with real time: nothing here waits but for a condition.

use std::time::Duration;

use mysqlsvc_proxy::{
    FindLimits, Forwarder, ForwarderHandle, GateLimits, HoldCounts, TargetSet, Targets,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::common::{Client, Manner, Server, refusing, until, within};

const HOLD: Duration = Duration::from_secs(50);

fn start(forwarder: Forwarder) -> ForwarderHandle {
    forwarder.start("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn to(servers: &[&Server]) -> Forwarder {
    Forwarder::mysql().targets(Targets::fixed(servers.iter().map(|server| server.target())))
}

fn find_limit(total: Duration) -> FindLimits {
    let mut limits = FindLimits::default();
    limits.total = total;
    limits
}

fn queue(places: usize) -> GateLimits {
    let mut limits = GateLimits::default();
    limits.queue = places;
    limits
}

#[tokio::test]
async fn connections_go_to_each_target_in_turn() {
    let (one, two) =
        (Server::start("one", Manner::Greets).await, Server::start("two", Manner::Greets).await);
    let forwarder = start(to(&[&one, &two]));
    for name in ["one", "two", "one", "two", "one", "two"] {
        let mut client = Client::connect(forwarder.local_addr()).await;
        assert_eq!(client.met(), name);
        client.echo(b"hello").await;
    }
}

#[tokio::test]
async fn a_hold_parks_before_dialling_and_releases_to_the_new_server() {
    let (old, new) =
        (Server::start("old", Manner::Greets).await, Server::start("new", Manner::Greets).await);
    let forwarder = start(to(&[&old]));
    let mut before = Client::connect(forwarder.local_addr()).await;

    let hold = forwarder.gate().shut(HOLD);
    let waiting = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    let gate = forwarder.gate().clone();
    until("one waits", || gate.counts().held == 1).await;
    assert_eq!(within(hold.settled()).await, Ok(HoldCounts { held: 1, active: 1 }));
    assert_eq!(old.accepted(), 1);

    forwarder.targets().replace(TargetSet::new(2, [new.target()]));
    forwarder.gate().open();
    assert_eq!(Client::greeted(waiting).await.met(), "new");
    // The route changed; the connection from before is its server's affair.
    before.echo(b"still here").await;
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "new");
    assert_eq!(old.accepted(), 1);
}

#[tokio::test]
async fn a_hold_waits_for_a_dial_in_flight_no_longer_than_the_grace() {
    let (silent, good) = (
        Server::start("silent", Manner::Silent).await,
        Server::start("good", Manner::Greets).await,
    );
    let forwarder = start(to(&[&silent]));
    let client = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    until("it dials", || silent.accepted() == 1).await;
    let hold = forwarder.gate().shut(HOLD);
    assert_eq!(within(hold.settled()).await, Ok(HoldCounts { held: 1, active: 0 }));
    forwarder.targets().replace(TargetSet::new(2, [good.target()]));
    forwarder.gate().open();
    assert_eq!(Client::greeted(client).await.met(), "good");
}

#[tokio::test]
async fn a_full_queue_is_told_as_too_many_connections() {
    let server = Server::start("one", Manner::Greets).await;
    let forwarder = start(to(&[&server]).gate_limits(queue(1)));
    forwarder.gate().shut(HOLD);
    let waiting = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    let gate = forwarder.gate().clone();
    until("one waits", || gate.counts().held == 1).await;
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "error 1040");
    forwarder.gate().open();
    assert_eq!(Client::greeted(waiting).await.met(), "one");
    assert_eq!(forwarder.stats().snapshot().refused_queue_full, 1);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_gives_its_place_back() {
    let forwarder = start(Forwarder::mysql());
    let gate = forwarder.gate().clone();
    gate.shut(HOLD);
    let client = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    until("it waits", || gate.counts().held == 1).await;
    drop(client);
    until("its place is free", || gate.counts().held == 0).await;
    assert_eq!(forwarder.stats().snapshot().left_waiting, 1);
}

#[tokio::test]
async fn bad_targets_are_passed_over_until_one_greets() {
    let bad = [
        Server::start("full", Manner::SaysError).await,
        Server::start("closing", Manner::Closes).await,
    ];
    let good = Server::start("good", Manner::Greets).await;
    let targets = [refusing().await, bad[0].target(), bad[1].target(), good.target()];
    let forwarder = start(Forwarder::mysql().targets(Targets::fixed(targets)));
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "good");
    assert_eq!((bad[0].accepted(), bad[1].accepted()), (1, 1));
    assert_eq!(forwarder.stats().snapshot().dial_failures, 3);
}

#[tokio::test]
async fn a_silent_target_is_given_up_for_the_next() {
    let silent = Server::start("silent", Manner::Silent).await;
    let good = Server::start("good", Manner::Greets).await;
    let forwarder = start(
        to(&[&silent, &good])
            // The good one has to keep it, too.
            .greeting(mysqlsvc_proxy::mysql_greeting::MySqlGreeting, Duration::from_secs(1)),
    );
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "good");
    assert_eq!(silent.accepted(), 1);
}

#[tokio::test]
async fn with_no_target_the_client_is_told_by_an_error_packet() {
    let limits = find_limit(Duration::from_millis(20));
    let forwarder = start(Forwarder::mysql().find_limits(limits));
    let mut client = Client::connect(forwarder.local_addr()).await;
    assert_eq!(client.met(), "error 1053");
    assert_eq!(within(client.stream.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(forwarder.stats().snapshot().refused_no_target, 1);
}

#[tokio::test]
async fn above_the_limit_of_connections_clients_are_told_so() {
    let server = Server::start("one", Manner::Greets).await;
    let forwarder = start(to(&[&server]).max_connections(1));
    let first = Client::connect(forwarder.local_addr()).await;
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "error 1040");
    drop(first);
    let gate = forwarder.gate().clone();
    until("the first has ended", || gate.counts().active == 0).await;
    // The place is free once the accept loop has seen the task end, which comes a moment later.
    while Client::connect(forwarder.local_addr()).await.met() != "one" {}
}

#[tokio::test]
async fn without_a_greeting_the_client_may_speak_first() {
    let server = Server::start("one", Manner::Greets).await;
    let forwarder = start(Forwarder::new().targets(Targets::fixed([server.target()])));
    let mut client = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut client = Client::greeted(client).await;
    assert_eq!(client.met(), "one");
    let mut back = [0; 5];
    within(client.stream.read_exact(&mut back)).await.unwrap();
    assert_eq!(&back, b"hello");
}

#[tokio::test]
async fn targets_are_found_by_name_too() {
    let server = Server::start("one", Manner::Greets).await;
    let target = format!("localhost:{}", server.addr.port()).parse().unwrap();
    let forwarder = start(Forwarder::mysql().targets(Targets::fixed([target])));
    assert_eq!(Client::connect(forwarder.local_addr()).await.met(), "one");
}

#[tokio::test]
async fn a_drain_refuses_new_connections_lets_old_ones_end_and_returns() {
    let server = Server::start("one", Manner::Greets).await;
    let mut forwarder = start(to(&[&server]));
    let address = forwarder.local_addr();
    let mut client = Client::connect(address).await;
    let draining = tokio::spawn(async move { forwarder.drain(HOLD).await });
    while TcpStream::connect(address.0).await.is_ok() {}
    client.echo(b"not cut").await;
    drop(client);
    let report = within(draining).await.unwrap();
    assert!(report.ended >= 1 && report.cut == 0, "{report:?}");
}

#[tokio::test]
async fn a_drain_tells_those_who_wait_and_cuts_those_who_stay() {
    let server = Server::start("one", Manner::Greets).await;
    let token = CancellationToken::new();
    let mut forwarder = start(to(&[&server]).shutdown(token.clone(), Duration::ZERO));
    let mut standing = Client::connect(forwarder.local_addr()).await;
    let gate = forwarder.gate().clone();
    gate.shut(HOLD);
    let waiting = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
    until("one waits", || gate.counts().held == 1).await;
    token.cancel();
    let report = within(forwarder.wait()).await;
    assert_eq!((report.ended, report.cut), (0, 2));
    assert_eq!(Client::greeted(waiting).await.met(), "error 1053");
    assert_eq!(within(standing.stream.read(&mut [0])).await.unwrap_or(0), 0);
    assert_eq!((gate.counts().held, gate.counts().active), (0, 0));
}

#[tokio::test]
async fn dropping_the_handle_ends_everything() {
    let server = Server::start("one", Manner::Greets).await;
    let forwarder = start(to(&[&server]));
    let gate = forwarder.gate().clone();
    let mut client = Client::connect(forwarder.local_addr()).await;
    drop(forwarder);
    assert_eq!(within(client.stream.read(&mut [0])).await.unwrap_or(0), 0);
    until("no connection is left", || gate.counts().active == 0).await;
}

#[tokio::test]
async fn connections_reset_in_a_loop_leave_nothing_behind() {
    let server = Server::start("one", Manner::Greets).await;
    let forwarder = start(to(&[&server]));
    let gate = forwarder.gate().clone();
    // One warm-up, so that what is opened once and kept is not counted.
    drop(Client::connect(forwarder.local_addr()).await);
    until("the first has ended", || gate.counts().active == 0).await;
    let before = descriptors();
    for round in 0..500 {
        let stream = TcpStream::connect(forwarder.local_addr().0).await.unwrap();
        stream.set_zero_linger().unwrap();
        // Some reset before they are greeted, some after, some with bytes under way.
        match round % 3 {
            0 => drop(stream),
            1 => drop(Client::greeted(stream).await),
            _ => {
                let mut client = Client::greeted(stream).await;
                client.stream.write_all(&[b'x'; 10_000]).await.unwrap();
            }
        }
    }
    let stats = forwarder.stats().clone();
    until("all 501 are accepted", || stats.snapshot().accepted == 501).await;
    until("no connection is left", || {
        let counts = gate.counts();
        counts.active + counts.dialling + counts.held == 0
    })
    .await;
    until("no descriptor is left", || descriptors() <= before).await;
    let total: u64 = stats
        .snapshot()
        .named()
        .filter(|(name, _)| {
            name.ends_with("failed") || name.contains("closed") || *name == "left_waiting"
        })
        .map(|(_, count)| count)
        .sum();
    assert_eq!(total, 501, "{:?}", stats.snapshot());
}

/// Open file descriptors of this process. Other tests of the same process only add to them for
/// a while; under nextest there are none.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
