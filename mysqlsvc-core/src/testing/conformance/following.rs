//! Following, forgetting, waiting, opening, and all of it together.

use super::bench::{Bench, LIMIT, Verdict, ensure, ensure_equal, follows};
use crate::{
    ActionErrorKind, Flavor, GtidSet, IoThread, Millis, Probe, SqlThread, backend::FollowManner,
};

pub(super) async fn forgetting_and_following_again_loses_nothing(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    bench.forget_source(replica).await?;
    bench.forget_source(replica).await?;
    let seen = bench.look(replica).await?;
    ensure(seen.replication.is_none(), || format!("still replicating: {:?}", seen.replication))?;
    ensure(!seen.read_only.is_writable(), || "forgetting its source opened it".to_owned())?;
    bench.must_write(master).await?;
    for _ in 0..2 {
        bench.follow(replica, master, FollowManner::Replica).await?;
        let seen = bench.look(replica).await?;
        ensure(follows(&seen, master), || format!("not following: {:?}", seen.replication))?;
    }
    bench.must_write(master).await?;
    let position = bench.look(master).await?.executed;
    bench.await_executed(replica, &position).await?;
    let rows = bench.fixture.count_rows(replica).await?;
    ensure_equal("rows on the replica", &rows, &bench.fixture.count_rows(master).await?)
}

pub(super) async fn following_makes_read_only_with_our_settings(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    bench.open(replica).await?;
    bench.follow(replica, master, FollowManner::Replica).await?;
    let seen = bench.look(replica).await?;
    ensure(!seen.read_only.is_writable(), || "a replica that follows is writable".to_owned())?;
    bench.must_not_write(replica).await?;
    bench.forget_source(replica).await?;
    bench.follow(replica, master, FollowManner::Replica).await?;
    let settings = bench.fixture.channel_settings(replica).await;
    for (what, is, wanted) in [
        ("the heartbeat", settings.heartbeat, Millis(500)),
        ("the net time-out", settings.net_timeout, Millis(2_000)),
        ("the connect retry", settings.connect_retry, Millis(1_000)),
    ] {
        ensure(is.is_none_or(|is| is == wanted), || format!("{what} is {is:?}, not {wanted}"))?;
    }
    ensure(settings.retries_end != Some(true), || "its attempts to connect end".to_owned())
}

pub(super) async fn a_mutual_master_follows_and_stays_writable(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    for _ in 0..2 {
        bench.follow(master, replica, FollowManner::Mutual).await?;
    }
    let seen = bench.look(master).await?;
    ensure(follows(&seen, replica), || format!("not following: {:?}", seen.replication))?;
    ensure(seen.read_only.is_writable(), || "following closed the mutual master".to_owned())?;
    bench.must_write(master).await?;
    let position = bench.look(master).await?.executed;
    bench.await_executed(replica, &position).await?;
    bench.forget_source(master).await?;
    let seen = bench.look(master).await?;
    ensure(seen.read_only.is_writable(), || "forgetting closed the master".to_owned())
}

pub(super) async fn waiting_ends_when_the_position_is_reached_or_cannot_be(
    bench: &Bench<'_>,
) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    let empty = GtidSet::empty(bench.look(master).await?.flavor);
    bench.await_executed(replica, &empty).await?;
    bench.must_write(master).await?;
    let position = bench.look(master).await?.executed;
    bench.await_executed(replica, &position).await?;
    let reached = bench.look(replica).await?.executed;
    ensure(reached.contains(&position), || format!("waited for {position}, but it has {reached}"))?;
    behind(bench, &never(&position)?, Millis(300)).await?;

    bench.fixture.stop_applier(replica).await?;
    bench.must_write(master).await?;
    let position = bench.look(master).await?.executed;
    behind(bench, &position, LIMIT).await?;
    bench.fixture.start_applier(replica).await?;
    bench.await_executed(replica, &position).await
}

async fn behind(bench: &Bench<'_>, position: &GtidSet, limit: Millis) -> Verdict {
    match bench.backend.await_executed(bench.replica(), position, limit).await {
        Err(error) if error.kind == ActionErrorKind::Behind => Ok(()),
        other => Err(format!("waited for {position}, which cannot come, and got {other:?}")),
    }
}

/// A position that no server of the cluster will ever write.
fn never(position: &GtidSet) -> Verdict<GtidSet> {
    let text = match position.flavor() {
        Flavor::MySql => "00000000-0000-4000-8000-000000000000:1",
        Flavor::MariaDb => "0-4000000000-4000000000",
    };
    GtidSet::parse(position.flavor(), text).map_err(|error| error.to_string())
}

pub(super) async fn opening_stops_replication_and_lets_writes_in(bench: &Bench<'_>) -> Verdict {
    let replica = bench.replica();
    for _ in 0..2 {
        bench.open(replica).await?;
        let seen = bench.look(replica).await?;
        ensure(seen.read_only.is_writable(), || "an opened server reads read-only".to_owned())?;
        ensure(!runs_a_thread(&seen), || format!("it replicates: {:?}", seen.replication))?;
    }
    Ok(())
}

fn runs_a_thread(probe: &Probe) -> bool {
    probe.replication.as_ref().is_some_and(|replication| {
        replication.io != IoThread::Stopped || replication.sql != SqlThread::Stopped
    })
}

pub(super) async fn what_was_received_and_not_applied_is_never_erased(
    bench: &Bench<'_>,
) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    bench.fixture.stop_applier(replica).await?;
    let before = bench.replication(replica).await?.received;
    bench.must_write(master).await?;
    bench
        .until(replica, "having received the write", |probe| {
            probe.replication.as_ref().is_some_and(|replication| replication.received != before)
        })
        .await?;
    // The source it is told to follow has none of it, and the write is not applied here.
    let manner = FollowManner::Replica;
    let nowhere = bench.fixture.nowhere();
    let answer = bench.backend.follow(replica, &nowhere, manner, None, &bench.tag).await;
    let kind = answer.as_ref().err().map(|error| error.kind);
    ensure(kind == Some(ActionErrorKind::Unsafe), || {
        format!("was let go of an unapplied relay log: {answer:?}")
    })?;
    let source = bench.replication(replica).await?.source;
    ensure_equal("the source after a refusal", &source, master)?;
    bench.fixture.start_applier(replica).await?;
    let position = bench.look(master).await?.executed;
    bench.await_executed(replica, &position).await
}

pub(super) async fn the_pair_turns_round_and_back_without_losing_a_row(
    bench: &Bench<'_>,
) -> Verdict {
    let (mut from, mut to) = (bench.master(), bench.replica());
    for _ in 0..2 {
        bench.must_write(from).await?;
        let position = bench.freeze(from).await?;
        bench.await_executed(to, &position).await?;
        bench.open(to).await?;
        bench.must_write(to).await?;
        bench.forget_source(to).await?;
        bench.follow(from, to, FollowManner::Replica).await?;
        bench.must_write(to).await?;
        let position = bench.look(to).await?.executed;
        bench.await_executed(from, &position).await?;
        bench.must_not_write(from).await?;
        let rows = bench.fixture.count_rows(to).await?;
        ensure_equal("rows on the old master", &bench.fixture.count_rows(from).await?, &rows)?;
        std::mem::swap(&mut from, &mut to);
    }
    Ok(())
}
