//! What a switch is refused for, or warned of, before it is begun.

use mysqlsvc_core::{
    Millis, Probe, ServerVersion, Settings,
    backend::{Inspection, Obstacle, ObstacleKind},
    engine::{Answer, Event, Reason, Request},
};

use crate::support::{Hand, MASTER, SLAVE, STANDBY, node, probe, switch_to};

fn ask(hand: &mut Hand, dry_run: bool, candidate: Probe, master: Inspection) {
    hand.ask(switch_to(STANDBY, dry_run));
    hand.look(SLAVE, Ok(probe(3, Some((MASTER, 1)), "0-1-9")));
    hand.inspect(STANDBY, candidate);
    let (begun, result) = (hand.now, Ok(master));
    hand.tell(Event::Inspected { node: node(MASTER), begun, result });
}

fn candidate() -> Probe {
    probe(2, Some((MASTER, 1)), "0-1-9")
}

fn master() -> Inspection {
    Inspection::clean(probe(1, None, "0-1-9"))
}

fn locked() -> Inspection {
    let obstacle = Obstacle {
        kind: ObstacleKind::TableLock,
        session: Some(17),
        account: "app@10.0.0.9".to_owned(),
        age: Some(Millis(90_000)),
        detail: "shop.orders".to_owned(),
    };
    Inspection { obstacles: vec![obstacle], ..master() }
}

#[test]
fn a_plan_says_how_long_nobody_can_write_and_what_is_in_the_way() {
    let mut hand = Hand::cluster();
    ask(&mut hand, true, candidate(), master());
    let Ok(Answer::Planned { plan, warnings }) = hand.reply() else { panic!() };
    assert!(plan.forecast.unwrap().write_unavailable < Millis(100));
    assert_eq!(warnings, []);
    ask(&mut hand, true, candidate(), locked());
    let Ok(Answer::Planned { plan, warnings }) = hand.reply() else { panic!() };
    assert!(plan.forecast.unwrap().write_unavailable >= Settings::default().freeze_timeout);
    let said = &warnings[0].text;
    assert!(said.contains("session 17 (app@10.0.0.9)") && said.contains("shop.orders"), "{said}");
}

#[test]
fn a_switch_beyond_the_budget_is_not_begun() {
    let settings = Settings { downtime_budget: Some(Millis(200)), ..Settings::default() };
    let mut hand = Hand::cluster_with(settings);
    ask(&mut hand, false, candidate(), locked());
    assert_eq!(hand.refusal(), Reason::OverBudget);
    ask(&mut hand, true, candidate(), locked());
    let Ok(Answer::Planned { plan, warnings }) = hand.reply() else { panic!() };
    assert!(plan.forecast.is_some(), "a dry run shows what would be waited for");
    assert!(warnings.iter().any(|warning| warning.id == "over-budget"), "{warnings:?}");
    ask(&mut hand, false, candidate(), master());
    hand.persist();
    assert!(matches!(hand.reply(), Ok(Answer::Began(_))));
}

#[test]
fn an_older_server_does_not_take_over_and_followers_of_a_newer_one_are_named() {
    let mut hand = Hand::cluster();
    let older = Probe { version: ServerVersion::new(10, 6, 20), ..candidate() };
    ask(&mut hand, false, older, master());
    assert_eq!(hand.refusal(), Reason::Incompatible);
    let newer = Probe { version: ServerVersion::new(11, 8, 6), ..candidate() };
    ask(&mut hand, true, newer, master());
    let Ok(Answer::Planned { warnings, .. }) = hand.reply() else { panic!() };
    let about: Vec<_> = warnings.iter().map(|warning| warning.id.as_str()).collect();
    assert_eq!(about, ["version-order", "version-order"], "the old master and the slave");
}

#[test]
fn an_older_server_is_not_registered_as_a_replica() {
    let mut hand = Hand::cluster();
    hand.ask(Request::Unregister { node: node(SLAVE) });
    hand.persist();
    hand.take();
    let older = Probe { version: ServerVersion::new(10, 6, 20), ..probe(3, None, "0-1-9") };
    hand.ask(Request::Register { node: node(SLAVE), role: mysqlsvc_core::Role::Slave });
    hand.inspect(SLAVE, older);
    assert_eq!(hand.refusal(), Reason::Incompatible);
}

#[test]
fn a_delayed_replica_does_not_take_over() {
    let mut hand = Hand::cluster();
    let mut delayed = candidate();
    delayed.replication.as_mut().unwrap().delay = Millis(3_600_000);
    ask(&mut hand, false, delayed, master());
    assert_eq!(hand.refusal(), Reason::NotApplicable);
}
