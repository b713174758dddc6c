//! What the log says of a cluster: operations as they go, servers and alarms as they come and go.

use std::collections::{BTreeMap, BTreeSet};

use mysqlsvc_core::{
    Epoch, NodeId, NodeState,
    engine::{Alarm, AlarmId, Answer, Snapshot},
    journal::{Entry, Outcome, Record},
};
use tracing::{debug, info, warn};

use super::ProxyWord;

/// Says what is about to be made durable.
pub(super) fn records(entries: &[Entry]) {
    for entry in entries {
        record(&entry.record);
    }
}

fn record(record: &Record) {
    match record {
        Record::Changed { change, who: Some(who) } => info!(%who, ?change, "changed"),
        Record::Changed { change, who: None } => debug!(?change, "changed"),
        Record::Began { operation, plan, who } => {
            info!(%operation, %who, "{} to {} begins", plan.kind, plan.to);
        }
        Record::Started { step } => debug!(step, "started"),
        Record::Done { step, took, .. } => debug!(step, took_us = took.0, "done"),
        Record::Failed { step, error } => warn!(step, %error, "failed; taking back what was done"),
        Record::Committed { step, commit, .. } => {
            info!(step, epoch = %commit.epoch, "committed; from here on only forward");
        }
        Record::Skipped { step, error } => warn!(step, %error, "given up; the operation goes on"),
        Record::Undone { step } => info!(step, "taken back"),
        Record::Forsaken { step, error } => warn!(step, %error, "cannot be taken back; given up"),
        Record::Abandoned { who } => warn!(%who, "abandoned: left as it stands"),
        Record::Finished { outcome: Outcome::Succeeded, .. } => info!("succeeded"),
        Record::Finished { outcome: Outcome::RolledBack, .. } => {
            warn!("rolled back: the cluster is as it was");
        }
        Record::Finished { outcome: Outcome::Abandoned, .. } => warn!("abandoned"),
    }
}

/// Says what preflight found that is no reason to refuse.
pub(super) fn answer(answer: &Answer) {
    let (Answer::Done { warnings } | Answer::Planned { warnings, .. }) = answer else { return };
    for finding in warnings {
        warn!(finding = %finding.id, "{}", finding.text);
    }
}

/// Says who outranks us, and where from. Not louder, for anybody may say so, and often: the alarm
/// is told once.
pub(super) fn outranked(word: &ProxyWord, ours: Epoch) {
    let ProxyWord { proxy, mode, address, epoch, incarnation } = word;
    debug!(
        %proxy, ?mode, %address, %epoch, incarnation = %incarnation.0, %ours,
        "a proxy takes no route of ours: it knows one that is not lower"
    );
}

/// The states that the log has told of.
#[derive(Debug, Default)]
pub(super) struct StateLog {
    told: BTreeMap<NodeId, &'static str>,
}

impl StateLog {
    /// Says which servers are in another state than before. The cause alone may change often.
    pub(super) fn tell(&mut self, snapshot: &Snapshot) {
        for node in &snapshot.nodes {
            let word = node.state.word();
            if self.told.insert(node.node.clone(), word) == Some(word) {
                continue;
            }
            let (address, role, state) = (&node.node, node.role, &node.state);
            match state {
                // Not yet looked at: there is nothing to tell.
                NodeState::Unknown => {}
                NodeState::Error(_) | NodeState::Lost { .. } => {
                    warn!(node = %address, %role, %state, "state");
                }
                _ => info!(node = %address, %role, %state, "state"),
            }
        }
        self.told.retain(|told, _| snapshot.nodes.iter().any(|node| node.node == *told));
    }
}

/// The alarms that the log has told of, and that are still there.
#[derive(Debug, Default)]
pub(super) struct AlarmLog {
    told: BTreeSet<(AlarmId, Option<NodeId>)>,
}

impl AlarmLog {
    /// Says which alarms have appeared and which are gone.
    pub(super) fn tell(&mut self, snapshot: &Snapshot) {
        let (appeared, gone) = self.news(&snapshot.alarms);
        for alarm in appeared {
            warn!(alarm = alarm.id.as_str(), node = of(alarm.node.as_ref()), "{}", alarm.text);
        }
        for (id, node) in gone {
            info!(alarm = id.as_str(), node = of(node.as_ref()), "over");
        }
    }

    /// The text alone may change often: that is no news.
    fn news<'a>(
        &mut self,
        alarms: &'a [Alarm],
    ) -> (Vec<&'a Alarm>, Vec<(AlarmId, Option<NodeId>)>) {
        let key = |alarm: &Alarm| (alarm.id, alarm.node.clone());
        let now: BTreeSet<_> = alarms.iter().map(key).collect();
        let appeared = alarms.iter().filter(|alarm| !self.told.contains(&key(alarm))).collect();
        let gone = self.told.difference(&now).cloned().collect();
        self.told = now;
        (appeared, gone)
    }
}

/// A field that is left out where the alarm is about the whole cluster.
fn of(node: Option<&NodeId>) -> Option<tracing::field::DisplayValue<&NodeId>> {
    node.map(tracing::field::display)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(node: &str, text: &str) -> Alarm {
        let node = Some(node.parse().unwrap());
        Alarm { id: AlarmId::SemiSyncDegraded, node, text: text.to_owned() }
    }

    #[test]
    fn an_alarm_is_told_when_it_appears_and_when_it_is_over() {
        let mut log = AlarmLog::default();
        let first = [alarm("a:1", "0 replicas")];
        assert_eq!(log.news(&first), (vec![&first[0]], vec![]));
        let reworded = [alarm("a:1", "1 replica"), alarm("b:1", "0 replicas")];
        assert_eq!(log.news(&reworded), (vec![&reworded[1]], vec![]));
        let over = (AlarmId::SemiSyncDegraded, reworded[0].node.clone());
        assert_eq!(log.news(&reworded[1..]), (vec![], vec![over]));
        assert_eq!(
            log.news(&first),
            (vec![&first[0]], vec![(AlarmId::SemiSyncDegraded, reworded[1].node.clone())])
        );
    }
}
