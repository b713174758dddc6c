//! Clone: a replica becomes a copy of another member, whatever it was before.

use mysqlsvc_core::{
    ActionError, ActionErrorKind, Identity, NodeId, Probe, ReadOnly, ServerVersion,
    backend::{Finding, Inspection, Observed, Severity},
    engine::{Answer, Effect, Event, Reason, Request},
    journal::Outcome,
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, gtids, node, probe, refused};

fn clone_of(address: &str, donor: Option<&str>, dry_run: bool) -> Request {
    let confirm = Some(node(address)).filter(|_| !dry_run);
    Request::Clone { node: node(address), donor: donor.map(node), confirm, dry_run }
}

/// The slave with a transaction of its own.
fn diverged() -> Probe {
    probe(3, Some((MASTER, 1)), "0-1-9,0-3-10")
}

fn as_ever(address: &str) -> Probe {
    match address {
        MASTER => probe(1, None, "0-1-9"),
        _ => probe(2, Some((MASTER, 1)), "0-1-9"),
    }
}

/// Asks, and answers what is looked for.
fn ask(hand: &mut Hand, dry_run: bool) {
    hand.look(SLAVE, Ok(diverged()));
    hand.ask(clone_of(SLAVE, None, dry_run));
    hand.look(MASTER, Ok(as_ever(MASTER)));
    hand.inspect(SLAVE, diverged());
    hand.inspect(STANDBY, as_ever(STANDBY));
    hand.pending.retain(|effect| !matches!(effect, Effect::Look { .. } | Effect::Inspect { .. }));
}

/// Up to the copy.
fn begin(hand: &mut Hand) {
    ask(hand, false);
    hand.persist();
    hand.persist();
    hand.answer("make c:3306 read-only", Ok(Observed::Nothing));
    hand.persist();
}

fn end(hand: &mut Hand) {
    hand.answer("replace the data of c:3306 by a copy of b:3306", Ok(copied()));
    hand.persist();
    hand.answer("let c:3306 replicate from a:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.persist();
}

fn copied() -> Observed {
    Observed::Copied(gtids("0-1-12"))
}

fn is_copy_due(hand: &Hand) -> bool {
    hand.engine.journal().intent().is_copy_due(&node(SLAVE))
}

fn ends_copy_of(hand: &mut Hand) -> NodeId {
    hand.take_one("end of a copy", |effect| match effect {
        Effect::EndCopy { node } => Some(node.clone()),
        _ => None,
    })
}

#[test]
fn a_diverged_replica_is_a_replica_again_once_it_is_a_copy() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    hand.look(SLAVE, Ok(diverged()));
    assert!(hand.state(SLAVE).starts_with("ERROR (copy due"), "{}", hand.state(SLAVE));
    end(&mut hand);
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    assert!(!is_copy_due(&hand));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    assert_eq!(hand.state(SLAVE), "OK", "what it had before counts as gone");
}

#[test]
fn a_look_that_began_before_the_copy_was_whole_says_nothing_of_it() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    let begun = hand.now;
    end(&mut hand);
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    let late = mysqlsvc_core::Look { begun, ended: hand.now, seen: Ok(diverged()) };
    hand.tell(Event::Looked { node: node(SLAVE), look: late });
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    assert_eq!(hand.state(SLAVE), "OK");
}

#[test]
fn it_is_asked_for_with_open_eyes() {
    let mut hand = Hand::cluster();
    let request =
        |confirm| Request::Clone { node: node(SLAVE), donor: None, confirm, dry_run: false };
    hand.ask(request(None));
    assert_eq!(hand.refusal(), Reason::NotConfirmed);
    hand.ask(request(Some(node(STANDBY))));
    assert_eq!(hand.refusal(), Reason::NotConfirmed);
    ask(&mut hand, true);
    let Ok(Answer::Planned { plan, warnings }) = hand.reply() else { panic!("no plan") };
    assert_eq!(plan.steps.len(), 4);
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.text.contains("0-3-10"), "{}", warning.text);
    assert!(!hand.engine.is_operating());
}

#[test]
fn neither_the_master_nor_from_itself_nor_from_one_that_is_not_ok() {
    let mut hand = Hand::cluster();
    hand.ask(clone_of(MASTER, None, true));
    assert_eq!(hand.refusal(), Reason::WrongState);
    hand.ask(clone_of(SLAVE, Some(SLAVE), true));
    assert_eq!(hand.refusal(), Reason::NotApplicable);
    hand.look(STANDBY, Ok(Probe { read_only: ReadOnly::Off, ..as_ever(STANDBY) }));
    hand.ask(clone_of(SLAVE, Some(STANDBY), true));
    assert_eq!(hand.refusal(), Reason::WrongState);
    hand.ask(clone_of(SLAVE, Some(MASTER), true));
    assert!(
        hand.engine
            .snapshot()
            .nodes
            .iter()
            .all(|seen| seen.allowed.iter().all(|allowed| {
                allowed.operation != "clone" || allowed.refusal.as_ref().is_some()
            })),
        "while one request is checked, no other is let in"
    );
}

