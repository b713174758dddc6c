//! Waiting until a server without GTIDs has executed its source's log up to a place.

use std::time::Duration;

use mysqlsvc_core::{
    ActionErrorKind, GtidSet, NodeId, Replication,
    backend::Stand,
    gtid::{Coordinate, PositionSet},
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    MySqlBackend,
    await_executed::{
        FIRST_SLICE, GRACE, ROOM, SLICE, behind, failure_of, stopped, worth_asking_again,
    },
    dialect::{Dialect, Seen},
    failure::Failure,
    fault::Fault,
    pool::Lease,
    quiet::quiet_from,
};

/// Between two looks at a server that has no source, and so nothing to wait in.
const POLL: Duration = Duration::from_millis(50);

/// What one round trip told.
struct Reading {
    seen: Seen,
    replication: Option<Replication>,
}

impl MySqlBackend {
    pub(super) async fn await_place(
        &self,
        mut lease: Lease,
        node: &NodeId,
        position: &GtidSet,
        deadline: Instant,
    ) -> Result<Stand, Failure> {
        let wanted = places_of(position)?;
        let mut wait = None;
        let mut missing = None;
        let mut slice = FIRST_SLICE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(ROOM);
            let is_last = left <= slice;
            let read = read(&mut lease, wait.as_ref(), slice.min(left), deadline).await;
            let reading = match read {
                Ok(reading) => reading,
                Err(fault) if worth_asking_again(&fault, &lease) && Instant::now() < deadline => {
                    self.pool.clear(node);
                    let renewed = self.pool.lease_new(node, deadline).await;
                    lease = renewed.map_err(|fault| failure_of(fault, missing.as_ref()))?;
                    continue;
                }
                Err(fault) => return Err(failure_of(fault, missing.as_ref())),
            };
            let held_to = held_to(&reading.seen, &wanted)?;
            let Some(lacking) = held_to.lacking() else {
                let stand = with_quiet(&mut lease, reading.seen, deadline).await;
                lease.give_back();
                return stand.map_err(Failure::of_question);
            };
            let lacking = missing.insert(lacking);
            if let Some(why) = stopped(reading.replication, lacking) {
                lease.give_back();
                return Err(behind(format!("{lacking} is missing and will not come: {why}")));
            }
            if is_last {
                lease.give_back();
                return Err(behind(format!("{lacking} is missing")));
            }
            if wait.is_some() {
                slice = SLICE;
            }
            wait = held_to.wait_for();
            if wait.is_none() {
                sleep(POLL.min(left)).await;
            }
        }
    }
}

/// Where a server stands, with what is known of the end of its log where it has no source.
async fn with_quiet(lease: &mut Lease, seen: Seen, deadline: Instant) -> Result<Stand, Fault> {
    let mut stand = seen.stand;
    if seen.source.is_none() {
        stand.quiet_from = quiet_from(lease, &stand.place, deadline).await?;
    }
    Ok(stand)
}

fn places_of(position: &GtidSet) -> Result<PositionSet, Failure> {
    match position {
        GtidSet::Positions(places) => Ok(places.clone()),
        empty if empty.is_empty() => Ok(PositionSet::default()),
        gtids => Err(Failure::refused(format!(
            "it has no GTIDs (gtid_mode is OFF), so whether it has executed {gtids} cannot be told"
        ))),
    }
}

/// What a server is measured by.
struct HeldTo {
    server: Uuid,
    wanted: Coordinate,
    has: Option<Coordinate>,
    by_source: bool,
}

impl HeldTo {
    /// What it has not executed of what is wanted; none where it has all.
    fn lacking(&self) -> Option<GtidSet> {
        let reached = self.has.as_ref().is_some_and(|has| *has >= self.wanted);
        (!reached).then(|| GtidSet::Positions(PositionSet::of(self.server, &self.wanted)))
    }

    fn wait_for(&self) -> Option<Coordinate> {
        self.by_source.then(|| self.wanted.clone())
    }
}

/// By which log the server can be measured: its source's, else its own.
fn held_to(seen: &Seen, wanted: &PositionSet) -> Result<HeldTo, Failure> {
    let (server, has, by_source) = match seen.source {
        Some(source) => (source, seen.stand.executed.entry(source), true),
        None => (seen.server, Some(seen.stand.place.clone()), false),
    };
    match wanted.entry(server) {
        Some(wanted) => Ok(HeldTo { server, wanted, has, by_source }),
        None if wanted.is_empty() => {
            let wanted = seen.stand.place.clone();
            Ok(HeldTo { server, has: Some(wanted.clone()), wanted, by_source: false })
        }
        None => Err(Failure::new(
            ActionErrorKind::Refused,
            format!("{wanted} says nothing of the binary log of {server}, which it is measured by"),
        )),
    }
}

/// Waits in the server, if there is anything to wait for, and reads where it stands then.
async fn read(
    lease: &mut Lease,
    wait: Option<&Coordinate>,
    slice: Duration,
    deadline: Instant,
) -> Result<Reading, Fault> {
    let dialect = lease.dialect();
    let wait = wait.and_then(|at| Dialect::wait_for_place(at, slice.as_secs_f64()));
    let question = dialect.stand_question();
    let (text, first) = match wait {
        Some(wait) => (format!("{wait}; {question}"), 1),
        None => (question, 0),
    };
    let answer = lease.run(&text, deadline.min(Instant::now() + slice + GRACE)).await?;
    let replication = dialect.replication(answer.table(first + 1)?)?;
    Ok(Reading { seen: Dialect::stand(&answer, first)?, replication })
}
