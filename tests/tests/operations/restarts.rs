//! Servers that die and come back, or are restarted on purpose.

use mysqlsvc_http::wire::{NodeAction, NodeState, Role};

use crate::scene::Scene;

/// kill -9 of the master, and its next start; it is read-only then, for every server boots so.
async fn kill_the_master(scene: &Scene) {
    scene.bed.sandbox.kill(0).await.unwrap();
    scene.until_state(0, NodeState::Error, "").await;
}

pub(crate) async fn a_killed_master_is_opened_again(scene: &Scene) {
    let before = scene.operations().await.len();
    kill_the_master(scene).await;
    scene.bed.sandbox.restart(0).await.unwrap();
    scene.until_monitor_did("reopen", before).await;
    let settled = scene.settles().await;
    assert_eq!(settled.master, Some(scene.address(0)));
    scene.until_no_alarm().await;
}

pub(crate) async fn a_killed_master_stays_closed_during_maintenance(scene: &Scene) {
    let (api, master) = (scene.api(), scene.address(0));
    let before = scene.operations().await.len();
    api.maintenance(true).await;
    kill_the_master(scene).await;
    scene.bed.sandbox.restart(0).await.unwrap();
    let text = scene.until_alarm("master-read-only").await;
    assert!(text.contains("maintenance"), "{text}");
    scene.looks(0).await;
    assert!(scene.servers().writable().await.is_empty());
    assert_eq!(scene.operations().await.len(), before);
    api.act(&master, NodeAction::Resume).await;
    scene.settles().await;
    api.maintenance(false).await;
    scene.until_no_alarm().await;
}

/// The way to prepare an emergency switch.
pub(crate) async fn a_standby_is_registered_while_the_master_is_dead(scene: &Scene) {
    let (api, standby) = (scene.api(), scene.address(1));
    let before = scene.operations().await.len();
    api.act(&standby, NodeAction::Unregister).await;
    kill_the_master(scene).await;
    api.register(&standby, Role::Standby).await;
    scene.until_state(1, NodeState::Syncing, "source unreachable").await;
    scene.bed.sandbox.restart(0).await.unwrap();
    scene.until_monitor_did("reopen", before).await;
    scene.settles().await;
}

/// Replicas first, then the master once another has taken over. During maintenance, so that nothing
/// happens beside it.
pub(crate) async fn every_server_is_restarted_in_turn(scene: &Scene) {
    let api = scene.api();
    api.maintenance(true).await;
    for server in [2, 1] {
        restart_replica(scene, server).await;
    }
    api.switch_succeeds(&scene.address(1)).await;
    scene.settles().await;
    restart_replica(scene, 0).await;
    api.maintenance(false).await;
    let settled = scene.settles().await;
    assert_eq!(settled.master, Some(scene.address(1)));
    scene.until_no_alarm().await;
}

async fn restart_replica(scene: &Scene, server: usize) {
    let (api, node) = (scene.api(), scene.address(server));
    api.act(&node, NodeAction::Pause).await;
    scene.until_state(server, NodeState::Paused, "paused by the operator").await;
    scene.bed.sandbox.restart(server).await.unwrap();
    // A server does not remember that it was paused.
    let text = scene.until_alarm("pause-lifted").await;
    assert!(text.contains(&node), "{text}");
    api.act(&node, NodeAction::Resume).await;
    scene.settles().await;
    scene.until_no_alarm().await;
}