#[test]
fn files_of_another_release_are_not_taken() {
    let mut hand = Hand::cluster();
    let version = ServerVersion::new(11, 8, 6);
    hand.look(SLAVE, Ok(Probe { version, ..diverged() }));
    hand.ask(clone_of(SLAVE, Some(STANDBY), true));
    assert_eq!(hand.refusal(), Reason::Incompatible);
}

#[test]
fn what_keeps_a_server_from_being_copied_is_said_before_anything_is_done() {
    let mut hand = Hand::cluster();
    hand.ask(clone_of(SLAVE, Some(STANDBY), false));
    hand.look(MASTER, Ok(as_ever(MASTER)));
    hand.inspect(SLAVE, diverged());
    let begun = hand.now;
    let missing = Finding {
        id: "clone-plugin-missing".to_owned(),
        severity: Severity::Error,
        text: "INSTALL PLUGIN".to_owned(),
    };
    let found = Inspection { copying: vec![missing], ..Inspection::clean(as_ever(STANDBY)) };
    hand.tell(Event::Inspected { node: node(STANDBY), begun, result: Ok(found) });
    assert_eq!(hand.refusal(), Reason::NotApplicable);
}

#[test]
fn a_copy_that_fails_is_named_and_nothing_is_built_on_its_remains() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    hand.answer("replace the data", Err(refused(SLAVE)));
    hand.persist();
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    let last = hand.engine.journal().history().last().cloned().unwrap();
    assert!(last.left_undone().is_some());
    // It says to follow the master and to have everything, and none of it need be true.
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    assert!(hand.state(SLAVE).starts_with("ERROR (copy due"), "{}", hand.state(SLAVE));
    assert_eq!(hand.alarms(), ["copy-due"]);
    hand.take();
    hand.ask_of(Request::activate(node(SLAVE)), SLAVE, diverged());
    hand.inspect(MASTER, as_ever(MASTER));
    assert_eq!(hand.refusal(), Reason::WrongState);
    ask(&mut hand, false);
    hand.persist();
    hand.persist();
    hand.answer("make c:3306 read-only", Ok(Observed::Nothing));
    hand.persist();
    end(&mut hand);
    assert!(!is_copy_due(&hand));
}

#[test]
fn a_copy_whose_answer_is_lost_is_made_once_more() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    let lost = || ActionError { kind: ActionErrorKind::Unknown, ..refused(SLAVE) };
    hand.answer("replace the data", Err(lost()));
    hand.until_run();
    hand.answer("replace the data", Err(lost()));
    assert!(hand.engine.journal().running().is_some_and(|running| running.left_undone().is_some()));
}

#[test]
fn a_server_that_is_on_its_way_back_is_waited_for() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    for _ in 0..10 {
        let away = ActionError { kind: ActionErrorKind::Unreachable, ..refused(SLAVE) };
        hand.answer("replace the data", Err(away));
        hand.until_run();
    }
    end(&mut hand);
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn it_can_be_given_up_at_any_time_and_ends_when_the_copy_has() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    hand.take_one("reply", |effect| matches!(effect, Effect::Reply { .. }).then_some(()));
    let operation = hand.engine.journal().running().unwrap().operation;
    hand.ask(Request::Abandon { operation });
    assert_eq!(ends_copy_of(&mut hand), node(SLAVE));
    hand.answer("replace the data", Err(refused(SLAVE)));
    hand.persist();
    assert_eq!(hand.outcome(), Some(Outcome::Abandoned));
    assert!(is_copy_due(&hand));
}

#[test]
fn a_restart_goes_on_with_the_copy() {
    let mut hand = Hand::cluster();
    begin(&mut hand);
    let mut hand = hand.crash_and_restart();
    assert!(is_copy_due(&hand));
    end(&mut hand);
    assert_eq!(hand.outcome(), Some(Outcome::Succeeded));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-12")));
    assert_eq!(hand.state(SLAVE), "OK");
}

#[test]
fn a_new_server_at_an_old_address_is_taken_over() {
    let mut hand = Hand::cluster();
    let identity = Identity { server_id: 7, server_uuid: None };
    let new = |executed| Probe { identity, ..probe(7, Some((MASTER, 1)), executed) };
    hand.look(SLAVE, Ok(Probe { replication: None, ..new("") }));
    assert!(hand.state(SLAVE).starts_with("ERROR (identity"), "{}", hand.state(SLAVE));
    hand.ask(clone_of(SLAVE, Some(STANDBY), false));
    hand.look(MASTER, Ok(as_ever(MASTER)));
    hand.inspect(SLAVE, Probe { replication: None, ..new("") });
    hand.inspect(STANDBY, as_ever(STANDBY));
    hand.persist();
    hand.persist();
    hand.answer("make c:3306 read-only", Ok(Observed::Nothing));
    hand.persist();
    end(&mut hand);
    hand.look(SLAVE, Ok(new("0-1-12")));
    assert_eq!(hand.state(SLAVE), "OK");
}
