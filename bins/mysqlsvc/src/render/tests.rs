//! Golden outputs: what people see, to the letter.

use mysqlsvc_http::wire::{ClusterDocument, OperationDocument};
use serde_json::{Value, json};

use super::*;

const PLAIN: fn() -> Paint = || Paint::new(false);

fn node(addr: &str, role: &str, state: &str, more: &Value) -> Value {
    let mut node = json!({"addr": addr, "role": role, "state": state, "flavor": "mariadb",
        "version": "10.11.19", "server_id": 1, "read_only": role != "master"});
    for (key, value) in more.as_object().unwrap() {
        node[key] = value.clone();
    }
    node
}

fn cluster_document() -> ClusterDocument {
    let replica = json!({"source": "10.0.0.1:3306", "lag_ms": 0, "io_running": "Yes",
        "sql_running": "Yes", "gtid_executed": "0-1-41", "missing": "", "errant": "",
        "allowed": [{"operation": "switch", "ok": true, "reason": null},
            {"operation": "activate", "ok": false, "reason": "it is OK already"}]});
    let broken = json!({"cause": "unreachable: connection refused", "flavor": null,
        "version": null, "read_only": null});
    serde_json::from_value(json!({
        "name": "main", "epoch": 7, "phase": "open", "master": "10.0.0.1:3306", "mutual": true,
        "nodes": [
            node("10.0.0.2:3306", "standby", "OK", &replica),
            node("10.0.0.1:3306", "master", "OK", &json!({})),
            node("10.0.0.13:3306", "slave", "ERROR", &broken),
        ],
        "operation": null}))
    .unwrap()
}

fn step(name: &str, outcome: &str, offset: f64, duration: Option<f64>, more: &Value) -> Value {
    let mut step = json!({"name": name, "description": format!("{name} it"), "class": "try",
        "offset_ms": offset, "duration_ms": duration, "outcome": outcome});
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    step
}

fn operation_document(outcome: &str, steps: &[Value], more: &Value) -> OperationDocument {
    let mut operation = json!({"id": "3", "kind": "switch", "from": "10.0.0.1:3306",
        "to": "10.0.0.2:3306", "who": "local", "started_at": "2017-01-17T03:20:00.250Z",
        "outcome": outcome, "steps": steps});
    for (key, value) in more.as_object().unwrap() {
        operation[key] = value.clone();
    }
    serde_json::from_value(operation).unwrap()
}

#[test]
fn status_is_a_line_and_a_table_by_role() {
    let expected = "\
main  epoch 7, master 10.0.0.1:3306, mutual

ROLE     NODE            STATE  WRITES  LAG   SOURCE         SERVER            CAUSE
master   10.0.0.1:3306   OK     yes     -     -              MariaDB 10.11.19
standby  10.0.0.2:3306   OK     no      0 ms  10.0.0.1:3306  MariaDB 10.11.19
slave    10.0.0.13:3306  ERROR  -       -     -              -                 unreachable: connection refused
";
    assert_eq!(clusters(&[cluster_document()], PLAIN()), expected);
}

#[test]
fn status_names_the_operation_under_way_and_what_is_unusual() {
    let steps = [
        step("hold", "done", 0.0, Some(1.0), &json!({})),
        step("freeze", "running", 1.0, None, &json!({})),
    ];
    let plan = json!({"plan": {"kind": "switch", "steps": [
        {"name": "hold", "description": "", "class": "try"},
        {"name": "freeze", "description": "", "class": "try"},
        {"name": "commit", "description": "", "class": "commit"}]}});
    let mut cluster = cluster_document();
    cluster.operation = Some(operation_document("running", &steps, &plan));
    cluster.master = None;
    cluster.mutual = false;
    cluster.phase = mysqlsvc_http::wire::PhaseName::Hold;
    cluster.nodes.clear();
    let expected = "\
main  epoch 7, no master, proxies hold
operation 3 under way: switch 10.0.0.1:3306 to 10.0.0.2:3306, 1 of 3 steps done

no node is known; see `discovery` in the monitor's configuration
";
    assert_eq!(clusters(&[cluster], PLAIN()), expected);
}

