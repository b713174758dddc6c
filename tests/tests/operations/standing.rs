//! What stands still because somebody wanted it so, and goes on when it is told to.

use mysqlsvc_http::wire::{NodeAction, NodeState};
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::eventually;

use crate::scene::Scene;

pub(crate) async fn a_replica_is_paused_and_resumed(scene: &Scene) {
    let (api, servers, slave) = (scene.api(), scene.servers(), scene.address(2));
    api.act(&slave, NodeAction::Pause).await;
    scene.until_state(2, NodeState::Paused, "paused by the operator").await;
    let (_, io, sql) = servers.picture(2).await.replication.unwrap();
    assert_eq!((io.as_str(), sql.as_str()), ("No", "No"));
    let rows = "SELECT COUNT(*) FROM app.rig_rows";
    let before = servers.ask(2, rows).await;
    scene.application_goes_on().await;
    scene.looks(2).await;
    assert_eq!(servers.ask(2, rows).await, before, "it stands still");
    api.act(&slave, NodeAction::Resume).await;
    scene.settles().await;
}

pub(crate) async fn the_master_is_paused_and_resumed(scene: &Scene) {
    let (api, servers, master) = (scene.api(), scene.servers(), scene.address(0));
    api.act(&master, NodeAction::Pause).await;
    scene.until_state(0, NodeState::Paused, "paused by the operator").await;
    assert!(servers.writable().await.is_empty());
    // What was acknowledged before the freeze may still be on its way to the writers.
    let before = eventually("the last acknowledgement", async || {
        let before = scene.writers.acknowledged();
        scene.looks(0).await;
        (scene.writers.acknowledged() == before).then_some(before)
    })
    .await;
    scene.looks(0).await;
    assert_eq!(scene.writers.acknowledged(), before, "nobody writes");
    api.act(&master, NodeAction::Resume).await;
    scene.settles().await;
    scene.until_no_alarm().await;
}

/// `SET GLOBAL read_only` by hand has a reason that the monitor does not know.
pub(crate) async fn a_master_that_somebody_closed_stays_closed(scene: &Scene) {
    let (api, servers, master) = (scene.api(), scene.servers(), scene.address(0));
    let before = scene.operations().await.len();
    servers.run(0, "SET GLOBAL read_only = 1").await;
    let text = scene.until_alarm("master-read-only").await;
    assert!(text.contains("nobody paused it here"), "{text}");
    scene.until_state(0, NodeState::Paused, "found so").await;
    scene.looks(0).await;
    assert!(servers.writable().await.is_empty());
    assert_eq!(scene.operations().await.len(), before);
    api.act(&master, NodeAction::Resume).await;
    scene.settles().await;
    scene.until_no_alarm().await;
}

pub(crate) async fn a_replica_is_detached_and_activated(scene: &Scene) {
    let (api, servers, standby) = (scene.api(), scene.servers(), scene.address(1));
    api.act(&standby, NodeAction::Detach).await;
    scene.until_state(1, NodeState::Detached, "").await;
    assert_eq!(servers.picture(1).await.replication, None);
    scene.application_goes_on().await;
    api.act(&standby, NodeAction::Activate).await;
    scene.settles().await;
}

pub(crate) async fn the_reverse_channel_is_detached_and_activated(scene: &Scene) {
    let (api, servers, master) = (scene.api(), scene.servers(), scene.address(0));
    let source = async || servers.picture(0).await.replication.map(|(source, ..)| source);
    for _ in 0..2 {
        assert_eq!(source().await, None);
        api.act(&master, NodeAction::Activate).await;
        api.until("mutual", |now| now.mutual).await;
        assert_eq!(source().await, Some(scene.address(1)));
        scene.settles().await;
        scene.until_no_alarm().await;
        api.act(&master, NodeAction::Detach).await;
        api.until("one-way again", |now| !now.mutual && now.operation.is_none()).await;
    }
    // Whoever replicated from the master goes on doing so.
    scene.settles().await;
    let closed = match scene.bed.sandbox.flavor() {
        Flavor::MySql => "00",
        Flavor::MariaDb => "0",
    };
    assert_eq!(servers.picture(0).await.read_only, closed, "it took writes all the while");
}
