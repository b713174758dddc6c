//! Looking: what a look and an inspection must tell.

use super::bench::{Bench, LIMIT, Said, Verdict, ensure, ensure_equal, follows};
use crate::{
    ActionError, ActionErrorKind, LookError, NodeId,
    backend::{FollowManner, Severity},
};

pub(super) async fn a_look_tells_who_is_who(bench: &Bench<'_>) -> Verdict {
    let master = bench.look(bench.master()).await?;
    let replica = bench.look(bench.replica()).await?;
    ensure(master.read_only.is_writable(), || "the master reads as read-only".to_owned())?;
    ensure(!replica.read_only.is_writable(), || "the replica reads as writable".to_owned())?;
    ensure(master.replication.is_none(), || "the master shows a source".to_owned())?;
    ensure(follows(&replica, bench.master()), || {
        format!("the replica does not show that it follows the master: {:?}", replica.replication)
    })?;
    ensure(master.identity != replica.identity, || {
        format!("both servers say they are {}", master.identity)
    })?;
    ensure_equal("the replica's flavour", &replica.flavor, &master.flavor)?;
    let seen = bench.replication(bench.replica()).await?.source_identity;
    let same = seen.is_some_and(|seen| match master.identity.server_uuid {
        Some(uuid) => seen.server_uuid == Some(uuid),
        None => seen.server_id == master.identity.server_id,
    });
    ensure(same, || format!("the source calls itself {seen:?}, not {:?}", master.identity))
}

pub(super) async fn the_executed_set_grows_with_a_write_and_reaches_the_replica(
    bench: &Bench<'_>,
) -> Verdict {
    let before = bench.look(bench.master()).await?.executed;
    bench.must_write(bench.master()).await?;
    let after = bench.look(bench.master()).await?.executed;
    ensure(after.contains(&before) && after != before, || {
        format!("a write left the executed set at {before} -> {after}")
    })?;
    bench
        .until(bench.replica(), "the write", |probe| probe.executed.contains(&after))
        .await
        .map(drop)
}

pub(super) async fn an_inspection_sees_what_a_look_sees(bench: &Bench<'_>) -> Verdict {
    for node in [bench.master(), bench.replica()] {
        let looked = bench.look(node).await?;
        let inspected = bench.backend.inspect(node).await.said(|| format!("inspect {node}"))?;
        ensure_equal("the inspected identity", &inspected.probe.identity, &looked.identity)?;
        ensure_equal("the inspected variables", &inspected.probe.read_only, &looked.read_only)?;
        let purged = inspected.purged.is_none_or(|purged| looked.executed.contains(&purged));
        ensure(purged, || format!("{node} has purged more than it executed"))?;
        let errors: Vec<_> = inspected
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.text.as_str())
            .collect();
        ensure(errors.is_empty(), || format!("a good server is found faulty: {errors:?}"))?;
    }
    Ok(())
}

pub(super) async fn where_nothing_listens_everything_is_unreachable(bench: &Bench<'_>) -> Verdict {
    let (backend, tag) = (bench.backend, &bench.tag);
    let nowhere = &bench.fixture.nowhere();
    let position = bench.look(bench.master()).await?.executed;
    for seen in [backend.look(nowhere).await.map(drop), backend.inspect(nowhere).await.map(drop)] {
        ensure(matches!(seen, Err(LookError::Unreachable { .. })), || format!("seen: {seen:?}"))?;
    }
    unreachable("freeze", nowhere, backend.freeze(nowhere, LIMIT, &[], tag).await)?;
    unreachable("thaw", nowhere, backend.thaw(nowhere, tag).await)?;
    unreachable("close", nowhere, backend.close(nowhere, tag).await)?;
    unreachable("open", nowhere, backend.open(nowhere, tag).await)?;
    unreachable("wait", nowhere, backend.await_executed(nowhere, &position, LIMIT).await)?;
    unreachable("forget", nowhere, backend.forget_source(nowhere, tag).await)?;
    unreachable("kill", nowhere, backend.kill_clients(nowhere, &[], tag).await)?;
    let manner = FollowManner::Replica;
    let followed = backend.follow(nowhere, bench.master(), manner, None, tag).await;
    unreachable("follow", nowhere, followed)
}

fn unreachable<T>(what: &str, node: &NodeId, answer: Result<T, ActionError>) -> Verdict {
    match answer {
        Err(error) if error.kind == ActionErrorKind::Unreachable && error.node == *node => Ok(()),
        Err(error) => {
            Err(format!("{what}: {:?} of {} instead of Unreachable", error.kind, error.node))
        }
        Ok(_) => Err(format!("{what}: done, where there is no server")),
    }
}
