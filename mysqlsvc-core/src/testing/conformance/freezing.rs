//! Closing, opening, freezing, thawing, and who is cut off by it.

use super::bench::{Bench, LIMIT, Said, Verdict, ensure, ensure_equal, follows};
use crate::{ActionErrorKind, Millis};

pub(super) async fn closing_stops_writes_and_thawing_lets_them_in_again(
    bench: &Bench<'_>,
) -> Verdict {
    let master = bench.master();
    bench.close(master).await?;
    bench.close(master).await?;
    ensure(!bench.look(master).await?.read_only.is_writable(), || "it reads writable".to_owned())?;
    bench.must_not_write(master).await?;
    bench.thaw(master).await?;
    bench.thaw(master).await?;
    ensure(bench.look(master).await?.read_only.is_writable(), || "it reads read-only".to_owned())?;
    bench.must_write(master).await
}

pub(super) async fn closing_leaves_clients_and_replication_alone(bench: &Bench<'_>) -> Verdict {
    let mut client = bench.fixture.connect(bench.replica()).await?;
    bench.close(bench.replica()).await?;
    let alive = client.is_alive().await;
    client.close().await;
    ensure(alive, || "closing a replica ended a client's session".to_owned())?;
    bench
        .until(bench.replica(), "still following", |probe| follows(probe, bench.master()))
        .await
        .map(drop)
}

pub(super) async fn a_freeze_stops_writes_and_names_the_last_one(bench: &Bench<'_>) -> Verdict {
    let master = bench.master();
    for _ in 0..5 {
        bench.must_write(master).await?;
    }
    let before = bench.look(master).await?.executed;
    let position = bench.freeze(master).await?;
    ensure(position.contains(&before), || {
        format!("the freeze saw {position}, which lacks some of {before}")
    })?;
    bench.must_not_write(master).await?;
    let seen = bench.look(master).await?;
    ensure_equal("the executed set after the freeze", &seen.executed, &position)?;
    ensure(!seen.read_only.is_writable(), || "the frozen server reads writable".to_owned())?;
    let again = bench.freeze(master).await?;
    ensure_equal("the position of a second freeze", &again, &position)?;
    bench.thaw(master).await?;
    bench.must_write(master).await
}

pub(super) async fn a_freeze_ends_clients_but_the_spared(bench: &Bench<'_>) -> Verdict {
    let master = bench.master();
    let mut client = bench.fixture.connect(master).await?;
    let spare = [bench.fixture.application().to_owned()];
    let spared = bench.backend.freeze(master, LIMIT, &spare, &bench.tag).await;
    spared.said(|| format!("freeze {master}"))?;
    ensure(client.is_alive().await, || "the spared client's session was ended".to_owned())?;
    bench.freeze(master).await?;
    ensure(!client.is_alive().await, || "the client's session outlived the freeze".to_owned())?;
    bench.thaw(master).await
}

pub(super) async fn a_lock_fails_the_freeze_and_no_freeze_is_left_behind(
    bench: &Bench<'_>,
) -> Verdict {
    let master = bench.master();
    let Some(lock) = bench.fixture.lock(master).await else { return Ok(()) };
    let answer = bench.backend.freeze(master, Millis(1_000), &[], &bench.tag).await;
    let kind = answer.as_ref().err().map(|error| error.kind);
    let honest = matches!(kind, Some(ActionErrorKind::Refused | ActionErrorKind::Unknown));
    ensure(honest, || format!("a freeze against LOCK TABLES was answered {answer:?}"))?;
    bench.thaw(master).await?;
    bench.must_write(master).await?;
    lock.close().await;
    for _ in 0..5 {
        bench.fixture.moment().await;
    }
    let seen = bench.look(master).await?.read_only;
    ensure(seen.is_writable(), || "a freeze took effect after it was thawed".to_owned())?;
    bench.must_write(master).await
}

pub(super) async fn killing_ends_clients_but_the_spared_and_no_replication(
    bench: &Bench<'_>,
) -> Verdict {
    let master = bench.master();
    let mut client = bench.fixture.connect(master).await?;
    let spare = [bench.fixture.application().to_owned()];
    let spared = bench.backend.kill_clients(master, &spare, &bench.tag).await;
    spared.said(|| format!("kill clients of {master}"))?;
    ensure(client.is_alive().await, || "the spared client's session was ended".to_owned())?;
    let killed = bench.backend.kill_clients(master, &[], &bench.tag).await;
    let killed = killed.said(|| format!("kill clients of {master}"))?;
    ensure(killed > 0, || "a client was there, but 0 were ended".to_owned())?;
    ensure(!client.is_alive().await, || "the client's session was not ended".to_owned())?;
    bench.must_write(master).await?;
    let position = bench.position(master).await?;
    bench.await_executed(bench.replica(), &position).await?;
    let seen = bench.look(bench.replica()).await?;
    ensure(follows(&seen, master), || format!("replication broke: {:?}", seen.replication))
}
