//! The contract of [`ReplicationBackend`], as a suite that every implementation must pass: the
//! model, and the real one on real servers of each flavour.
//!
//! It needs no runtime and sleeps only through its [`Fixture`]. Each check begins and ends with a
//! writable master and a replica that follows it; what a check breaks is mended by the backend's
//! own methods.

mod bench;
mod by_position;
mod fixture;
mod following;
mod freezing;
mod looking;
mod standing;

use std::fmt;

use self::bench::{Bench, Verdict};
pub use self::fixture::{ChannelSettings, Client, Fixture};
use crate::ReplicationBackend;

/// What an implementation does against the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonConformance {
    /// The check's name, which says what should have been.
    pub check: &'static str,
    /// What was tried and seen.
    pub seen: String,
}

impl fmt::Display for NonConformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check.replace('_', " "), self.seen)
    }
}

macro_rules! check {
    ($bench:ident, $failed:ident; $($module:ident::$name:ident),+ $(,)?) => {
        $($failed.extend(judge(stringify!($name), &$bench, $module::$name(&$bench)).await);)+
    };
}

/// Runs every check, one after another, and returns what did not conform.
pub async fn check_all(
    backend: &dyn ReplicationBackend,
    fixture: &dyn Fixture,
) -> Vec<NonConformance> {
    let bench = Bench::new(backend, fixture);
    let mut failed = Vec::new();
    check!(
        bench, failed;
        looking::a_look_tells_who_is_who,
        looking::the_executed_set_grows_with_a_write_and_reaches_the_replica,
        looking::an_inspection_sees_what_a_look_sees,
        looking::where_nothing_listens_everything_is_unreachable,
        freezing::closing_stops_writes_and_thawing_lets_them_in_again,
        freezing::closing_leaves_clients_and_replication_alone,
        freezing::a_freeze_stops_writes_and_names_the_last_one,
        freezing::a_freeze_ends_clients_but_the_spared,
        freezing::a_lock_fails_the_freeze_and_no_freeze_is_left_behind,
        freezing::killing_ends_clients_but_the_spared_and_no_replication,
        following::forgetting_and_following_again_loses_nothing,
        following::following_makes_read_only_with_our_settings,
        following::a_mutual_master_follows_and_stays_writable,
        following::waiting_ends_when_the_position_is_reached_or_cannot_be,
        following::opening_stops_replication_and_lets_writes_in,
        following::what_was_received_and_not_applied_is_never_erased,
        standing::a_stopped_replica_keeps_its_source_and_goes_on_where_it_was,
        standing::a_replica_opened_beside_goes_on_replicating,
        standing::what_a_freeze_would_wait_for_is_named,
        standing::parts_in_semi_sync_are_taken_and_changed,
        following::the_pair_turns_round_and_back_without_losing_a_row,
    );
    failed
}

/// The same on MySQL servers without GTIDs (`gtid_mode=OFF`), which replicate by position.
pub async fn check_by_position(
    backend: &dyn ReplicationBackend,
    fixture: &dyn Fixture,
) -> Vec<NonConformance> {
    let bench = Bench::new(backend, fixture);
    let mut failed = Vec::new();
    check!(
        bench, failed;
        looking::a_look_tells_who_is_who,
        by_position::a_look_tells_where_servers_stand,
        freezing::closing_stops_writes_and_thawing_lets_them_in_again,
        freezing::closing_leaves_clients_and_replication_alone,
        by_position::a_freeze_names_the_end_of_the_log,
        freezing::a_freeze_ends_clients_but_the_spared,
        freezing::a_lock_fails_the_freeze_and_no_freeze_is_left_behind,
        freezing::killing_ends_clients_but_the_spared_and_no_replication,
        by_position::waiting_is_for_the_log_that_is_followed,
        by_position::following_needs_the_place_and_that_nothing_has_moved,
        following::opening_stops_replication_and_lets_writes_in,
        by_position::what_was_received_and_not_applied_is_kept,
        standing::a_stopped_replica_keeps_its_source_and_goes_on_where_it_was,
        standing::what_a_freeze_would_wait_for_is_named,
        by_position::the_pair_turns_round_and_back,
    );
    failed
}

async fn judge(
    check: &'static str,
    bench: &Bench<'_>,
    run: impl Future<Output = Verdict>,
) -> Option<NonConformance> {
    let restored = bench.restore().await;
    let seen = match restored {
        Ok(()) => run.await,
        Err(seen) => Err(format!("before it began: {seen}")),
    };
    let restored = bench.restore().await;
    let seen = seen.and_then(|()| restored.map_err(|seen| format!("after it had ended: {seen}")));
    seen.err().map(|seen| NonConformance { check, seen })
}