#[test]
fn alarms_come_first_and_maintenance_is_said() {
    let mut cluster = cluster_document();
    cluster.maintenance = true;
    cluster.nodes.truncate(1);
    cluster.alarms = serde_json::from_value(json!([
        {"id": "master-read-only", "node": "10.0.0.1:3306", "text": "the master is read-only"}]))
    .unwrap();
    let expected = "\
main  epoch 7, master 10.0.0.1:3306, mutual, maintenance
ALARM master-read-only: the master is read-only

ROLE     NODE           STATE  WRITES  LAG   SOURCE         SERVER            CAUSE
standby  10.0.0.2:3306  OK     no      0 ms  10.0.0.1:3306  MariaDB 10.11.19
";
    assert_eq!(clusters(&[cluster.clone()], PLAIN()), expected);
    let on = "main: maintenance is on, the monitor does nothing by itself\n";
    assert_eq!(maintenance(&cluster, PLAIN()), on);
    cluster.maintenance = false;
    assert!(maintenance(&cluster, PLAIN()).contains("maintenance is off"));
}

#[test]
fn on_a_narrow_page_a_cause_stands_below_its_row() {
    let mut cluster = cluster_document();
    cluster.nodes.remove(0);
    cluster.nodes[0].cause = Some("paused by the operator".to_owned());
    cluster.nodes[0].state = mysqlsvc_http::wire::NodeState::Paused;
    let expected = "\
main  epoch 7, master 10.0.0.1:3306, mutual

ROLE    NODE            STATE   WRITES  LAG  SOURCE
master  10.0.0.1:3306   PAUSED  yes     -    -
        paused by the operator
slave   10.0.0.13:3306  ERROR   -       -    -
        unreachable: connection refused
";
    assert_eq!(clusters(&[cluster], PLAIN().within(Some(60))), expected);
}

#[test]
fn semi_sync_and_a_delay_are_told_of_a_node() {
    let told = |more: &Value| {
        let document = node("10.0.0.2:3306", "slave", "OK", more);
        let mut cluster = cluster_document();
        cluster.nodes = vec![serde_json::from_value(document).unwrap()];
        nodes(&cluster, PLAIN())
    };
    let source = |waiting: bool| {
        json!({"semi_sync": {"source": {"replicas": 1, "timeout_ms": 10_000}, "replica": false,
            "waiting": waiting, "replicas": 2}})
    };
    let line = "  semi-sync  source, waits for 1 of 2 replicas, at most 10.0 s\n";
    assert!(told(&source(true)).contains(line), "{}", told(&source(true)));
    assert!(told(&source(false)).contains("  semi-sync  source, DEGRADED: "));
    let replica = json!({"semi_sync": {"replica": true}, "source": "10.0.0.1:3306",
        "delay_ms": 60_000});
    assert!(told(&replica).contains("  semi-sync   replica\n"), "{}", told(&replica));
    assert!(told(&replica).contains(", told to stay 60.0 s behind\n"), "{}", told(&replica));
}

#[test]
fn nodes_tell_everything_known() {
    let mut cluster = cluster_document();
    cluster.nodes.truncate(1);
    let expected = "\
10.0.0.2:3306  standby  OK
  server      MariaDB 10.11.19, server_id 1, read_only
  replicates  from 10.0.0.1:3306, I/O Yes, SQL Yes, 0 ms behind
  executed    0-1-41
  may         switch
  may not     activate: it is OK already
";
    assert_eq!(nodes(&cluster, PLAIN()), expected);
    assert_eq!(node_line(&cluster.nodes[0], PLAIN()), "10.0.0.2:3306 is standby, OK\n");
}

#[test]
fn what_registering_found_is_said_below_the_node() {
    let more = json!({"warnings": ["a user may write", "a user may write", "no binary log"]});
    let document = node("10.0.0.2:3306", "slave", "OK", &more);
    assert_eq!(
        node_line(&serde_json::from_value(document).unwrap(), PLAIN()),
        "10.0.0.2:3306 is slave, OK\nNote: a user may write\nNote: no binary log\n"
    );
}

#[test]
fn a_plan_is_numbered_and_its_pivot_marked() {
    let document = json!({"kind": "switch", "from": "a:1", "to": "b:1", "warnings": ["mind this", "mind this"],
        "steps": [
            {"name": "freeze", "description": "freeze a:1", "class": "try"},
            {"name": "commit", "description": "commit: b:1 is the master", "class": "commit"},
            {"name": "follow", "description": "let a:1 follow", "class": "must", "optional": true}]});
    let expected = "\
Plan: switch from a:1 to b:1
   1  freeze a:1
   2  commit: b:1 is the master  from here on it only goes forward
   3  let a:1 follow             left out and reported if it fails
If a step before the commit fails, everything is put back as it was.
Note: mind this
";
    assert_eq!(plan(&serde_json::from_value(document).unwrap(), PLAIN()), expected);
}

