//! MySQL: by its clone plugin.

use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::Bed;

use crate::{NODE, refused, story};

/// Of the recipient and the donor: 1 MiB/s, by one thread; the data are some 70 MiB.
const SLOW: [&str; 3] = [
    "SET GLOBAL clone_autotune_concurrency = OFF",
    "SET GLOBAL clone_max_concurrency = 1",
    "SET GLOBAL clone_max_data_bandwidth = 1",
];

const FAST: [&str; 1] = ["SET GLOBAL clone_max_data_bandwidth = 0"];

async fn set(bed: &Bed, settings: &[&str]) {
    for server in [1, NODE] {
        for sql in settings {
            bed.servers().run(server, sql).await;
        }
    }
}

#[tokio::test]
async fn a_diverged_replica_is_cloned_whatever_happens_on_the_way() {
    let mut bed = Bed::start(Flavor::MySql, 3).await;
    tells_how_to_get_the_plugin(&bed).await;
    for server in 0..3 {
        let install = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";
        bed.servers().run_unlogged(server, &[install]).await;
    }
    story(
        &mut bed,
        async |bed: &Bed| set(bed, &SLOW).await,
        async |bed: &Bed| {
            set(bed, &FAST).await;
        },
    )
    .await;
    let donors = bed.servers().ask(NODE, "SELECT @@global.clone_valid_donor_list").await;
    assert_eq!(donors, "", "nothing is left set");
    bed.down().await;
}

async fn tells_how_to_get_the_plugin(bed: &Bed) {
    let refusal = refused(bed).await;
    assert_eq!(refusal.reason.as_deref(), Some("not-applicable"));
    assert!(refusal.detail.contains("clone-plugin-missing"), "{refusal:?}");
    let install = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";
    assert!(refusal.detail.contains(install), "{refusal:?}");
}
