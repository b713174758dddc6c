use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mysqlsvc_core::Millis;

use super::*;

const CONFIG: ProbeConfig =
    ProbeConfig { interval: Millis(10_000), timeout: Millis(500), failures: 3 };

/// Servers that do what the test says, and never answer otherwise.
#[derive(Default)]
struct Servers {
    answers: Mutex<BTreeMap<NodeId, Vec<LookError>>>,
    looks: AtomicUsize,
}

#[async_trait]
impl Looker for Servers {
    async fn look(&self, node: &NodeId) -> Look {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let next = self.answers.lock().unwrap().get_mut(node).and_then(Vec::pop);
        match next {
            Some(seen) => Look { begun: self.now(), ended: self.now(), seen: Err(seen) },
            None => std::future::pending().await,
        }
    }

    fn now(&self) -> Now {
        Now::default()
    }
}

fn node(name: &str) -> NodeId {
    format!("{name}:3306").parse().unwrap()
}

fn refused() -> LookError {
    LookError::Refused { detail: "1045".to_owned() }
}

fn unreachable() -> LookError {
    LookError::Unreachable { detail: "connection refused".to_owned() }
}

/// Answers are given in the order of the list.
fn prober(
    answers: &[(&str, Vec<LookError>)],
) -> (Prober<Servers>, mpsc::Receiver<(NodeId, Look)>, BTreeSet<NodeId>) {
    let servers = Servers::default();
    for (name, answers) in answers {
        let reversed = answers.iter().rev().cloned().collect();
        servers.answers.lock().unwrap().insert(node(name), reversed);
    }
    let (sender, looks) = mpsc::channel(8);
    let nodes = answers.iter().map(|(name, _)| node(name)).collect();
    (Prober::new(Arc::new(servers), CONFIG, sender), looks, nodes)
}

async fn next(looks: &mut mpsc::Receiver<(NodeId, Look)>) -> (NodeId, LookError) {
    let (node, look) = looks.recv().await.unwrap();
    (node, look.seen.unwrap_err())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_delays_only_itself() {
    let (mut prober, mut looks, nodes) = prober(&[("hung", vec![]), ("quick", vec![refused()])]);
    let begun = Instant::now();
    prober.watch(&nodes);
    assert_eq!(next(&mut looks).await, (node("quick"), refused()));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(next(&mut looks).await, (node("hung"), LookError::Hung { limit: Millis(500) }));
    prober.stop().await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_believed_after_as_many_looks_as_configured() {
    let answers = vec![refused(), unreachable(), unreachable(), unreachable(), unreachable()];
    let (mut prober, mut looks, nodes) = prober(&[("db", answers)]);
    prober.watch(&nodes);
    assert_eq!(next(&mut looks).await.1, refused());
    assert_eq!(next(&mut looks).await.1, unreachable());
    assert_eq!(prober.looker.looks.load(Ordering::SeqCst), 4);
    // From now on every one counts.
    assert_eq!(next(&mut looks).await.1, unreachable());
    assert_eq!(prober.looker.looks.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answered_is_known_to_be_dead_at_once() {
    let (mut prober, mut looks, nodes) = prober(&[("db", vec![unreachable()])]);
    prober.watch(&nodes);
    assert_eq!(next(&mut looks).await.1, unreachable());
    assert_eq!(prober.looker.looks.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operation_quickens_the_pace_and_is_followed_by_a_look() {
    let (mut prober, mut looks, nodes) = prober(&[("db", vec![refused(); 4])]);
    prober.watch(&nodes);
    let begun = Instant::now();
    next(&mut looks).await;
    prober.set_pace(Pace::Fast);
    next(&mut looks).await;
    assert_eq!(begun.elapsed(), FAST);
    prober.set_pace(Pace::Calm);
    next(&mut looks).await;
    assert_eq!(begun.elapsed(), FAST);
    next(&mut looks).await;
    assert_eq!(begun.elapsed(), FAST + Duration::from(CONFIG.interval));
}

#[tokio::test(start_paused = true)]
async fn watching_follows_the_set_of_servers() {
    let answers = || vec![refused(); 100];
    let (mut prober, mut looks, nodes) = prober(&[("a", answers()), ("b", answers())]);
    prober.watch(&nodes);
    let first: BTreeSet<_> = [next(&mut looks).await.0, next(&mut looks).await.0].into();
    assert_eq!(first, nodes);
    prober.watch(&[node("b")].into());
    for _ in 0..3 {
        assert_eq!(next(&mut looks).await.0, node("b"));
    }
    prober.stop().await;
    assert_eq!(looks.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_ends_during_a_look_is_followed_by_another() {
    let (mut prober, mut looks, nodes) = prober(&[("db", vec![])]);
    let begun = Instant::now();
    prober.watch(&nodes);
    tokio::time::sleep(Duration::from_millis(100)).await;
    prober.set_pace(Pace::Fast);
    prober.set_pace(Pace::Calm);
    let timeout = Duration::from(CONFIG.timeout) + GRACE;
    for number in 1..=2 {
        next(&mut looks).await;
        assert_eq!(begun.elapsed(), timeout * number);
    }
}
