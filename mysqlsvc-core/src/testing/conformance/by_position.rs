//! What is otherwise where servers give no GTIDs (`gtid_mode=OFF`).

use super::bench::{Bench, LIMIT, Said, Verdict, ensure, ensure_equal};
use crate::{
    ActionError, ActionErrorKind, GtidSet, Millis, NodeId,
    backend::{FollowManner, Stand, Start},
    gtid::{Coordinate, PositionSet},
};

impl Bench<'_> {
    async fn place(&self, node: &NodeId) -> Verdict<Coordinate> {
        self.look(node).await?.place.ok_or_else(|| format!("{node} says no place of its log"))
    }

    /// Where a server stands once it has executed that.
    async fn stand(&self, node: &NodeId, position: &GtidSet) -> Verdict<Stand> {
        let stand = self.backend.await_executed(node, position, Millis(10_000)).await;
        let stand = stand.said(|| format!("wait for {position} on {node}"))?;
        stand.ok_or_else(|| format!("{node} does not say where it stands"))
    }

    async fn follow_from(
        &self,
        node: &NodeId,
        source: &NodeId,
        from: Option<&Start>,
    ) -> Result<(), ActionError> {
        self.backend.follow(node, source, FollowManner::Replica, from, &self.tag).await
    }
}

pub(super) async fn a_look_tells_where_servers_stand(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    let before = bench.place(master).await?;
    bench.must_write(master).await?;
    let after = bench.place(master).await?;
    ensure(after > before, || format!("a write left the log's end at {before} -> {after}"))?;
    let written = bench.position(master).await?;
    let seen = bench.until(replica, "the write", |seen| seen.executed.contains(&written)).await?;
    let channel = seen.replication.ok_or_else(|| format!("{replica} shows no replication"))?;
    ensure(channel.received.contains(&seen.executed), || {
        format!("it has executed {} and received {}", seen.executed, channel.received)
    })?;
    let alone = bench.look(master).await?;
    ensure(alone.executed.is_empty() && alone.committing.is_empty(), || {
        format!("a server without a source says to have executed {}", alone.executed)
    })?;
    for node in [master, replica] {
        let found = bench.backend.inspect(node).await.said(|| format!("inspect {node}"))?;
        let own = bench.own_log(node).await?;
        ensure(found.probe.place.is_some(), || format!("an inspection of {node} sees no place"))?;
        ensure(found.purged.is_none_or(|purged| own.contains(&purged)), || {
            format!("{node} has purged more than {own}")
        })?;
    }
    Ok(())
}

pub(super) async fn a_freeze_names_the_end_of_the_log(bench: &Bench<'_>) -> Verdict {
    let master = bench.master();
    bench.must_write(master).await?;
    let position = bench.freeze(master).await?;
    bench.must_not_write(master).await?;
    ensure_equal("the position", &position, &bench.own_log(master).await?)?;
    let again = bench.freeze(master).await?;
    ensure_equal("the position of a second freeze", &again, &position)?;
    // It is held to its own log, for it has no source.
    bench.stand(master, &position).await?;
    bench.thaw(master).await?;
    bench.must_write(master).await
}

pub(super) async fn waiting_is_for_the_log_that_is_followed(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    bench.must_write(master).await?;
    let written = bench.position(master).await?;
    let stand = bench.stand(replica, &written).await?;
    let reached = GtidSet::Positions(stand.executed.clone());
    ensure(reached.contains(&written), || format!("waited for {written}, but it has {reached}"))?;
    ensure_equal("where its log ends", &stand.place, &bench.place(replica).await?)?;
    bench.stand(replica, &GtidSet::Positions(PositionSet::default())).await?;
    let strange = PositionSet::of(uuid::Uuid::from_u128(7 << 64), &bench.place(master).await?);
    let strange = GtidSet::Positions(strange);
    let answer = bench.backend.await_executed(replica, &strange, Millis(300)).await;
    let kind = answer.as_ref().err().map(|error| error.kind);
    ensure(kind == Some(ActionErrorKind::Refused), || {
        format!("waited for a log that it does not follow, and got {answer:?}")
    })?;

    bench.fixture.stop_applier(replica).await?;
    bench.must_write(master).await?;
    let written = bench.position(master).await?;
    let answer = bench.backend.await_executed(replica, &written, LIMIT).await;
    bench.fixture.start_applier(replica).await?;
    let kind = answer.as_ref().err().map(|error| error.kind);
    ensure(kind == Some(ActionErrorKind::Behind), || {
        format!("waited for what is not applied, and got {answer:?}")
    })?;
    bench.stand(replica, &written).await.map(drop)
}

