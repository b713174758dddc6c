//! What is shown as not allowed is refused, for the same reason.

use std::collections::BTreeMap;

use mysqlsvc_core::{
    NodeId, Probe, ReadOnly, Role,
    engine::{Answer, Effect, Refusal, Request},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, switch_to};

/// What looks and inspections see, by address.
type Seen = BTreeMap<NodeId, Probe>;

fn well() -> Seen {
    let replica = |id| probe(id, Some((MASTER, 1)), "0-1-9");
    let master = probe(1, None, "0-1-9");
    [(node(MASTER), master), (node(STANDBY), replica(2)), (node(SLAVE), replica(3))].into()
}

fn with(address: &str, change: impl FnOnce(&mut Probe)) -> Seen {
    let mut seen = well();
    change(seen.get_mut(&node(address)).unwrap());
    seen
}

/// Asks, and shows what is to be seen until the answer is there.
fn answer(hand: &mut Hand, request: Request, seen: &Seen) -> Result<Answer, Refusal> {
    hand.take();
    hand.ask(request);
    loop {
        let effects = hand.take();
        assert!(!effects.is_empty(), "it waits for ever");
        for effect in effects {
            match effect {
                Effect::Reply { answer, .. } => return answer,
                Effect::Look { node } => hand.look(&node.to_string(), Ok(seen[&node].clone())),
                Effect::Inspect { node } => hand.inspect(&node.to_string(), seen[&node].clone()),
                _ => {}
            }
        }
    }
}

fn request(operation: &str, node: &NodeId) -> Option<Request> {
    let register = |role| Request::Register { node: node.clone(), role };
    Some(match operation {
        "register-master" => register(Role::Master),
        "register-standby" => register(Role::Standby),
        "register-slave" => register(Role::Slave),
        "unregister" => Request::Unregister { node: node.clone() },
        "activate" => Request::activate(node.clone()),
        "detach" => Request::Detach { node: node.clone() },
        "pause" => Request::Pause { node: node.clone() },
        "resume" => Request::Resume { node: node.clone() },
        "switch" => switch_to(&node.to_string(), true),
        // Its donor is chosen by what is seen of all.
        "clone" => return None,
        other => panic!("{other} is shown, and not known here"),
    })
}

/// How many refusals were held against the answers.
fn agree(what: &str, seen: &Seen) -> usize {
    let mut hand = Hand::cluster();
    // Replicas first: only what the master lacks *later* is errant.
    for address in [STANDBY, SLAVE, MASTER] {
        hand.look(address, Ok(seen[&node(address)].clone()));
    }
    let mut compared = 0;
    for shown in hand.engine.snapshot().nodes {
        for allowed in shown.allowed {
            let request = request(allowed.operation, &shown.node);
            let (Some(expected), Some(request)) = (allowed.refusal, request) else { continue };
            let answered = answer(&mut hand, request, seen).map_err(|refusal| refusal.reason);
            let case = format!("{what}: {} {}", allowed.operation, shown.node);
            assert_eq!(answered, Err(expected.reason), "{case}");
            compared += 1;
        }
    }
    compared
}

fn is_refused(seen: &Seen, operation: &str, address: &str) -> bool {
    let mut hand = Hand::cluster();
    for address in [STANDBY, SLAVE, MASTER] {
        hand.look(address, Ok(seen[&node(address)].clone()));
    }
    let nodes = hand.engine.snapshot().nodes;
    let shown = nodes.iter().find(|shown| shown.node == node(address)).unwrap();
    shown.allowed.iter().any(|one| one.operation == operation && one.refusal.is_some())
}

#[test]
fn what_is_shown_as_refused_is_refused_for_that_reason() {
    let errant = with(SLAVE, |seen| {
        *seen = Probe { read_only: ReadOnly::On, ..probe(3, None, "0-1-9,0-3-10") };
    });
    let ahead = {
        let mut seen = with(MASTER, |seen| seen.read_only = ReadOnly::On);
        seen.get_mut(&node(STANDBY)).unwrap().executed = gtids("0-1-11");
        seen
    };
    let replicating = with(MASTER, |seen| {
        *seen = Probe { read_only: ReadOnly::On, ..probe(1, Some((STANDBY, 2)), "0-1-9") };
    });
    let writable = with(SLAVE, |seen| seen.read_only = ReadOnly::Off);
    let lost = with(SLAVE, |seen| {
        let channel = seen.replication.as_mut().unwrap();
        (channel.source, channel.source_identity) = (node(STANDBY), None);
    });

    assert!(is_refused(&errant, "activate", SLAVE));
    assert!(is_refused(&ahead, "resume", MASTER));
    assert!(is_refused(&replicating, "resume", MASTER));
    for (what, seen) in [
        ("all is well", well()),
        ("a detached slave has a transaction of its own", errant),
        ("a closed master lacks what the standby has", ahead),
        ("a closed master replicates", replicating),
        ("a slave is writable", writable),
        ("a slave follows another", lost),
    ] {
        assert!(agree(what, &seen) > 5, "{what}");
    }
}