#[test]
fn a_plan_says_what_applications_will_notice() {
    let reliable = json!({"kind": "switch", "to": "b:1", "strategy": "reliability", "steps": [],
        "forecast_ms": 708, "forecast_causes": [{"what": "freeze, record, open", "ms": 8},
            {"what": "the candidate executes what it has not yet", "ms": 700}]});
    let expected = "\
Plan: switch b:1
Forecast: applications cannot write for about 708 ms (freeze, record, open: 8
ms; the candidate executes what it has not yet: 700 ms).
";
    let reliable = serde_json::from_value(reliable).unwrap();
    assert_eq!(plan(&reliable, PLAIN().within(Some(80))), expected);
    let available = json!({"kind": "switch", "to": "b:1", "strategy": "availability", "steps": [],
        "warnings": ["availability first: b:1 takes writes while a:1 still does"]});
    let expected = "\
Plan: switch b:1
Availability first: applications can write all the time, and for a moment on two servers.
Note: availability first: b:1 takes writes while a:1 still does
";
    assert_eq!(plan(&serde_json::from_value(available).unwrap(), PLAIN()), expected);
}

#[test]
fn on_a_narrow_page_the_steps_of_a_plan_are_paragraphs() {
    let document = json!({"kind": "switch", "to": "b:1", "steps": [
        {"name": "commit", "description": "commit: b:1 is the master of epoch 8", "class": "commit"}]});
    let expected = "\
Plan: switch b:1
   1  commit: b:1 is the master of epoch 8 (the point of
      no return)
If a step before the commit fails, everything is put back as it was.
";
    let document = serde_json::from_value(document).unwrap();
    assert_eq!(plan(&document, PLAIN().within(Some(56))), expected);
}

#[test]
fn an_operation_says_what_was_forecast_and_what_the_freeze_interrupted() {
    let more = json!({"strategy": "reliability", "forecast_ms": 8, "write_unavailable_ms": 6.0,
        "forecast_causes": [{"what": "freeze, record, open", "ms": 8}],
        "interrupted": [{"kind": "open transaction", "session": 12, "account": "app@10.0.0.9",
            "age_ms": 3_000, "detail": "UPDATE t"}]});
    let document = operation_document("succeeded", &[], &more);
    let expected = "\
Operation 3: switch 10.0.0.1:3306 to 10.0.0.2:3306  by local  2017-01-17T03:20:00.250Z
reliability first, forecast: no writes for 8 ms (freeze, record, open: 8 ms)
succeeded, writes unavailable for 6.0 ms (forecast 8 ms)
interrupted: open transaction of session 12 (app@10.0.0.9, 3000 ms old): UPDATE t
";
    assert_eq!(operation(&document, PLAIN()), expected);
}

#[test]
fn what_two_masters_took_at_once_is_said_and_whether_it_is_safe() {
    let told = |diverged: &Value| {
        let more = json!({"strategy": "availability", "diverged": diverged});
        summary(&operation_document("succeeded", &[], &more), PLAIN())
    };
    let nothing = told(&json!({"overlap": "", "not_taken_over": null}));
    assert!(nothing.contains("the old master wrote nothing while both were open"), "{nothing}");
    let safe = told(&json!({"overlap": "0-1-9", "not_taken_over": null}));
    assert!(
        safe.ends_with("while both were open: 0-1-9, and taken over by the new one\n"),
        "{safe}"
    );
    let lost = told(&json!({"overlap": "0-1-9", "not_taken_over": "1062 Duplicate entry"}));
    assert!(lost.contains("diverged: ") && lost.contains("(1062 Duplicate entry)"), "{lost}");
}

