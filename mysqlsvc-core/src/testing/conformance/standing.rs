//! Standing still and going on, opening beside, being quiet, semi-synchronous replication.

use super::bench::{Bench, LIMIT, Said, Verdict, ensure, ensure_equal, follows};
use crate::{
    ActionErrorKind, Flavor, IoThread, Millis, SqlThread,
    backend::{FollowManner, ObstacleKind, SemiSyncPart},
};

pub(super) async fn a_stopped_replica_keeps_its_source_and_goes_on_where_it_was(
    bench: &Bench<'_>,
) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    for _ in 0..2 {
        let stopped = bench.backend.stop_replication(replica, &bench.tag).await;
        stopped.said(|| format!("stop the replication of {replica}"))?;
    }
    let seen = bench.replication(replica).await?;
    ensure_equal("the source", &seen.source, master)?;
    ensure(seen.io == IoThread::Stopped && seen.sql == SqlThread::Stopped, || {
        format!("stopped, but it is {seen:?}")
    })?;
    bench.must_write(master).await?;
    for _ in 0..2 {
        let started = bench.backend.start_replication(replica, &bench.tag).await;
        started.said(|| format!("start the replication of {replica}"))?;
    }
    ensure(follows(&bench.look(replica).await?, master), || {
        "reported as started, but it does not run".to_owned()
    })?;
    let position = bench.position(master).await?;
    bench.await_executed(replica, &position).await?;
    let (there, here) = (bench.fixture.count_rows(master), bench.fixture.count_rows(replica));
    ensure_equal("the replica's rows", &here.await?, &there.await?)
}

pub(super) async fn a_replica_opened_beside_goes_on_replicating(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    let before = bench.look(replica).await?.executed;
    let opened = bench.backend.open_beside(replica, &bench.tag).await;
    let position = opened.said(|| format!("open {replica} beside {master}"))?;
    ensure(position.contains(&before), || {
        format!("it says {position}, and had {before} before already")
    })?;
    let seen = bench.look(replica).await?;
    ensure(seen.read_only.is_writable(), || "it reads read-only".to_owned())?;
    ensure(follows(&seen, master), || "it no longer replicates".to_owned())?;
    bench.must_write(master).await?;
    let written = bench.look(master).await?.executed;
    bench.await_executed(replica, &written).await?;
    bench.close(replica).await
}

/// MariaDB has no way to see who holds LOCK TABLES (server-facts 2).
pub(super) async fn what_a_freeze_would_wait_for_is_named(bench: &Bench<'_>) -> Verdict {
    let master = bench.master();
    let quiet = bench.backend.await_quiet(master, Millis(200)).await;
    quiet.said(|| format!("wait for {master} to be quiet"))?;
    let flavor = bench.look(master).await?.flavor;
    let Some(client) = bench.fixture.lock(master).await else {
        return Ok(());
    };
    let locked = bench.backend.await_quiet(master, Millis(200)).await;
    client.close().await;
    match locked {
        Err(error) if error.kind == ActionErrorKind::Obstructed => {
            ensure(error.detail.contains(&ObstacleKind::TableLock.to_string()), || {
                format!("it does not say what is in the way: {error}")
            })
        }
        Ok(_) if flavor == Flavor::MariaDb => Ok(()),
        other => Err(format!("a table lock was answered with {other:?}")),
    }
}

pub(super) async fn parts_in_semi_sync_are_taken_and_changed(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    if bench.look(master).await?.semi_sync.is_none() {
        return Ok(());
    }
    let source = SemiSyncPart::Source { replicas: 1, timeout: LIMIT };
    let parts = [(replica, SemiSyncPart::Replica), (master, source)];
    for (node, part) in parts {
        for _ in 0..2 {
            let set = bench.backend.set_semi_sync(node, part, &bench.tag).await;
            set.said(|| format!("give {node} the part of {part}"))?;
        }
        bench
            .until(node, "playing its part", |probe| {
                probe.semi_sync.as_ref().is_some_and(|seen| seen.plays(part))
            })
            .await?;
    }
    bench
        .until(master, "waiting for its replica", |probe| {
            probe.semi_sync.as_ref().is_some_and(|seen| seen.waiting && seen.replicas == 1)
        })
        .await?;
    bench.follow(replica, master, FollowManner::Replica).await?;
    bench.must_write(master).await?;
    // Whoever changes its part plays the new one only.
    for part in [SemiSyncPart::Replica, source] {
        let set = bench.backend.set_semi_sync(master, part, &bench.tag).await;
        set.said(|| format!("give {master} the part of {part}"))?;
        let seen = bench.look(master).await?.semi_sync;
        ensure(seen.as_ref().is_some_and(|seen| seen.plays(part)), || {
            format!("it was to be {part} and nothing else, but it is {seen:?}")
        })?;
    }
    // Nobody is left waiting for replicas by what comes after this check.
    let part = SemiSyncPart::Replica;
    let set = bench.backend.set_semi_sync(master, part, &bench.tag).await;
    set.said(|| format!("give {master} the part of {part}"))
}
