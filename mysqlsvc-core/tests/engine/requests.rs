use mysqlsvc_core::{
    IoThread, LookError, Probe, ReadOnly, Role, SqlThread,
    backend::{Finding, Observed, Severity},
    engine::{Answer, Effect, Event, Reason, Request},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, node, probe};

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let mut hand = Hand::cluster();
    let durable = hand.durable.len();
    hand.ask_switch(true);
    let Ok(Answer::Planned { plan, .. }) = hand.reply() else { panic!() };
    assert_eq!(plan.to, node(STANDBY));
    assert!(hand.pending.is_empty(), "{:#?}", hand.pending);
    assert_eq!(hand.durable.len(), durable);
    assert!(!hand.engine.is_operating());
}

#[test]
fn a_second_operation_is_refused_while_one_runs() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.take();
    hand.ask(Request::switch(node(SLAVE)));
    assert_eq!(hand.refusal(), Reason::Busy);
    hand.ask(Request::Unregister { node: node(SLAVE) });
    assert_eq!(hand.refusal(), Reason::Busy);
}

#[test]
fn a_switch_is_granted_only_when_it_is_durable() {
    let mut hand = Hand::cluster();
    hand.ask_switch(false);
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Reply { .. })));
    hand.persist();
    assert!(matches!(hand.reply(), Ok(Answer::Began(_))));
}

#[test]
fn a_switch_needs_a_master_that_is_ok() {
    let mut hand = Hand::cluster();
    hand.ask(Request::switch(node(STANDBY)));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9"));
    let (begun, result) = (hand.now, Err(LookError::Unreachable { detail: "gone".to_owned() }));
    hand.tell(Event::Inspected { node: node(MASTER), begun, result });
    assert_eq!(hand.refusal(), Reason::MasterNotOk);
}

#[test]
fn a_switch_is_refused_when_a_right_on_the_candidate_is_gone_since() {
    let mut hand = Hand::cluster();
    hand.ask(Request::switch(node(STANDBY)));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    let finding = Finding {
        id: "grant-missing".to_owned(),
        severity: Severity::Error,
        text: "GRANT READ ONLY ADMIN".to_owned(),
    };
    hand.inspect_with(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9"), vec![finding]);
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    let refused = hand.reply().unwrap_err();
    assert_eq!(refused.reason, Reason::Unfit);
    assert!(refused.detail.contains("READ ONLY ADMIN"), "{}", refused.detail);
}

#[test]
fn a_switch_is_judged_by_looks_that_began_after_it_was_asked_for() {
    let mut hand = Hand::cluster();
    hand.look(STANDBY, Err(LookError::Unreachable { detail: "refused".to_owned() }));
    hand.ask_switch(true);
    assert!(matches!(hand.reply(), Ok(Answer::Planned { .. })));
}

#[test]
fn a_switch_to_a_node_with_transactions_of_its_own_is_refused_with_their_names() {
    let mut hand = Hand::cluster();
    hand.ask(Request::switch(node(STANDBY)));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9,0-2-10"));
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    let refused = hand.reply().unwrap_err();
    assert_eq!(refused.reason, Reason::Errant);
    assert!(refused.detail.contains("0-2-10"), "{}", refused.detail);
}

/// The answer's beginning: a master that is ahead of the standby it is to replicate from.
fn ask_for_mutual(standby_has: &str) -> Hand {
    let mut hand = Hand::cluster();
    hand.look(STANDBY, Ok(probe(2, Some((MASTER, 1)), standby_has)));
    hand.ask(Request::activate(node(MASTER)));
    hand.inspect(MASTER, probe(1, None, "0-1-12"));
    hand.inspect(STANDBY, probe(2, Some((MASTER, 1)), standby_has));
    hand
}

#[test]
fn mutual_replication_is_granted_while_the_standby_still_lacks_the_last_writes() {
    let mut hand = ask_for_mutual("0-1-11");
    hand.persist();
    assert!(matches!(hand.reply(), Ok(Answer::Began(_))));
}

#[test]
fn mutual_replication_with_a_standby_that_has_transactions_of_its_own_is_refused() {
    let mut hand = ask_for_mutual("0-1-9,0-2-10");
    let refused = hand.reply().unwrap_err();
    assert_eq!(refused.reason, Reason::Errant);
    assert!(refused.detail.contains("0-2-10"), "{}", refused.detail);
}

#[test]
fn a_switch_is_refused_while_another_node_is_writable() {
    let mut hand = Hand::cluster();
    hand.ask(Request::switch(node(STANDBY)));
    hand.look(SLAVE, Ok(probe(3, None, "0-1-9")));
    hand.inspect(STANDBY, probe(2, Some((MASTER, 1)), "0-1-9"));
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    assert_eq!(hand.refusal(), Reason::WritableElsewhere);
}

#[test]
fn what_inspection_finds_wrong_is_named_and_nothing_is_stored() {
    let mut hand = Hand::new();
    hand.persist();
    hand.tell(Event::Discovered { nodes: vec![node(MASTER)] });
    hand.ask(Request::Register { node: node(MASTER), role: Role::Master });
    let finding = Finding {
        id: "log-bin-off".to_owned(),
        severity: Severity::Error,
        text: "set log_bin".to_owned(),
    };
    hand.inspect_with(MASTER, probe(1, None, "0-1-9"), vec![finding]);
    let refused = hand.reply().unwrap_err();
    assert_eq!(refused.reason, Reason::Unfit);
    assert!(refused.detail.contains("log-bin-off"));
    assert!(hand.engine.journal().intent().members.is_empty());
}

#[test]
fn a_second_server_of_the_same_identity_is_refused() {
    let mut hand = Hand::cluster();
    let fourth = "d:3306";
    let nodes = [MASTER, STANDBY, SLAVE, fourth].map(node).to_vec();
    hand.tell(Event::Discovered { nodes });
    hand.ask(Request::Register { node: node(fourth), role: Role::Slave });
    hand.inspect(fourth, probe(3, None, "0-1-9"));
    assert_eq!(hand.refusal(), Reason::IdentityNotDistinct);
}

#[test]
fn a_master_is_registered_only_after_all_others_were_looked_at() {
    let mut hand = Hand::new();
    hand.persist();
    hand.tell(Event::Discovered { nodes: [MASTER, STANDBY].map(node).to_vec() });
    hand.ask(Request::Register { node: node(MASTER), role: Role::Master });
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Reply { .. })));
    hand.look(STANDBY, Ok(probe(2, None, "0-1-9")));
    assert_eq!(hand.refusal(), Reason::WritableElsewhere);
}

