//! What an operator does to a cluster between switches, and what its servers go through, on real
//! servers under a writing application. Several scenarios share a cluster where none of them
//! disturbs the next one: starting it takes longer than any of them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod adopting;
mod availability;
mod events;
mod obstacles;
mod restarts;
mod scene;
mod semi_sync;
mod standing;

use mysqlsvc_sandbox::{Flavor, Sandbox};
use mysqlsvc_tests::Bed;

use crate::scene::Scene;

/// Pauses, restarts, detaching, registering, with the same master; then a rolling restart, which moves
/// it, and adopting, which moves it back.
async fn stands_and_restarts(flavor: Flavor) {
    let mut scene = Scene::of(Bed::start(flavor, 3).await).await;
    standing::a_replica_is_paused_and_resumed(&scene).await;
    standing::the_master_is_paused_and_resumed(&scene).await;
    standing::a_master_that_somebody_closed_stays_closed(&scene).await;
    standing::a_replica_is_detached_and_activated(&scene).await;
    standing::the_reverse_channel_is_detached_and_activated(&scene).await;
    restarts::a_killed_master_is_opened_again(&scene).await;
    restarts::a_killed_master_stays_closed_during_maintenance(&scene).await;
    restarts::a_standby_is_registered_while_the_master_is_dead(&scene).await;
    restarts::every_server_is_restarted_in_turn(&scene).await;
    adopting::a_lost_state_is_taken_up_again(&mut scene).await;
    scene.loses_nothing(0).await;
}

#[tokio::test]
async fn mariadb_stands_still_and_restarts_without_losing_a_row() {
    stands_and_restarts(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_stands_still_and_restarts_without_losing_a_row() {
    stands_and_restarts(Flavor::MySql).await;
}

/// What a switch is refused for, or names; then one that is made all the same, and the way back,
/// availability first.
async fn is_in_the_way(flavor: Flavor) {
    let bed = Bed::start_with(flavor, 3, |builder| {
        builder
            .switch_setting("quiet_timeout", "\"300ms\"")
            .switch_setting("freeze_timeout", "\"3500ms\"")
            .switch_setting("downtime_budget", "\"4800ms\"")
    })
    .await;
    obstacles::a_table_lock_is_named(&bed).await;
    obstacles::a_prepared_xa_transaction_is_named(&bed).await;
    obstacles::ddl_is_named_and_breaks_the_budget(&bed).await;
    events::run_on_the_new_master_only_and_an_open_transaction_is_named(&bed).await;
    availability::first_names_what_diverged(bed).await;
}

#[tokio::test]
async fn mariadb_what_is_in_the_way_of_a_switch_is_named() {
    is_in_the_way(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_what_is_in_the_way_of_a_switch_is_named() {
    is_in_the_way(Flavor::MySql).await;
}

async fn semi_sync_is_managed(flavor: Flavor) {
    let servers = Sandbox::builder().flavor(flavor).nodes(3).semi_sync();
    let bed = Bed::start_on(servers, |builder| {
        builder
            .semi_sync_setting("wait_for", semi_sync::WAIT_FOR.to_string())
            .semi_sync_setting("timeout", "\"1s\"")
    })
    .await;
    let scene = Scene::of(bed).await;
    semi_sync::follows_the_roles_through_a_switch(&scene).await;
    semi_sync::a_replica_that_is_restarted_during_maintenance_gets_its_part_back(&scene).await;
    semi_sync::a_master_that_restarted_waits_before_it_is_opened(&scene).await;
    semi_sync::a_server_that_cannot_play_its_part_is_no_candidate(&scene).await;
    semi_sync::a_master_whose_replicas_are_gone_goes_on_with_an_alarm(&scene).await;
    scene.loses_nothing(1).await;
}

#[tokio::test]
async fn mariadb_semi_sync_follows_the_roles() {
    semi_sync_is_managed(Flavor::MariaDb).await;
}

#[tokio::test]
async fn mysql_semi_sync_follows_the_roles() {
    semi_sync_is_managed(Flavor::MySql).await;
}
