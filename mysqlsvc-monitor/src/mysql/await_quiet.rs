//! Waiting until nothing is under way that a freeze would wait for or break.

use std::time::Duration;

use mysqlsvc_core::{ActionErrorKind, NodeId, backend::Obstacle};
use tokio::time::{Instant, sleep};

use super::{MySqlBackend, failure::Failure, fault::Fault, obstacles};

/// Between two looks. InnoDB shows its transactions anew only to who asks after nobody did for
/// 0.1 s: asked more often it would show the same ones for ever.
const QUIET_POLL: Duration = Duration::from_millis(120);

/// A look that is not the first may end this much after the limit.
const GRACE: Duration = Duration::from_millis(100);

/// So many obstacles are named.
const NAMED: usize = 3;

impl MySqlBackend {
    pub(super) async fn quiet_by(
        &self,
        node: &NodeId,
        deadline: Instant,
    ) -> Result<Vec<Obstacle>, Failure> {
        // The first look is one like any other, and may take as long, however short the limit.
        let mut answer_by = deadline.max(Instant::now() + self.limits.look);
        let mut lease = self.pool.lease(node, answer_by).await.map_err(Failure::of_question)?;
        let mut left: Vec<Obstacle> = Vec::new();
        loop {
            left = match obstacles::under_way(&mut lease, self.own_users(), answer_by).await {
                Ok(seen) => seen.obstacles,
                // What was seen before stands, and the time is over.
                Err(Fault::Late { .. }) if !left.is_empty() => return verdict(left),
                Err(fault) if lease.reused && fault.ended_session() => {
                    self.pool.clear(node);
                    let renewed = self.pool.lease_new(node, answer_by).await;
                    lease = renewed.map_err(Failure::of_question)?;
                    continue;
                }
                Err(fault) => return Err(Failure::of_question(fault)),
            };
            if left.is_empty() || Instant::now() + QUIET_POLL >= deadline {
                lease.give_back();
                return verdict(left);
            }
            sleep(QUIET_POLL).await;
            answer_by = deadline.max(Instant::now() + GRACE);
        }
    }
}

/// Whether a freeze can be had beside what is left.
fn verdict(left: Vec<Obstacle>) -> Result<Vec<Obstacle>, Failure> {
    let forbids: Vec<String> =
        left.iter().filter(|one| one.forbids_freeze()).map(ToString::to_string).collect();
    if forbids.is_empty() {
        return Ok(left);
    }
    let named = &forbids[..forbids.len().min(NAMED)];
    let more = match forbids.len() - named.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Failure::new(ActionErrorKind::Obstructed, format!("{}{more}", named.join("; "))))
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::backend::ObstacleKind;

    use super::*;

    fn obstacle(kind: ObstacleKind, session: u64) -> Obstacle {
        let (account, detail) = ("app@%".to_owned(), "x".to_owned());
        Obstacle { kind, session: Some(session), account, age: None, detail }
    }

    #[test]
    fn three_are_named_and_the_others_counted() {
        let mut left: Vec<Obstacle> =
            (1..=5).map(|id| obstacle(ObstacleKind::TableLock, id)).collect();
        left.push(obstacle(ObstacleKind::Transaction, 6));
        let failure = verdict(left).unwrap_err();
        assert_eq!(failure.kind, ActionErrorKind::Obstructed);
        assert_eq!(failure.detail.matches("table lock").count(), 3, "{}", failure.detail);
        assert!(failure.detail.ends_with("; and 2 more"), "{}", failure.detail);
    }

    #[test]
    fn what_a_freeze_breaks_is_handed_on() {
        let left = vec![obstacle(ObstacleKind::Transaction, 6)];
        assert_eq!(verdict(left.clone()), Ok(left));
    }
}
