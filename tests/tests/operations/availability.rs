//! Availability first: somebody can always write, and what that cost is said.

use std::time::Duration;

use mysqlsvc_http::wire::{OperationOutcome, Strategy, SwitchRequest};
use mysqlsvc_tests::{
    Bed, LIMIT,
    api::{CLUSTER, allows, problem},
};

use crate::scene::Scene;

/// Back to the first server, while an application writes.
pub(crate) async fn first_names_what_diverged(bed: Bed) {
    let scene = Scene::of(bed).await;
    let (api, to) = (scene.api(), scene.address(0));
    let strategy = Some(Strategy::Availability);
    let asked = SwitchRequest { to: to.clone(), strategy, dry_run: false, confirm: None };

    let plan = api.client().plan_switch(CLUSTER, asked.clone()).await.unwrap();
    assert_eq!(plan.confirm.as_deref(), Some(to.as_str()));
    assert!(
        plan.warnings.iter().any(|warning| warning.starts_with("availability first")),
        "{plan:#?}"
    );
    let refused = problem(api.client().switch(CLUSTER, asked.clone(), None).await);
    assert_eq!(refused.reason.as_deref(), Some("not-confirmed"), "{refused}");
    api.until_node(&to, "switchable", |node| allows(node, "switch")).await;
    let confirmed = SwitchRequest { confirm: Some(to), ..asked };
    let wait = Some(Duration::from_secs(50));
    let operation = api.client().switch(CLUSTER, confirmed, wait).await.unwrap();

    assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
    scene.application_goes_on().await;
    let diverged = operation.diverged.clone().unwrap_or_else(|| panic!("{operation:#?}"));
    println!("{diverged:?}");
    let Scene { bed, writers, .. } = scene;
    let ledger = writers.stop().await;
    let audit = ledger.audit(&bed.direct(0)).await.unwrap();
    match diverged.not_taken_over {
        None => {
            assert!(audit.lost.is_empty(), "not named, but lost: {:?}", audit.lost);
            assert!(operation.left_behind.is_empty(), "{operation:#?}");
            let others = bed.others(0);
            for audit in ledger.audit_all(&bed.direct(0), &others, LIMIT).await.unwrap() {
                assert!(audit.lost.is_empty(), "{audit:?}");
            }
        }
        Some(why) => {
            assert!(!diverged.overlap.is_empty(), "nothing is named: {why}");
            let named = operation.left_behind.iter().any(|left| left.node == bed.address(1));
            assert!(named, "the old master is left as it is: {operation:#?}");
        }
    }
    // Whatever it cost, one of them takes writes now.
    assert_eq!(bed.servers().writable().await, [0]);
    bed.down().await;
}