pub(super) async fn following_needs_the_place_and_that_nothing_has_moved(
    bench: &Bench<'_>,
) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    let position = bench.position(master).await?;
    let stand = bench.stand(replica, &position).await?;
    bench.forget_source(replica).await?;
    bench.must_write(master).await?;
    let uuid = bench.look(master).await?.identity.server_uuid.unwrap_or_default();
    let at = stand.executed.entry(uuid).ok_or_else(|| format!("no place in {stand:?}"))?;
    let judged = bench.place(master).await?;
    let elsewhere = Start { at: at.clone(), judged };
    let refused = [
        (None, ActionErrorKind::Refused),
        (Some(&elsewhere).filter(|it| it.judged != stand.place), ActionErrorKind::Unsafe),
    ];
    for (from, wanted) in refused {
        let answer = bench.follow_from(replica, master, from).await;
        let kind = answer.as_ref().err().map(|error| error.kind);
        let passed_over = from.is_none() && wanted == ActionErrorKind::Unsafe;
        ensure(passed_over || kind == Some(wanted), || {
            format!("let follow from {from:?}, and answered {answer:?}")
        })?;
        let source = bench.look(replica).await?.replication;
        ensure(source.is_none(), || format!("refused, but it shows {source:?}"))?;
    }
    let from = Start { at, judged: stand.place };
    for from in [Some(&from), None] {
        let followed = bench.follow_from(replica, master, from).await;
        followed.said(|| format!("let {replica} follow {master} from {from:?}"))?;
    }
    bench.stand(replica, &bench.position(master).await?).await?;
    let (there, here) = (bench.fixture.count_rows(master), bench.fixture.count_rows(replica));
    ensure_equal("the replica's rows", &here.await?, &there.await?)
}

pub(super) async fn what_was_received_and_not_applied_is_kept(bench: &Bench<'_>) -> Verdict {
    let (master, replica) = (bench.master(), bench.replica());
    bench.fixture.stop_applier(replica).await?;
    let before = bench.replication(replica).await?.received;
    bench.must_write(master).await?;
    bench
        .until(replica, "having received the write", |probe| {
            probe.replication.as_ref().is_some_and(|replication| replication.received != before)
        })
        .await?;
    let from = Start { at: bench.place(master).await?, judged: bench.place(replica).await? };
    let answer = bench.follow_from(replica, &bench.fixture.nowhere(), Some(&from)).await;
    let kind = answer.as_ref().err().map(|error| error.kind);
    ensure(kind == Some(ActionErrorKind::Unsafe), || {
        format!("was let go of an unapplied relay log: {answer:?}")
    })?;
    let source = bench.replication(replica).await?.source;
    ensure_equal("the source after a refusal", &source, master)?;
    bench.fixture.start_applier(replica).await?;
    bench.stand(replica, &bench.position(master).await?).await.map(drop)
}

pub(super) async fn the_pair_turns_round_and_back(bench: &Bench<'_>) -> Verdict {
    let (mut from, mut to) = (bench.master(), bench.replica());
    for _ in 0..2 {
        bench.must_write(from).await?;
        let frozen = bench.freeze(from).await?;
        let at = bench.stand(to, &frozen).await?.place;
        bench.open(to).await?;
        bench.must_write(to).await?;
        bench.forget_source(to).await?;
        let judged = bench.place(from).await?;
        let followed = bench.follow_from(from, to, Some(&Start { at, judged })).await;
        followed.said(|| format!("let {from} follow {to}"))?;
        bench.must_write(to).await?;
        bench.stand(from, &bench.position(to).await?).await?;
        bench.must_not_write(from).await?;
        let rows = bench.fixture.count_rows(to).await?;
        ensure_equal("rows on the old master", &bench.fixture.count_rows(from).await?, &rows)?;
        std::mem::swap(&mut from, &mut to);
    }
    Ok(())
}