#[test]
fn a_node_that_is_gone_from_the_discovery_is_not_waited_for() {
    let mut hand = Hand::cluster();
    let fourth = "d:3306";
    let mut nodes = [MASTER, STANDBY, SLAVE, fourth].map(node).to_vec();
    hand.tell(Event::Discovered { nodes: nodes.clone() });
    hand.ask_switch(true);
    assert!(!hand.pending.iter().any(|effect| matches!(effect, Effect::Reply { .. })));
    nodes.pop();
    hand.tell(Event::Discovered { nodes });
    hand.inspect(MASTER, probe(1, None, "0-1-9"));
    assert!(matches!(hand.reply(), Ok(Answer::Planned { .. })));
}

#[test]
fn what_preflight_warns_of_is_told() {
    let mut hand = Hand::new();
    hand.persist();
    hand.tell(Event::Discovered { nodes: vec![node(MASTER)] });
    hand.ask(Request::Register { node: node(MASTER), role: Role::Master });
    let warning = Finding {
        id: "writes-through-read-only".to_owned(),
        severity: Severity::Warning,
        text: "account boss".to_owned(),
    };
    hand.inspect_with(MASTER, probe(1, None, "0-1-9"), vec![warning.clone()]);
    hand.persist();
    assert_eq!(hand.reply(), Ok(Answer::Done { warnings: vec![warning] }));
}

#[test]
fn an_empty_discovery_changes_no_role() {
    let mut hand = Hand::cluster();
    let before = hand.engine.journal().intent().clone();
    hand.tell(Event::Discovered { nodes: vec![] });
    assert_eq!(hand.engine.journal().intent(), &before);
    assert_eq!(hand.engine.snapshot().nodes.len(), 3);
}

#[test]
fn an_empty_store_publishes_no_route() {
    let mut hand = Hand::new();
    hand.persist();
    hand.tell(Event::Discovered { nodes: vec![node(MASTER)] });
    hand.look(MASTER, Ok(probe(1, None, "0-1-9")));
    assert!(hand.pending.is_empty(), "{:#?}", hand.pending);
}

#[test]
fn reads_outlive_the_master() {
    let mut hand = Hand::cluster();
    hand.look(MASTER, Err(LookError::Unreachable { detail: "refused".to_owned() }));
    let mut alone = probe(3, Some((MASTER, 1)), "0-1-9");
    alone.replication.as_mut().unwrap().io = IoThread::Connecting;
    alone.replication.as_mut().unwrap().lag = None;
    hand.look(SLAVE, Ok(alone));
    let route = hand.engine.snapshot().route.unwrap();
    assert_eq!(route.slaves.len(), 1);
    assert_eq!(route.slaves[0].state.word(), "SYNCING");
}

#[test]
fn reads_go_on_while_a_slave_is_moved() {
    let mut hand = Hand::cluster();
    hand.freeze();
    hand.answer("wait until b:3306", Ok(Observed::Nothing));
    hand.persist();
    hand.answer("open b:3306", Ok(Observed::Nothing));
    hand.persist();
    let mut moved = probe(3, Some((MASTER, 1)), "0-1-12");
    let replication = moved.replication.as_mut().unwrap();
    (replication.io, replication.sql) = (IoThread::Stopped, SqlThread::Stopped);
    for seen in [probe(3, None, "0-1-12"), moved] {
        hand.look(SLAVE, Ok(Probe { read_only: ReadOnly::On, ..seen }));
        let route = hand.engine.snapshot().route.unwrap();
        assert_eq!(route.slaves.len(), 1, "{:?}", hand.engine.snapshot().nodes);
    }
}
