//! Semi-synchronous replication that the monitor manages.

use mysqlsvc_http::wire::{NodeDocument, SemiSyncDocument};

use crate::scene::Scene;

fn waits(node: &NodeDocument) -> bool {
    let waits =
        |it: &SemiSyncDocument| it.waiting && it.source.is_some_and(|source| source.replicas == 1);
    node.semi_sync.as_ref().is_some_and(waits)
}

fn tells(node: &NodeDocument) -> bool {
    node.semi_sync.as_ref().is_some_and(|it| it.replica && it.source.is_none())
}

async fn until_parts_are_played(scene: &Scene, master: usize) {
    let api = scene.api();
    for server in (0..3).filter(|server| *server != master) {
        api.until_node(&scene.address(server), "a semi-sync replica", tells).await;
    }
    api.until_node(&scene.address(master), "a master that waits", waits).await;
    scene.until_no_alarm().await;
}

pub(crate) async fn follows_the_roles_through_a_switch(scene: &Scene) {
    until_parts_are_played(scene, 0).await;
    let operations = scene.operations().await;
    let own = operations.iter().filter(|one| one.kind == "semi-sync");
    assert_eq!(own.filter(|one| one.who.as_deref() == Some("monitor")).count(), 3);
    scene.api().switch_succeeds(&scene.address(1)).await;
    scene.application_goes_on().await;
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
