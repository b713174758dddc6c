//! Semi-synchronous replication that the monitor manages.

use std::collections::BTreeSet;

use mysqlsvc_http::wire::{
    NodeAction, NodeDocument, NodeState, OperationDocument, SemiSyncDocument, StepOutcome,
};
use mysqlsvc_sandbox::Flavor;

use crate::scene::Scene;

/// How many replicas the master is to wait for.
pub(crate) const WAIT_FOR: u32 = 2;

fn waits_for(node: &NodeDocument, replicas: u32) -> bool {
    let waits = |it: &SemiSyncDocument| {
        it.waiting && it.source.is_some_and(|source| source.replicas == replicas)
    };
    node.semi_sync.as_ref().is_some_and(waits)
}

fn tells(node: &NodeDocument) -> bool {
    node.semi_sync.as_ref().is_some_and(|it| it.replica && it.source.is_none())
}

/// MariaDB waits for one, whatever is asked.
async fn until_it_waits_for(scene: &Scene, master: usize, replicas: u32) {
    let most = if scene.servers().flavor() == Flavor::MariaDb { 1 } else { replicas };
    let what = format!("a master that waits for {most}");
    scene.api().until_node(&scene.address(master), &what, |node| waits_for(node, most)).await;
}

async fn until_parts_are_played(scene: &Scene, master: usize) {
    let api = scene.api();
    for server in (0..3).filter(|server| *server != master) {
        api.until_node(&scene.address(server), "a semi-sync replica", tells).await;
    }
    until_it_waits_for(scene, master, WAIT_FOR).await;
    scene.until_no_alarm().await;
}

pub(crate) async fn follows_the_roles_through_a_switch(scene: &Scene) {
    until_parts_are_played(scene, 0).await;
    let operations = scene.operations().await;
    let own = operations.iter().filter(|one| one.kind == "semi-sync");
    let own = own.filter(|one| one.who.as_deref() == Some("monitor"));
    let nodes: BTreeSet<_> = own.flat_map(|one| &one.steps).map(|step| &step.node).collect();
    assert_eq!(nodes.len(), 3, "each has been given its part: {operations:#?}");
    scene.api().switch_succeeds(&scene.address(1)).await;
    scene.application_goes_on().await;
    until_parts_are_played(scene, 1).await;
    scene.settles().await;
}

/// The steps of an operation that were done, with the server of each.
fn done(operation: &OperationDocument) -> Vec<(&str, Option<&str>)> {
    let done = operation.steps.iter().filter(|step| step.outcome == StepOutcome::Done);
    done.map(|step| (step.name.as_str(), step.node.as_deref())).collect()
}

/// As the handbook says: a replica is paused, restarted and resumed during maintenance. A server
/// forgets its part when it restarts, and nothing is set unasked.
pub(crate) async fn a_replica_that_is_restarted_during_maintenance_gets_its_part_back(
    scene: &Scene,
) {
    let (api, node) = (scene.api(), scene.address(2));
    api.maintenance(true).await;
    api.act(&node, NodeAction::Pause).await;
    scene.until_state(2, NodeState::Paused, "paused by the operator").await;
    until_it_waits_for(scene, 1, 1).await;
    scene.bed.sandbox.restart(2).await.unwrap();
    let text = scene.until_alarm("semi-sync-not-set").await;
    assert!(text.contains(&node) && text.contains("maintenance"), "{text}");
    api.act(&node, NodeAction::Resume).await;
    until_parts_are_played(scene, 1).await;
    assert!(api.cluster().await.maintenance);
    api.maintenance(false).await;
    scene.settles().await;
}

/// kill -9 of the master: it waits for replicas again before anybody can write.
pub(crate) async fn a_master_that_restarted_waits_before_it_is_opened(scene: &Scene) {
    let (sandbox, master) = (&scene.bed.sandbox, scene.address(1));
    let before = scene.operations().await.len();
    sandbox.kill(1).await.unwrap();
    scene.until_state(1, NodeState::Error, "").await;
    sandbox.restart(1).await.unwrap();
    scene.until_monitor_did("reopen", before).await;
    let operations = scene.operations().await;
    let reopened = operations.iter().find(|one| one.kind == "reopen").unwrap();
    let node = Some(master.as_str());
    assert_eq!(done(reopened), [("set-semi-sync", node), ("thaw", node)], "{reopened:#?}");
    until_parts_are_played(scene, 1).await;
    scene.settles().await;
}

/// The one thing that keeps a server from playing its part: on MariaDB a right that is gone, on
/// MySQL a plugin.
async fn take_away(scene: &Scene, server: usize) -> &'static str {
    let servers = scene.servers();
    match servers.flavor() {
        Flavor::MariaDb => {
            let revoke = "REVOKE REPLICATION MASTER ADMIN ON *.* FROM dba@'%'";
            servers.run_unlogged(server, &[revoke]).await;
            servers.end_sessions_of_dba(server).await;
            let off = "SET GLOBAL rpl_semi_sync_slave_enabled = 0";
            servers.run_unlogged(server, &[off]).await;
            "semi-sync-not-set"
        }
        Flavor::MySql => {
            servers.run_unlogged(server, &["UNINSTALL PLUGIN rpl_semi_sync_source"]).await;
            "semi-sync-missing"
        }
    }
}

async fn give_back(scene: &Scene, server: usize) {
    let servers = scene.servers();
    let statement = match servers.flavor() {
        Flavor::MariaDb => "GRANT REPLICATION MASTER ADMIN ON *.* TO dba@'%'",
        Flavor::MySql => "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
    };
    servers.run_unlogged(server, &[statement]).await;
    servers.end_sessions_of_dba(server).await;
}

/// It is said, the others keep their parts, and it does not become the master.
pub(crate) async fn a_server_that_cannot_play_its_part_is_no_candidate(scene: &Scene) {
    let (api, node) = (scene.api(), scene.address(2));
    let alarm = take_away(scene, 2).await;
    let text = scene.until_alarm(alarm).await;
    assert!(text.contains(&node), "{text}");
    until_it_waits_for(scene, 1, 1).await;
    let refused = api.switch_refused(&node).await;
    assert_eq!(refused.reason.as_deref(), Some("unfit"), "{refused:?}");
    scene.application_goes_on().await;
    give_back(scene, 2).await;
    // So that nobody has to wait for the next try.
    api.maintenance(true).await;
    api.maintenance(false).await;
    until_parts_are_played(scene, 1).await;
    scene.settles().await;
}

/// Nobody acknowledges any more: commits go on after the time-out, which is said for as long as it
/// lasts.
pub(crate) async fn a_master_whose_replicas_are_gone_goes_on_with_an_alarm(scene: &Scene) {
    let sandbox = &scene.bed.sandbox;
    sandbox.kill(0).await.unwrap();
    sandbox.kill(2).await.unwrap();
    scene.application_goes_on().await;
    let text = scene.until_alarm("semi-sync-degraded").await;
    assert!(text.contains(&scene.address(1)), "{text}");
    sandbox.restart(0).await.unwrap();
    sandbox.restart(2).await.unwrap();
    scene.settles().await;
    until_parts_are_played(scene, 1).await;
}
