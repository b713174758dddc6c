//! Scheduled events run where writes are taken, and nowhere else.

use mysqlsvc_core::{Flavor, NodeId, Tag, backend::EventName};

use super::{
    MySqlBackend,
    dialect::{EVENT_STATES, EventState, EventSwitch},
    failure::Failure,
    fault::{Fault, code},
    work::Work,
};

impl MySqlBackend {
    /// Enables events, in the binary log on purpose: replicas take the statement over as "runs
    /// elsewhere".
    pub(super) async fn enable_events_now(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), Failure> {
        let mut work = self.work(node, tag).await?;
        work.clear_tagged(1).await?;
        switch(&mut work, events, EventSwitch::Enable).await?;
        work.finish();
        Ok(())
    }

    /// Disables events outside the binary log. MySQL under super_read_only neither lets them write
    /// nor lets anybody change them; what it replicates next from where they run disables them.
    pub(super) async fn disable_events_now(
        &self,
        node: &NodeId,
        events: &[EventName],
        tag: &Tag,
    ) -> Result<(), Failure> {
        let mut work = self.work(node, tag).await?;
        work.clear_tagged(1).await?;
        if work.dialect().flavor == Flavor::MariaDb {
            // Who leaves this early drops the session, and what was set in it.
            work.change(&["SET SESSION sql_log_bin = 0"]).await.map_err(Failure::of_change)?;
            switch(&mut work, events, EventSwitch::DisableOnReplica).await?;
            work.change(&["SET SESSION sql_log_bin = 1"]).await.map_err(Failure::of_change)?;
        }
        work.finish();
        Ok(())
    }
}

/// Switches those of `events` that are there and not as wanted, and reads that back.
async fn switch(work: &mut Work<'_>, events: &[EventName], to: EventSwitch) -> Result<(), Failure> {
    let due = due(work, events, to).await.map_err(Failure::of_question)?;
    let mut texts: Vec<String> = due.iter().map(|event| event.switch(to)).collect();
    let mut passed_over = Vec::new();
    while !texts.is_empty() {
        match work.change(&texts).await {
            Ok(_) => break,
            // Gone meanwhile, or one that will never run again.
            Err(Fault::Server {
                code: code::EVENT_DOES_NOT_EXIST | code::EVENT_CANNOT_ALTER_IN_THE_PAST,
                done,
                ..
            }) if done < texts.len() => {
                passed_over.push(texts.remove(done));
                texts.drain(..done);
            }
            Err(fault) => return Err(Failure::of_change(fault)),
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    let left = self::due(work, events, to).await.map_err(Failure::half_way)?;
    match left.iter().find(|event| !passed_over.contains(&event.switch(to))) {
        None => Ok(()),
        Some(event) => Err(Failure::unknown(format!(
            "the event {} was switched and is {} again: somebody else does so, too",
            event.name, event.status
        ))),
    }
}

/// Those of `events` that are not as wanted.
async fn due(
    work: &mut Work<'_>,
    events: &[EventName],
    to: EventSwitch,
) -> Result<Vec<EventState>, Fault> {
    let answer = work.ask(EVENT_STATES).await?;
    let mut states = EventState::read_all(answer.table(0)?)?;
    states.retain(|event| {
        events.contains(&event.name) && event.is_enabled() != (to == EventSwitch::Enable)
    });
    Ok(states)
}
