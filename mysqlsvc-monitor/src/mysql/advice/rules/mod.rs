//! What is right and wrong, each family in a file of its own. Pure: the same facts give the same
//! findings, in the same order.

mod applier;
mod binlog;
mod channel;
mod compared;
mod durability;
mod gtid;
mod read_only;
mod remedy;
mod safety;
mod semi_sync;
mod stored;
#[cfg(test)]
mod tests;

use mysqlsvc_core::Role;

use super::{Advice, Facts, ServerSettings};

/// One server, as its role in the cluster makes it be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) facts: &'a Facts,
    pub(super) role: Role,
}

impl Subject<'_> {
    fn settings(&self) -> &ServerSettings {
        &self.facts.settings
    }

    fn is_master(&self) -> bool {
        self.role == Role::Master
    }

    /// It replicates, and is not a master that replicates from its standby.
    fn is_replica(&self) -> bool {
        !self.is_master() && self.facts.channel.is_some()
    }
}

/// The rest of the cluster, as far as a server is compared with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings<'a> {
    /// The master, where it is another server and answered.
    pub(super) master: Option<&'a Facts>,
    /// How many replicas say that they acknowledge for semi-sync.
    pub(super) acknowledging: usize,
    /// How many servers did not answer, any of which may acknowledge.
    pub(super) unseen: usize,
}

/// What registering demands of settings, or warns of.
pub(in super::super) fn demanded(settings: &ServerSettings) -> Vec<Advice> {
    let families = [
        binlog::demanded(settings),
        gtid::demanded(settings),
        applier::demanded(settings),
        read_only::at_boot(settings),
    ];
    families.into_iter().flatten().collect()
}

/// Everything that there is to say of one server, the worst first.
pub(super) fn all(subject: Subject<'_>, around: Surroundings<'_>) -> Vec<Advice> {
    let settings = subject.settings();
    let families = [
        subject.facts.inspected.clone(),
        demanded(settings),
        read_only::now(subject),
        binlog::wished(settings),
        gtid::wished(subject),
        durability::all(subject),
        applier::all(settings),
        safety::all(settings),
        semi_sync::all(subject, around),
        channel::all(subject),
        stored::all(subject, around),
        compared::all(subject, around),
    ];
    let mut found: Vec<Advice> = families.into_iter().flatten().collect();
    found.sort_by_key(|advice| advice.severity);
    found
}

/// Whether a replica tells its master what it has received.
pub(super) fn acknowledges(facts: &Facts) -> bool {
    facts.channel.is_some() && facts.settings.is_on(&semi_sync::REPLICA)
}

/// Rules that may or may not have something to say.
fn said<const RULES: usize>(rules: [Option<Advice>; RULES]) -> Vec<Advice> {
    rules.into_iter().flatten().collect()
}
