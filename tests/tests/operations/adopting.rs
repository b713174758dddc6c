//! The monitor's state was lost: the cluster is taken up again as its servers are, and proxies that
//! run all the while take the routes of the new store.

use std::fs;

use mysqlsvc_tests::api::CLUSTER;

use crate::scene::Scene;

/// From the second server as the master to the first, which only proxies of the new routes follow.
pub(crate) async fn a_lost_state_is_taken_up_again(scene: &mut Scene) {
    let before = scene.settles().await;
    scene.bed.product.kill_monitord().await.unwrap();
    fs::remove_dir_all(scene.bed.product.dir().join("state")).unwrap();
    scene.bed.product.start_monitord().await.unwrap();
    let (api, master) = (scene.api(), scene.address(1));
    let text = scene.until_alarm("epoch-behind").await;
    assert!(text.contains("adopt"), "{text}");
    scene.application_goes_on().await;
    let nodes: Vec<_> = (0..3).map(|server| scene.address(server)).collect();
    api.until_seen(&nodes).await;
    assert_eq!(api.cluster().await.master, None);

    let plan = api.client().plan_adoption(CLUSTER).await.unwrap();
    assert_eq!((&plan.master, plan.epoch > before.epoch), (&master, true), "{plan:#?}");
    assert_eq!(api.cluster().await.master, None, "it was only shown");
    api.client().adopt(CLUSTER).await.unwrap();

    let settled = scene.settles().await;
    assert_eq!((settled.master, settled.epoch > before.epoch), (Some(master), true));
    scene.until_no_alarm().await;
    api.switch_succeeds(&scene.address(0)).await;
    scene.application_goes_on().await;
}
