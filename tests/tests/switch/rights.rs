//! Rights that were taken from the monitor's account after registering: found before anything is
//! changed, not when there is no way back.

use mysqlsvc_sandbox::Flavor;
use mysqlsvc_tests::{Bed, Servers};

use crate::failing::{short, write_through_proxy};

/// Runs a statement about rights, and sees to it that it counts at once.
async fn change_rights(servers: Servers<'_>, server: usize, sql: &str) {
    servers.run_unlogged(server, &[sql]).await;
    servers.end_sessions_of_dba(server).await;
}

/// A switch to the second server without this right on `server`.
async fn is_refused_without(flavor: Flavor, server: usize, right: &str) {
    let bed = Bed::start_with(flavor, 3, short).await;
    let (api, servers) = (bed.api(), bed.servers());
    let before = servers.pictures().await;
    change_rights(servers, server, &format!("REVOKE {right} ON *.* FROM 'dba'@'%'")).await;

    let refused = api.switch_refused(&bed.address(1)).await;

    assert_eq!((refused.status, refused.reason.as_deref()), (422, Some("unfit")), "{refused}");
    for words in [right, "grant-missing", &bed.address(server)] {
        assert!(refused.detail.contains(words), "{} lacks {words}", refused.detail);
    }
    assert!(api.client().operations("main").await.unwrap().is_empty());
    write_through_proxy(&bed, 1).await;
    assert_eq!(servers.pictures().await, before);
    change_rights(servers, server, &format!("GRANT {right} ON *.* TO 'dba'@'%'")).await;
    api.until_settled().await;
    api.switch_succeeds(&bed.address(1)).await;
    bed.down().await;
}

#[tokio::test]
async fn mariadb_rights_gone_on_the_master() {
    is_refused_without(Flavor::MariaDb, 0, "READ ONLY ADMIN").await;
}

#[tokio::test]
async fn mariadb_rights_gone_on_the_candidate() {
    is_refused_without(Flavor::MariaDb, 1, "READ ONLY ADMIN").await;
}

#[tokio::test]
async fn mysql_rights_gone_on_the_candidate() {
    is_refused_without(Flavor::MySql, 1, "SYSTEM_VARIABLES_ADMIN").await;
}