#[test]
fn an_operation_is_told_step_by_step_with_what_it_cost() {
    let steps = [
        step("freeze", "done", 1.0, Some(12.34), &json!({"detail": "it had executed 0-1-41"})),
        step("open", "done", 13.5, Some(250.0), &json!({})),
        step("follow", "skipped", 20.0, Some(10_500.0), &json!({"detail": "no answer"})),
    ];
    let more = json!({"critical_section_ms": 14.25, "write_unavailable_ms": 20.0,
        "loss": {"verdict": "lossless"}, "acks_missing": ["p1", "p2"],
        "left_behind": [{"node": "c:1", "reason": "no answer"}]});
    let document = operation_document("succeeded", &steps, &more);
    let expected = "\
Operation 3: switch 10.0.0.1:3306 to 10.0.0.2:3306  by local  2017-01-17T03:20:00.250Z
   +1.0 ms  done       12.3 ms  freeze it: it had executed 0-1-41
  +13.5 ms  done        250 ms  open it
  +20.0 ms  SKIPPED     10.5 s  follow it: no answer
succeeded, critical section 14.2 ms, writes unavailable for 20.0 ms, nothing lost
left behind: c:1: no answer
proxies that did not say in time that they hold: p1, p2
";
    assert_eq!(operation(&document, PLAIN()), expected);
    let expected = "\
ID  STARTED                   OPERATION                              OUTCOME    CRITICAL  WHO
3   2017-01-17T03:20:00.250Z  switch 10.0.0.1:3306 to 10.0.0.2:3306  succeeded  14.2 ms   local
";
    assert_eq!(operations(&[document], PLAIN()), expected);
}

#[test]
fn followed_steps_are_said_once_and_again_only_when_taken_back() {
    let hold = |outcome| step("hold", outcome, 0.0, Some(1.0), &json!({}));
    let freeze = |outcome| step("freeze", outcome, 1.0, Some(2.0), &json!({}));
    let running = |steps: &[Value]| operation_document("running", steps, &json!({}));
    let mut lines = StepLines::default();
    let begun = running(&[hold("running")]);
    assert_eq!(lines.news(&begun, PLAIN()), "");
    assert_eq!(StepLines::under_way(&begun), Some("hold it"));
    let first = running(&[hold("done"), freeze("running")]);
    let line = "     +0 ms  done        1.0 ms  hold it\n";
    assert_eq!(lines.news(&first, PLAIN()), line);
    assert_eq!(lines.news(&first, PLAIN()), "");
    let failed = running(&[hold("undone"), freeze("failed")]);
    let news = lines.news(&failed, PLAIN());
    assert_eq!(news.lines().count(), 2);
    assert!(news.contains("undone") && news.contains("FAILED"), "{news}");
    assert_eq!(lines.news(&failed, PLAIN()), "");
}

#[test]
fn why_it_was_rolled_back_is_said() {
    let error = json!({"error": "10.0.0.1:3306: freeze: refused by the server: 1205"});
    let document = operation_document("rolled_back", &[], &error);
    let expected = "rolled back\nbecause: 10.0.0.1:3306: freeze: refused by the server: 1205\n";
    assert_eq!(summary(&document, PLAIN()), expected);
    assert!(summary(&document, Paint::new(true)).starts_with("\x1b[33mrolled back\x1b[0m"));
}

#[test]
fn how_far_a_copy_is_fits_beside_its_step() {
    let far = |phase: &str, done: u64, total: Option<u64>| {
        let far = json!({"phase": phase, "done_bytes": done, "total_bytes": total});
        progress(&serde_json::from_value(far).unwrap())
    };
    assert_eq!(far("copying", 3 << 20, Some(70 << 20)), "3 of 70 MiB");
    assert_eq!(far("copying", 1, None), "1 MiB");
    assert_eq!(far("restarting", 9, None), "restarting");
    assert_eq!(far("awaiting-start", 9, None), "start the server by hand");
}

#[test]
fn on_a_narrow_page_what_a_server_says_stands_below_it() {
    let cluster = json!({"name": "main", "epoch": 0, "phase": "open", "nodes": [
        {"addr": "10.0.0.3:3306", "role": "unregistered", "state": "UNREGISTERED"},
        {"addr": "10.0.0.1:3306", "role": "unregistered", "state": "UNREGISTERED",
         "read_only": true}]});
    let document = json!({"epoch": 1, "master": "10.0.0.1:3306", "warnings": ["look"]});
    let (cluster, document) =
        (serde_json::from_value(cluster).unwrap(), serde_json::from_value(document).unwrap());
    let expected = "\
Adopt main: epoch 1, master 10.0.0.1:3306

TAKEN AS      NODE
master        10.0.0.1:3306
              read-only
unregistered  10.0.0.3:3306
              nothing: it could not be
              looked at

This store is at epoch 0, and no proxy
spoke of a later one. A proxy that is
not connected now may know one: it would
then keep its route.
The master is read-only and stays so:
`mysqlsvc resume` opens it afterwards.
Note: look
";
    assert_eq!(adoption(&cluster, &document, PLAIN().within(Some(40))), expected);
}
