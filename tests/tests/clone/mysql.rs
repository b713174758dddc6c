//! MySQL: by its clone plugin.

use mysqlsvc_http::wire::OperationId;
use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{Bed, eventually};

use crate::{Brake, NODE, refused, story, until_progress};

/// The recipient waits for so many seconds between dropping its data and asking for others. It reads
/// that once, and a clone that is killed meanwhile ends within a second: 9.7 was seen to do so. To
/// throttle the copy instead does nothing in its first seconds, in which it may be over.
const WAIT: &str = "SET GLOBAL clone_delay_after_data_drop = 3600";

const NO_WAIT: &str = "SET GLOBAL clone_delay_after_data_drop = 0";

/// The data are dropped, and so the time to wait is known to it.
const IS_WAITING: &str = "SELECT COUNT(*) FROM performance_schema.clone_status AS clone \
    JOIN performance_schema.error_log AS log ON log.LOGGED >= clone.BEGIN_TIME \
    WHERE clone.STATE = 'In Progress' \
    AND log.DATA LIKE 'Clone removing all user data for provisioning: Finished%'";

const IS_DROPPING: &str = "SELECT COUNT(*) FROM performance_schema.clone_status AS clone \
    JOIN performance_schema.clone_progress AS stage ON stage.ID = clone.ID \
    WHERE clone.STATE = 'In Progress' AND stage.STAGE = 'DROP DATA' AND stage.STATE = 'In Progress'";

struct DataDrop;

impl Brake for DataDrop {
    async fn pull(&self, bed: &Bed) {
        bed.servers().run(NODE, WAIT).await;
    }

    async fn until_stopped(&self, bed: &Bed, id: &OperationId) {
        eventually("its data dropped", async || {
            (bed.servers().ask(NODE, IS_WAITING).await == "1").then_some(())
        })
        .await;
        assert_eq!(bed.servers().ask(NODE, IS_DROPPING).await, "1", "it is in that stage still");
        until_progress(bed, id, |far| far.phase == "preparing" && far.done_bytes == 0).await;
    }

    async fn release(&self, bed: &Bed) {
        bed.servers().run(NODE, NO_WAIT).await;
    }

    async fn nothing_is_left(&self, bed: &Bed) {
        let servers = bed.servers();
        assert_eq!(servers.ask(NODE, IS_DROPPING).await, "0", "the clone has ended");
        assert_eq!(servers.ask(NODE, "SELECT @@global.super_read_only + 0").await, "1");
        assert_eq!(servers.ask(NODE, "SELECT @@global.clone_valid_donor_list").await, "");
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
    story(&mut bed, &DataDrop).await;
    bed.down().await;
}

async fn tells_how_to_get_the_plugin(bed: &Bed) {
    let refusal = refused(bed).await;
    assert_eq!(refusal.reason.as_deref(), Some("not-applicable"));
    assert!(refusal.detail.contains("clone-plugin-missing"), "{refusal:?}");
    let install = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";
    assert!(refusal.detail.contains(install), "{refusal:?}");
}
