//! What is going on there: what a freeze would wait for or break, and events that run by themselves.

use mysqlsvc_core::backend::{EventName, Obstacle};

use super::{Check, Fault};
use crate::mysql::{
    advice::{AdviceId, AdviceSeverity, Remedy},
    dialect::{EVENT_STATES, EventState},
    obstacles,
};

impl Check {
    pub(super) async fn obstacles(&mut self, own: [&str; 2]) -> Result<Vec<Obstacle>, Fault> {
        let seen = obstacles::under_way(&mut self.lease, own, self.deadline).await?;
        if !seen.unseen.is_empty() {
            self.find(
                AdviceId::ObstaclesUnseen,
                AdviceSeverity::Warning,
                format!("our account may not see {}", seen.unseen.join(", ")),
                "a switch may wait in vain for what it cannot name",
                Remedy::default(),
            );
        }
        Ok(seen.obstacles)
    }

    /// Those that are enabled.
    pub(super) async fn events(&mut self) -> Result<Vec<EventName>, Fault> {
        match self.ask_if_allowed(EVENT_STATES).await? {
            Ok(answer) => {
                let mut events = EventState::read_all(answer.table(0)?)?;
                events.retain(EventState::is_enabled);
                Ok(events.into_iter().map(|event| event.name).collect())
            }
            Err(said) => {
                self.find(
                    AdviceId::EventsUnseen,
                    AdviceSeverity::Warning,
                    format!("scheduled events cannot be seen: {said}"),
                    "a switch does not move them",
                    Remedy::default(),
                );
                Ok(Vec::new())
            }
        }
    }
}
