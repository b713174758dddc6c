//! The monitor's state directory was lost, and the cluster is taken up again while it serves.

use std::fs;

use mysqlsvc_http::wire::{ClusterDocument, NodeAction, ProxyMode, Role};
use mysqlsvc_rig::{WriterOptions, Writers};
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{Bed, LIMIT, api::CLUSTER, eventually};
use serde_json::Value;

/// What the proxy shows of itself at `/route`.
async fn shown(bed: &Bed, mode: ProxyMode) -> Value {
    let admin = bed.product.proxy(mode).unwrap().admin();
    let answer = reqwest::get(format!("http://{admin}/route")).await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

fn roles(cluster: &ClusterDocument) -> Vec<(String, Role)> {
    cluster.nodes.iter().map(|node| (node.addr.clone(), node.role)).collect()
}

#[tokio::test]
async fn a_lost_state_directory_is_made_good_by_adopting_while_proxies_serve() {
    let mut bed = Bed::start(Flavor::MariaDb, 3).await;
    let (api, master) = (bed.api(), bed.address(0));
    // Both directions, which is what shows who the standby is.
    api.act(&master, NodeAction::Activate).await;
    let before = api.until_settled().await;
    assert!(before.mutual && before.epoch > 0, "{before:#?}");
    let old = shown(&bed, ProxyMode::Master).await["route"].clone();
    assert_eq!(old["epoch"], before.epoch);
    let options = WriterOptions { writers: 2, pause: Bed::PAUSE, ..WriterOptions::default() };
    let writers = Writers::start(&bed.through_proxy(), options);

    bed.product.kill_monitord().await.unwrap();
    fs::remove_dir_all(bed.product.dir().join("state")).unwrap();
    bed.product.start_monitord().await.unwrap();
    let behind = |now: &ClusterDocument| now.alarms.iter().any(|one| one.id == "epoch-behind");
    let empty = api.until("alarm epoch-behind", behind).await;
    assert_eq!((empty.epoch, empty.master), (0, None));
    let now = std::time::Instant::now();
    assert!(writers.all_wrote_since(now, LIMIT).await, "{:?}", writers.errors());
    let kept = shown(&bed, ProxyMode::Master).await["route"].clone();
    assert_eq!(kept["incarnation"], old["incarnation"], "the last one is kept");

    let nodes: Vec<_> = (0..3).map(|server| bed.address(server)).collect();
    api.until_seen(&nodes).await;
    let adoption = api.client().plan_adoption(CLUSTER).await.unwrap();
    let heard = adoption.heard.as_ref().expect("who said it");
    assert_eq!((heard.epoch, heard.other_store), (before.epoch, true));
    assert_eq!((adoption.epoch, adoption.mutual), (before.epoch + 1, true), "{adoption:#?}");
    assert_eq!(api.cluster().await.master, None, "only shown");
    api.client().adopt(CLUSTER).await.unwrap();

    let after = api.until_settled().await;
    assert_eq!((roles(&after), after.mutual), (roles(&before), true));
    assert!(after.epoch > before.epoch && after.alarms.is_empty(), "{after:#?}");
    for mode in [ProxyMode::Master, ProxyMode::Slave] {
        let route = eventually("the route of the new store", async || {
            let route = shown(&bed, mode).await["route"].clone();
            (route["epoch"] == after.epoch).then_some(route)
        })
        .await;
        assert_ne!(route["incarnation"], old["incarnation"]);
        assert!(route["incarnation"].is_string() && old["incarnation"].is_string());
    }
    let now = std::time::Instant::now();
    assert!(writers.all_wrote_since(now, LIMIT).await, "{:?}", writers.errors());
    let (errors, ledger) = (writers.errors(), writers.stop().await);
    assert_eq!(errors.total(), 0, "nobody was to notice: {errors:?}");
    let direct = bed.direct(0);
    for audit in ledger.audit_all(&direct, &bed.others(0), LIMIT).await.unwrap() {
        assert!(audit.lost.is_empty() && audit.unexpected.is_empty(), "{audit:?}");
    }
    bed.down().await;
}
